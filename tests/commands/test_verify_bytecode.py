from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.git_version import HAS_GIT
from helpers.make_pyc import (
    COMPILER,
    EVIL,
    INNOCENT,
    OTHER_TAG,
    TAG,
    TIME,
    WRITER,
    cache_path,
    compile_source,
    describe_greeting,
    foreign_pyc,
    forged_pyc,
    hash_pyc,
    matching_pyc,
    timestamp_pyc,
    with_nop,
    without_lines,
    write_file,
)
from helpers.report_parser import CLEAN
from helpers.windows import words_of_missing_file
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.interpreters.pool import find_candidates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo, Result

TRUE = INNOCENT.encode()
WRONG_HASH = hash_pyc(compile_source(EVIL), b"other", checked=True)
SELF_REFERENCE = matching_pyc()[:16] + b"\xa9\x01r\0\0\0\0"
OTHER = foreign_pyc(OTHER_TAG)
OTHER_PATH = f"__pycache__/m.{OTHER_TAG}.pyc"
NOBODYS = b"\x01\x00\r\n" + matching_pyc()[4:]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def codes(result: Result) -> list[tuple[str, str]]:
    """Return path and code of each finding in a report in JSON."""
    report = json.loads(result.out)
    return [(finding["path"], finding["code"]) for finding in report["findings"]]


HONEST: list[tuple[str, dict[str, bytes]]] = [
    ("timestamp", {cache_path(): matching_pyc()}),
    ("checked hash", {cache_path(): hash_pyc(compile_source(INNOCENT), TRUE, checked=True)}),
    ("-O", {cache_path(more=".opt-1"): matching_pyc(level=1)}),
    ("-OO", {cache_path(more=".opt-2"): matching_pyc(level=2)}),
    ("-OOO", {cache_path(more=".opt-3"): matching_pyc(level=2)}),
    (
        "another file name",
        {cache_path(): timestamp_pyc(compile_source(INNOCENT, 0, "/p/ü.py"), len(TRUE))},
    ),
    (
        "a long file name",
        {cache_path(): timestamp_pyc(compile_source(INNOCENT, 0, "/p" * 200), len(TRUE))},
    ),
    ("another time", {cache_path(): timestamp_pyc(compile_source(INNOCENT), len(TRUE), TIME + 5)}),
    ("legacy", {"m.pyc": matching_pyc()}),
    ("a leftover", {cache_path() + ".1234": matching_pyc()}),
    # Windows leaves the drive out of such a path.
    ("a tree of PYTHONPYCACHEPREFIX", {f"prefix/{{here}}/m.{TAG}.pyc": matching_pyc()}),
]


@pytest.mark.parametrize(
    ("files"), [files for _, files in HONEST], ids=[name for name, _ in HONEST]
)
def test_honest_files(here: Path, run: Run, files: dict[str, bytes]) -> None:
    write_file(here / "m.py", INNOCENT)
    for path, data in files.items():
        write_file(
            here / path.replace("{here}", here.as_posix().removeprefix(here.drive).lstrip("/")),
            data,
        )
    assert run("verify-bytecode") == CLEAN


def link(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    return make


#: The attacks that leave a file: what is planted beside an innocent `m.py`, what is said of it.
ATTACKS: list[tuple[str, dict[str, bytes | Callable[[Path], None]], list[tuple[str, str]]]] = [
    (
        "A1: unchecked hash, any hash",
        {cache_path(): hash_pyc(compile_source(EVIL), b"any", checked=False)},
        [(cache_path(), "PYC202"), (cache_path(), "PYC203")],
    ),
    (
        "A1c: unchecked, right hash",
        {cache_path(): hash_pyc(compile_source(EVIL), TRUE, checked=False)},
        [(cache_path(), "PYC202"), (cache_path(), "PYC203")],
    ),
    (
        "A2: checked hash of the true source",
        {cache_path(): hash_pyc(compile_source(EVIL), TRUE, checked=True)},
        [(cache_path(), "PYC202")],
    ),
    ("A2c: wrong hash", {cache_path(): WRONG_HASH}, [(cache_path(), "PYC201")]),
    (
        "A2e: flags 2",
        {cache_path(): timestamp_pyc(compile_source(EVIL), len(TRUE), flags=2)},
        [(cache_path(), "PYC202"), (cache_path(), "PYC206")],
    ),
    ("A3: time and size match", {cache_path(): forged_pyc()}, [(cache_path(), "PYC202")]),
    (
        "A3: another size",
        {cache_path(): timestamp_pyc(compile_source(EVIL), len(TRUE) + 1)},
        [(cache_path(), "PYC201")],
    ),
    (
        "A3: another time",
        {cache_path(): timestamp_pyc(compile_source(EVIL), len(TRUE), TIME + 1)},
        [(cache_path(), "PYC201")],
    ),
    ("A4: no source", {"foo.pyc": forged_pyc()}, [("foo.pyc", "PYC204")]),
    ("A4b: beside its source", {"m.pyc": forged_pyc()}, [("m.pyc", "PYC202")]),
    ("A4c: a package", {"m/__init__.pyc": forged_pyc()}, [("m/__init__.pyc", "PYC204")]),
    ("A4h: over the library", {"json.pyc": forged_pyc()}, [("json.pyc", "PYC204")]),
    ("A4i: at every start", {"sitecustomize.pyc": forged_pyc()}, [("sitecustomize.pyc", "PYC204")]),
    ("A4l: another magic", {"foo.pyc": OTHER}, [("foo.pyc", "PYC204")]),
    ("A4l: nobody's magic", {"foo.pyc": NOBODYS}, [("foo.pyc", "PYC205")]),
    ("A4n: plugins", {"plugins/0002_x.pyc": forged_pyc()}, [("plugins/0002_x.pyc", "PYC204")]),
    ("A5: a script", {"__main__.pyc": forged_pyc()}, [("__main__.pyc", "PYC204")]),
    ("A5b: any name", {"logo.bin": forged_pyc()}, [("logo.bin", "PYC204")]),
    ("A5b: a source's name", {"x.py": forged_pyc()}, [("x.py", "PYC204")]),
    ("A6: -O", {cache_path(more=".opt-1"): forged_pyc()}, [(cache_path(more=".opt-1"), "PYC202")]),
    ("A6: -OO", {cache_path(more=".opt-2"): forged_pyc()}, [(cache_path(more=".opt-2"), "PYC202")]),
    ("A6: -OOO", {cache_path(more=".opt-3"): forged_pyc()}, [(cache_path(more=".opt-3"), "PYC202")]),
    (
        "A9: a linked cache directory",
        {"assets/m." + TAG + ".pyc": forged_pyc(), "__pycache__": link("assets")},
        [(cache_path(), "PYC202"), (f"assets/m.{TAG}.pyc", "PYC202")],
    ),
    (
        "A9b: a linked file",
        {"logo.png": forged_pyc(), cache_path(): link("../logo.png")},
        [(cache_path(), "PYC202"), ("logo.png", "PYC204")],
    ),
    (
        "A17: a package's own",
        {"p/__init__.py": TRUE, "p/" + cache_path("__init__"): forged_pyc()},
        [("p/" + cache_path("__init__"), "PYC202")],
    ),
    (
        "A18: pytest's",
        {
            "conftest.py": TRUE,
            cache_path("conftest", "-pytest-9.2.0"): hash_pyc(compile_source(EVIL), TRUE, checked=True),
        },
        [(cache_path("conftest", "-pytest-9.2.0"), "PYC205")],
    ),
    (
        "import hooks'",
        {cache_path(more=".opt-typeguard460"): forged_pyc()},
        [(cache_path(more=".opt-typeguard460"), "PYC205")],
    ),
    (
        "A19: numba's pickles",
        {"__pycache__/m.f-1.py312.nbi": b"\x80\x04.", "__pycache__/m.f-1.py312.1.nbc": b"\x80\x04."},
        [("__pycache__/m.f-1.py312.1.nbc", "PYC205"), ("__pycache__/m.f-1.py312.nbi", "PYC205")],
    ),
    (
        "J1: Jython's",
        {"m$py.class": b"\xca\xfe\xba\xbe\0\0\0\x31", "n$py.class": b"\xca\xfe\xba\xbe\0\0\0\x31"},
        [("m$py.class", "PYC205"), ("n$py.class", "PYC204")],
    ),
    ("E5: a tuple in itself", {cache_path(): SELF_REFERENCE}, [(cache_path(), "PYC206")]),
    ("an orphan", {cache_path("gone"): forged_pyc()}, [(cache_path("gone"), "PYC205")]),
    ("another tag", {"__pycache__/m.cpython-36.pyc": forged_pyc()}, [("__pycache__/m.cpython-36.pyc", "PYC207")]),
    ("empty", {cache_path(): b""}, [(cache_path(), "PYC206")]),
    ("a header alone", {cache_path(): matching_pyc()[:16]}, [(cache_path(), "PYC206")]),
    ("truncated", {cache_path(): matching_pyc()[:-1]}, [(cache_path(), "PYC206")]),
    ("a tail", {cache_path(): matching_pyc() + b"\0"}, [(cache_path(), "PYC206")]),
    ("a tail without a source", {"foo.pyc": matching_pyc() + b"\0"}, [("foo.pyc", "PYC206")]),
    ("no magic", {cache_path(): b"x = 1\n"}, [(cache_path(), "PYC206")]),
]  # fmt: skip


def plant(here: Path, files: dict[str, bytes | Callable[[Path], None]]) -> None:
    write_file(here / "m.py", INNOCENT)
    for path, made in files.items():
        if callable(made):
            made(here / path)
        else:
            write_file(here / path, made)


@pytest.mark.parametrize(
    ("files", "expected"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS]
)
def test_attacks(
    here: Path,
    run: Run,
    files: dict[str, bytes | Callable[[Path], None]],
    expected: list[tuple[str, str]],
) -> None:
    plant(here, files)
    result = run("verify-bytecode", "--format", "json")
    assert (result.code, result.err) == (1, "")
    assert codes(result) == sorted(expected)


def in_index(code: str, name: str) -> str:
    """Where an index cannot tell that a file is stale by its time, it could be made to match."""
    return "PYC202" if name == "A3: another time" else code


@pytest.mark.parametrize(("name", "files", "expected"), ATTACKS, ids=[row[0] for row in ATTACKS])
def test_attacks_in_the_index(
    repo: Repo,
    run: Run,
    name: str,
    files: dict[str, bytes | Callable[[Path], None]],
    expected: list[tuple[str, str]],
) -> None:
    plant(repo.path, files)
    repo.git("add", "-A", "-f")
    for path in files:
        (repo.path / path).unlink()
    (repo.path / "m.py").write_text("raise SystemExit\n")
    result = run("verify-bytecode", "--tracked", "--format", "json")
    assert (result.code, result.err) == (1, "")
    assert codes(result) == sorted((path, in_index(code, name)) for path, code in expected)


def of_other(source: str = INNOCENT) -> bytes:
    """Return a file of a Python that is nowhere, which would be run for `source`."""
    return OTHER[:8] + matching_pyc(source)[8:16] + OTHER[16:]


def test_run_without_bytecode_reports_that_there_is_none(
    repo: Repo, run: Run, program: Program
) -> None:
    repo.add("m.py", INNOCENT)
    nothing = (0, "OK: no bytecode file is tracked.\n", "")
    assert run("verify-bytecode", "--tracked") == nothing
    assert program("verify-bytecode", "--tracked") == nothing
    assert run("verify-bytecode", "--tracked", "--ignore", "PYC205") == nothing
    below = "OK: no bytecode file is tracked below the given paths.\n"
    assert run("verify-bytecode", "--tracked", "m.py") == (0, below, "")
    assert run("verify-bytecode") == (0, "OK: no bytecode file found.\n", "")
    assert run("verify-bytecode", "--tracked", "--format", "json").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")
def test_mismatch_is_reported(here: Path, run: Run, program: Program) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), forged_pyc())
    result = run("verify-bytecode", "--quiet")
    assert result == (
        1,
        (
            f"{cache_path()}: PYC202 it is not what {COMPILER} compiles m.py to:"
            f" {describe_greeting()} differs. Python runs it, because time and size match its source\n\nTo fix:\n"
            f"    rm -f -- {cache_path()}\n"
        ),
        "",
    )
    assert program("verify-bytecode", "--quiet", cwd=here) == result
    assert program("verify-bytecode", "--quiet", "--tracked", cwd=here).code == 2  # no repository


@pytest.mark.usefixtures("only_this_python")
def test_no_interpreter(here: Path, run: Run) -> None:
    magic = identify_magic(OTHER)
    assert magic is not None
    write_file(here / "m.py", INNOCENT)
    write_file(here / OTHER_PATH, of_other())
    result = run("verify-bytecode", "--quiet")
    assert result == (
        1,
        (
            f"{OTHER_PATH}: PYC205 cannot be compared: no CPython {magic.version} with magic number"
            f" {magic.number} is available; install it, or name it with `--python EXE`\n"
        ),
        "",
    )
    assert run("verify-bytecode", "--allow-unverifiable") == CLEAN


@pytest.mark.usefixtures("only_this_python")
def test_unverifiable_is_allowed_and_nothing_else(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / OTHER_PATH, of_other())
    write_file(here / "foo.pyc", forged_pyc())
    result = run("verify-bytecode", "--allow-unverifiable", "--format", "json")
    assert codes(result) == [("foo.pyc", "PYC204")]


def test_unchecked_hash_and_its_remedy(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    for more, level in ("", 0), (".opt-1", 1):
        write_file(
            here / cache_path(more=more),
            hash_pyc(compile_source(INNOCENT, level), TRUE, checked=False),
        )
    result = run("verify-bytecode", "--format", "json")
    assert codes(result) == [(cache_path(more=".opt-1"), "PYC203"), (cache_path(), "PYC203")]
    for finding in json.loads(result.out)["findings"]:
        command = finding["remedy"].split()
        subprocess.run([sys.executable, *command[1:]], check=True, stdout=subprocess.DEVNULL)
    assert run("verify-bytecode") == CLEAN


@pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")
def test_a_comment_makes_a_hash_stale(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT + "#")
    write_file(here / cache_path(), hash_pyc(compile_source(INNOCENT), TRUE, checked=True))
    result = run("verify-bytecode")
    assert result.out.startswith(f"{cache_path()}: PYC201 stale: the source's hash differs\n")


#: Where interpreters are; the tests themselves have an empty home.
PERSON = os.path.expanduser("~")
WINDOWS = INNOCENT.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (timestamp_pyc(compile_source(WINDOWS), len(WINDOWS)), 0),
        (hash_pyc(compile_source(WINDOWS), WINDOWS, checked=True), 0),
        (timestamp_pyc(compile_source(EVIL), len(WINDOWS)), 1),
        (hash_pyc(compile_source(EVIL), WINDOWS, checked=True), 1),
    ],
)
def test_made_from_other_line_ends(repo: Repo, run: Run, data: bytes, code: int) -> None:
    repo.add("m.py", INNOCENT)
    repo.add(cache_path(), data)
    result = run("verify-bytecode", "--tracked", "--format", "json")
    assert codes(result) == [(cache_path(), "PYC202")] * code


def test_source_that_does_not_compile(here: Path, run: Run) -> None:
    write_file(here / "m.py", "def (:\n")
    write_file(here / cache_path(), timestamp_pyc(compile_source(EVIL), len("def (:\n")))
    result = run("verify-bytecode")
    assert f"PYC202 its source does not compile with {COMPILER} " in result.out
    assert "(SyntaxError, line 1). Python runs it, because" in result.out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "m.pyc",
            "Python runs it if the source is removed, or from a zip file, because time and",
        ),
        ("m.pyo", "Python 3.5 and later do not use .pyo; earlier versions run it with -O"),
    ],
)
def test_beside_its_source(here: Path, run: Run, name: str, why: str) -> None:
    """`inspect` says that the source comes first; then this must not say that it does not."""
    write_file(here / "m.py", INNOCENT)
    write_file(here / name, forged_pyc())
    result = run("verify-bytecode")
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith(f"{name}: PYC202 it is not what {COMPILER} ")
    assert f" differs. {why}" in result.out


def test_source_that_is_too_much(here: Path, run: Run) -> None:
    source = f"x = {'-' * 90_000}1\n"
    write_file(here / "m.py", source)
    write_file(here / cache_path(), timestamp_pyc(compile_source("x = 1\n"), len(source)))
    result = run("verify-bytecode")
    assert f"PYC205 cannot be compared: {COMPILER} " in result.out
    assert "could not compile its source: " in result.out


has_line_tables = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="a line table without lines is cut off in PyPy"
)


@has_line_tables
def test_other_line_tables_are_counted_apart(here: Path, run: Run) -> None:
    data = timestamp_pyc(without_lines(compile_source(INNOCENT)), len(TRUE))
    words = f"only in line tables from what {COMPILER} compiles, as with another patch level, and"
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), data)
    note = f"1 file ({cache_path()}) differs {words} is not counted as verified.\n"
    ok = "OK: 0 of 1 bytecode file verified, 1 file with other line tables.\n"
    assert run("verify-bytecode") == (0, ok + note, "")
    assert run("verify-bytecode", "--quiet") == (0, "", "")
    assert run("verify-bytecode", "--format", "github") == (0, "", f"note: {note}")
    write_file(here / "n.py", INNOCENT)
    write_file(here / cache_path("n"), data)
    write_file(here / "o.py", INNOCENT)
    write_file(here / cache_path("o"), matching_pyc())
    result = run("verify-bytecode", "--format", "json")
    report = json.loads(result.out)
    note = f"2 files ({cache_path()}, …) differ {words} are not counted as verified."
    assert (result.err, report["notes"], report["checked"]) == ("", [note], 3)
    assert report["other_lines"] == {COMPILER: [cache_path(), cache_path("n")]}
    assert (report["lines_differ"], report["verified"]) == (2, 1)


has_flow_table = pytest.mark.skipif(
    sys.version_info < (3, 11) or sys.implementation.name != "cpython",
    reason="other layouts are compared for CPython 3.11 and later",
)


@has_flow_table
def test_other_layouts_are_counted_apart(here: Path, run: Run) -> None:
    data = timestamp_pyc(without_lines(with_nop(compile_source(INNOCENT))), len(TRUE))
    words = (
        f" the same instructions as what {COMPILER} compiles, but not stored in the same order, as with"
        " another patch level, and"
    )
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), data)
    note = f"1 file ({cache_path()}) executes{words} is not counted as verified.\n"
    ok = "OK: 0 of 1 bytecode file verified, 1 file with the same instructions in another order.\n"
    assert run("verify-bytecode") == (0, ok + note, "")
    write_file(here / "n.py", INNOCENT)
    write_file(here / cache_path("n"), data)
    report = json.loads(run("verify-bytecode", "--format", "json").out)
    note = f"2 files ({cache_path()}, …) execute{words} are not counted as verified."
    assert report["notes"] == [note]
    assert report["other_layout"] == {COMPILER: [cache_path(), cache_path("n")]}
    assert (report["layout_differs"], report["verified"]) == (2, 0)


@has_flow_table
def test_other_layout_with_a_line_table_of_another_size_is_a_mismatch(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), timestamp_pyc(with_nop(compile_source(INNOCENT)), len(TRUE)))
    result = run("verify-bytecode")
    assert result.code == 1
    assert re.search(r"PYC202 .*: the line table of <module> covers \d+ bytes of \d+", result.out)


@has_flow_table
def test_other_stack_size_alone_is_a_mismatch(here: Path, run: Run) -> None:
    """Patch levels that store the same instructions write the same stack size."""
    code = compile_source(INNOCENT)
    larger = code.replace(co_stacksize=code.co_stacksize + 1)
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), timestamp_pyc(larger, len(TRUE)))
    result = run("verify-bytecode")
    assert result.code == 1
    assert "PYC202" in result.out


@has_line_tables
def test_unreadable_file_leaves_no_ok_line(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(
        here / cache_path(), timestamp_pyc(without_lines(compile_source(INNOCENT)), len(TRUE))
    )
    (here / "loop.pyc").symlink_to("loop.pyc")
    result = run("verify-bytecode")
    assert (result.code, result.out) == (2, "")
    note, error = result.err.splitlines()
    assert note.startswith(f"note: 1 file ({cache_path()}) differs only in line tables")
    assert error.startswith("error: loop.pyc: ")
    report = json.loads(run("verify-bytecode", "--format", "json").out)
    assert (report["checked"], len(report["notes"])) == (1, 1)


@pytest.mark.parametrize(
    ("source", "may_be_patch_level"),
    [("def f(a, b):\n    return a - b\n", True), ("def f(a, b):\n    return a - 1\n", False)],
    ids=["other instructions", "another constant"],
)
def test_mismatch_in_instructions_alone_names_patch_levels(
    here: Path, run: Run, source: str, may_be_patch_level: bool
) -> None:
    """It stays a mismatch: an attacker can change instructions alone."""
    true = "def f(a, b):\n    return a + b\n"
    write_file(here / "m.py", true)
    write_file(here / cache_path(), timestamp_pyc(compile_source(source), len(true)))
    result = run("verify-bytecode")
    assert result.code == 1
    assert "PYC202" in result.out
    words = f"or it was compiled by another patch level of {WRITER}"
    assert (words in result.out) is may_be_patch_level


@pytest.mark.skipif(
    sys.version_info < (3, 11) or sys.implementation.name != "cpython",
    reason="nothing is specialised before CPython 3.11",
)
@pytest.mark.parametrize(
    ("path", "code"),
    [(cache_path(more="-pytest-9.2.0"), "PYC202"), ("foo.pyc", "PYC204"), (cache_path(), "PYC202")],
)
def test_what_no_compiler_writes(here: Path, run: Run, path: str, code: str) -> None:
    data = matching_pyc()
    instructions = compile_source(INNOCENT).co_code
    at = data.index(instructions[:2])
    write_file(here / "m.py", INNOCENT)
    write_file(here / path, data[:at] + b"\xff" + data[at + 1 :])
    result = run("verify-bytecode")
    assert result.out.startswith(f"{path}: {code} ")
    assert (
        "<module> contains what no compiler writes: opcode 255 is never written to files"
        in result.out
    )


def interpreters() -> dict[str, str]:
    """Return other interpreters of this machine, by version."""
    found = {}
    for path in find_candidates("0"):
        match = re.search(r"/(\d+\.\d+)\.\d+/bin/python[\d.]*$", path)
        if match:
            found[match[1]] = path
    return found


OTHERS = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
MODULE = """\
import os
class Greeter(object):
    '''Doc.'''
    numbers = frozenset([1, 2, 3])
    def greet(self, name, n=1.0, s=(1, 2j, b'x')):
        assert name, 'nobody'
        return [u'hello ' + name for _ in range(3) if name or __debug__]
"""


@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("options", [[], ["-O"], ["-OO"]], ids=["0", "1", "2"])
def test_other_interpreters(
    here: Path, run: Run, monkeypatch: pytest.MonkeyPatch, version: str, options: list[str]
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, PERSON)
    python = interpreters().get(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    write_file(here / "m.py", MODULE)
    subprocess.run([python, *options, "-m", "compileall", "-q", "."], check=True)
    assert run("verify-bytecode", "--python", python) == CLEAN
    write_file(here / "m.py", MODULE.replace("hello", "HELLO"))
    assert [code for _, code in codes(run("verify-bytecode", "--format", "json"))] == ["PYC202"]


@pytest.mark.parametrize("name", ["/nowhere/python", os.devnull, "git"])
def test_no_such_python(here: Path, run: Run, name: str) -> None:
    code, out, err = run("verify-bytecode", "--python", name)
    assert (code, out) == (2, "")
    is_found = name.startswith("/") or (name == "git" and HAS_GIT)  # the null device is on no PATH
    why = "does not answer as an interpreter does" if is_found else "not found on PATH"
    assert err == f"error: --python {name}: {why}\n"


def test_what_cannot_be_read(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / cache_path(), forged_pyc())
    (here / "loop.pyc").symlink_to("loop.pyc")
    (here / "gone.pyc").symlink_to("nowhere")
    (here / "device.pyc").symlink_to("/dev/zero")
    os.mkfifo(here / "fifo.pyc")
    (here / "branch.pyc").mkdir()
    (here / "other").symlink_to("nowhere")
    write_file(here / "large.pyc", matching_pyc())
    os.truncate(here / "large.pyc", (64 << 20) + 1)
    result = run("verify-bytecode", "--format", "json")
    assert codes(result) == [(cache_path(), "PYC202")]
    assert result.code == 2
    assert result.err.splitlines() == [
        "error: device.pyc: is not a regular file",
        "error: fifo.pyc: is not a regular file",
        f"error: gone.pyc: {words_of_missing_file()}",
        "error: large.pyc: is larger than 64 MiB",
        "error: loop.pyc: Too many levels of symbolic links",
    ]


def test_paths(here: Path, run: Run) -> None:
    for top in "a", "b":
        write_file(here / top / "m.py", INNOCENT)
        write_file(here / top / cache_path(), forged_pyc())
    write_file(here / "text", "x")
    in_json = ["verify-bytecode", "--format", "json"]
    assert codes(run(*in_json, "a")) == [(f"a/{cache_path()}", "PYC202")]
    assert codes(run(*in_json, f"b/{cache_path()}")) == [(f"b/{cache_path()}", "PYC202")]
    assert (
        run("verify-bytecode", "text").err
        == "error: text: is not bytecode, by name or by content\n"
    )
    missing = run("verify-bytecode", "nowhere")
    assert missing == (2, "", f"error: nowhere: {words_of_missing_file()}\n")
    assert run("verify-bytecode", "").code == 2


def test_tracked_paths(repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for top in "a", "b":
        repo.add(f"{top}/m.py", INNOCENT)
        repo.add(f"{top}/{cache_path()}", forged_pyc())
    repo.add("logo.bin", forged_pyc())
    tracked = ["verify-bytecode", "--tracked", "--format", "json"]
    everything = [f"a/{cache_path()}", f"b/{cache_path()}", "logo.bin"]
    assert [path for path, _ in codes(run(*tracked))] == everything
    assert codes(run(*tracked, "a")) == [(f"a/{cache_path()}", "PYC202")]
    monkeypatch.chdir(repo.path / "b")
    result = run(*tracked, "__pycache__")
    assert codes(result) == [(f"b/{cache_path()}", "PYC202")]
    remedy = json.loads(result.out)["findings"][0]["remedy"]
    assert remedy == f"git rm -r -f --cached -- ':(top)b/{cache_path()}'"
    assert run(*tracked, "nowhere").code == 2


def test_index_that_is_odd(repo: Repo, run: Run) -> None:
    repo.add("m.py", INNOCENT)
    repo.stage("out.pyc", "../elsewhere", mode="120000")
    repo.stage("loop.pyc", "loop.pyc", mode="120000")
    repo.stage("sub.pyc", "0" * 39 + "1", mode="160000")
    repo.stage("n.pyc", matching_pyc(), stage=1)
    repo.stage("n.pyc", forged_pyc(), stage=2)
    repo.stage("__pycache__/README", "not bytecode")
    repo.stage("large.pyc", matching_pyc() + bytes(64 << 20))
    result = run("verify-bytecode", "--tracked", "--format", "json")
    assert codes(result) == [("n.pyc", "PYC204")]
    assert result.err.splitlines() == [
        "error: large.pyc: is larger than 64 MiB",
        "error: loop.pyc: too many levels of symbolic links",
        "error: n.pyc: is in conflict: resolve it first",
        "error: out.pyc: the target of the symbolic link is not tracked",
        "error: sub.pyc: is not a file in the index",
    ]


def test_hook_where_nothing_is_bytecode(repo: Repo, run: Run, program: Program) -> None:
    assert run("verify-bytecode", "--tracked") == CLEAN
    repo.add("logo.bin", forged_pyc())
    assert program("verify-bytecode", "--quiet", "--tracked").code == 1


UNREADABLE_FORMATS = [
    (f"__pycache__/m.{tag}.pyc", number.to_bytes(2, "little") + matching_pyc()[2:])
    for tag, number in (("graalpy250-312", 21290), ("rustpython-313", 2994))
]


@pytest.mark.parametrize(("path", "data"), UNREADABLE_FORMATS)
def test_formats_that_are_not_cpythons(here: Path, run: Run, path: str, data: bytes) -> None:
    write_file(here / "m.py", INNOCENT)
    write_file(here / path, data)
    result = run("verify-bytecode")
    assert f"{path}: PYC205 cannot be compared: the code of " in result.out
    stale = hash_pyc(compile_source(EVIL), b"other", checked=True)
    write_file(here / cache_path(more="-pytest-9.2.0"), stale)
    assert "PYC201 stale: the source's hash differs" in run("verify-bytecode").out


def test_pypy_cache_with_the_magic_of_cpython_names_both(here: Path, run: Run) -> None:
    """PyPy 3.9 wrote the number of CPython 3.9, whose compiler makes other code."""
    write_file(here / "m.py", INNOCENT)
    path, data = "__pycache__/m.pypy39.pyc", foreign_pyc("cpython-39")
    write_file(here / path, data[:4] + matching_pyc()[4:16] + data[16:])
    result = run("verify-bytecode")
    assert result.code == 1
    assert result.out.startswith(
        f"{path}: PYC205 cannot be compared: PyPy wrote it under the magic number of CPython 3.9\n"
    )


@pytest.mark.usefixtures("only_this_python")
def test_tampered_code_of_nobody_here(here: Path, run: Run) -> None:
    data = of_other()
    instructions = read_pyc(data).code.code
    at = data.index(instructions)
    write_file(here / "m.py", INNOCENT)
    write_file(here / OTHER_PATH, data[:at] + b"\xff" + data[at + 1 :])
    result = run("verify-bytecode")
    words = f"m.{OTHER_TAG}.pyc: PYC202 no source compiles to it; <module> contains what no"
    assert words in result.out


def test_sources_that_cannot_be_read(here: Path, run: Run) -> None:
    write_file(here / "m.py", INNOCENT)
    os.truncate(here / "m.py", (64 << 20) + 1)
    os.utime(here / "m.py", (TIME, TIME))
    write_file(here / cache_path(), timestamp_pyc(compile_source(INNOCENT), (64 << 20) + 1))
    write_file(here / OTHER_PATH, by_hash_of_other())
    expected = "error: m.py: is larger than 64 MiB\n"
    assert run("verify-bytecode", "--quiet") == (2, "", expected)
    (here / "n.py").mkdir()
    write_file(here / "n.pyc", matching_pyc())
    assert codes(run("verify-bytecode", "--format", "json")) == [("n.pyc", "PYC204")]


def by_hash_of_other() -> bytes:
    """Return a checked-hash file of a Python that is nowhere."""
    return OTHER[:4] + b"\3\0\0\0" + bytes(8) + OTHER[16:]
