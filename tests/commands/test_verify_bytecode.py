from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.compilers.places import candidates
from pycs import EVIL
from pycs import INNOCENT
from pycs import TAG
from pycs import TIME
from pycs import by_hash
from pycs import by_time
from pycs import cached
from pycs import compiled
from pycs import foreign
from pycs import forged
from pycs import honest
from pycs import put
from pycs import without_lines
from told import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program
    from conftest import Run
    from repo import Repo
    from repo import Result

TRUE = INNOCENT.encode()
WRONG_HASH = by_hash(compiled(EVIL), b"other", checked=True)
SELF_REFERENCE = honest()[:16] + b"\xa9\x01r\0\0\0\0"
#: Of a Python that is nowhere here.
NEWER = foreign("cpython-314")
NOBODYS = b"\x01\x00\r\n" + honest()[4:]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def codes(told: Result) -> list[tuple[str, str]]:
    """Return path and code of each finding in a report in JSON."""
    report = json.loads(told.out)
    return [(finding["path"], finding["code"]) for finding in report["findings"]]


HONEST: list[tuple[str, dict[str, bytes]]] = [
    ("timestamp", {cached(): honest()}),
    ("checked hash", {cached(): by_hash(compiled(INNOCENT), TRUE, checked=True)}),
    ("-O", {cached(more=".opt-1"): honest(level=1)}),
    ("-OO", {cached(more=".opt-2"): honest(level=2)}),
    ("-OOO", {cached(more=".opt-3"): honest(level=2)}),
    ("another file name", {cached(): by_time(compiled(INNOCENT, 0, "/p/ü.py"), len(TRUE))}),
    ("a long file name", {cached(): by_time(compiled(INNOCENT, 0, "/p" * 200), len(TRUE))}),
    ("another time", {cached(): by_time(compiled(INNOCENT), len(TRUE), TIME + 5)}),
    ("legacy", {"m.pyc": honest()}),
    ("a leftover", {cached() + ".1234": honest()}),
    ("a tree of PYTHONPYCACHEPREFIX", {f"prefix/{{here}}/m.{TAG}.pyc": honest()}),
]


@pytest.mark.parametrize(
    ("files"), [files for _, files in HONEST], ids=[name for name, _ in HONEST]
)
def test_honest_files(here: Path, run: Run, files: dict[str, bytes]) -> None:
    put(here / "m.py", INNOCENT)
    for path, data in files.items():
        put(here / path.replace("{here}", os.fspath(here).lstrip("/")), data)
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
        {cached(): by_hash(compiled(EVIL), b"any", checked=False)},
        [(cached(), "PYC202"), (cached(), "PYC203")],
    ),
    (
        "A1c: unchecked, right hash",
        {cached(): by_hash(compiled(EVIL), TRUE, checked=False)},
        [(cached(), "PYC202"), (cached(), "PYC203")],
    ),
    (
        "A2: checked hash of the true source",
        {cached(): by_hash(compiled(EVIL), TRUE, checked=True)},
        [(cached(), "PYC202")],
    ),
    ("A2c: wrong hash", {cached(): WRONG_HASH}, [(cached(), "PYC201")]),
    (
        "A2e: flags 2",
        {cached(): by_time(compiled(EVIL), len(TRUE), flags=2)},
        [(cached(), "PYC202"), (cached(), "PYC206")],
    ),
    ("A3: time and size match", {cached(): forged()}, [(cached(), "PYC202")]),
    (
        "A3: another size",
        {cached(): by_time(compiled(EVIL), len(TRUE) + 1)},
        [(cached(), "PYC201")],
    ),
    (
        "A3: another time",
        {cached(): by_time(compiled(EVIL), len(TRUE), TIME + 1)},
        [(cached(), "PYC201")],
    ),
    ("A4: no source", {"foo.pyc": forged()}, [("foo.pyc", "PYC204")]),
    ("A4b: beside its source", {"m.pyc": forged()}, [("m.pyc", "PYC202")]),
    ("A4c: a package", {"m/__init__.pyc": forged()}, [("m/__init__.pyc", "PYC204")]),
    ("A4h: over the library", {"json.pyc": forged()}, [("json.pyc", "PYC204")]),
    ("A4i: at every start", {"sitecustomize.pyc": forged()}, [("sitecustomize.pyc", "PYC204")]),
    ("A4l: another magic", {"foo.pyc": NEWER}, [("foo.pyc", "PYC204")]),
    ("A4l: nobody's magic", {"foo.pyc": NOBODYS}, [("foo.pyc", "PYC205")]),
    ("A4n: plugins", {"plugins/0002_x.pyc": forged()}, [("plugins/0002_x.pyc", "PYC204")]),
    ("A5: a script", {"__main__.pyc": forged()}, [("__main__.pyc", "PYC204")]),
    ("A5b: any name", {"logo.bin": forged()}, [("logo.bin", "PYC204")]),
    ("A5b: a source's name", {"x.py": forged()}, [("x.py", "PYC204")]),
    ("A6: -O", {cached(more=".opt-1"): forged()}, [(cached(more=".opt-1"), "PYC202")]),
    ("A6: -OO", {cached(more=".opt-2"): forged()}, [(cached(more=".opt-2"), "PYC202")]),
    ("A6: -OOO", {cached(more=".opt-3"): forged()}, [(cached(more=".opt-3"), "PYC202")]),
    (
        "A9: a linked cache directory",
        {"assets/m." + TAG + ".pyc": forged(), "__pycache__": link("assets")},
        [(cached(), "PYC202"), (f"assets/m.{TAG}.pyc", "PYC202")],
    ),
    (
        "A9b: a linked file",
        {"logo.png": forged(), cached(): link("../logo.png")},
        [(cached(), "PYC202"), ("logo.png", "PYC204")],
    ),
    (
        "A17: a package's own",
        {"p/__init__.py": TRUE, "p/" + cached("__init__"): forged()},
        [("p/" + cached("__init__"), "PYC202")],
    ),
    (
        "A18: pytest's",
        {
            "conftest.py": TRUE,
            cached("conftest", "-pytest-9.2.0"): by_hash(compiled(EVIL), TRUE, checked=True),
        },
        [(cached("conftest", "-pytest-9.2.0"), "PYC205")],
    ),
    (
        "import hooks'",
        {cached(more=".opt-typeguard460"): forged()},
        [(cached(more=".opt-typeguard460"), "PYC205")],
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
    ("E5: a tuple in itself", {cached(): SELF_REFERENCE}, [(cached(), "PYC206")]),
    ("an orphan", {cached("gone"): forged()}, [(cached("gone"), "PYC205")]),
    ("another tag", {"__pycache__/m.cpython-36.pyc": forged()}, [("__pycache__/m.cpython-36.pyc", "PYC207")]),
    ("empty", {cached(): b""}, [(cached(), "PYC206")]),
    ("a header alone", {cached(): honest()[:16]}, [(cached(), "PYC206")]),
    ("truncated", {cached(): honest()[:-1]}, [(cached(), "PYC206")]),
    ("a tail", {cached(): honest() + b"\0"}, [(cached(), "PYC206")]),
    ("a tail without a source", {"foo.pyc": honest() + b"\0"}, [("foo.pyc", "PYC206")]),
    ("no magic", {cached(): b"x = 1\n"}, [(cached(), "PYC206")]),
]  # fmt: skip


def plant(here: Path, files: dict[str, bytes | Callable[[Path], None]]) -> None:
    put(here / "m.py", INNOCENT)
    for path, made in files.items():
        if callable(made):
            made(here / path)
        else:
            put(here / path, made)


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
    told = run("verify-bytecode", "--format", "json")
    assert (told.code, told.err) == (1, "")
    assert codes(told) == sorted(expected)


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
    told = run("verify-bytecode", "--tracked", "--format", "json")
    assert (told.code, told.err) == (1, "")
    assert codes(told) == sorted((path, in_index(code, name)) for path, code in expected)


def newer(source: str = INNOCENT) -> bytes:
    """Return a file of a Python that is nowhere, which would be run for `source`."""
    return NEWER[:8] + honest(source)[8:16] + NEWER[16:]


def test_nothing_to_say(repo: Repo, run: Run, program: Program) -> None:
    repo.add("m.py", INNOCENT)
    assert run("verify-bytecode", "--tracked") == CLEAN
    assert program("verify-bytecode", "--tracked") == CLEAN
    assert run("verify-bytecode", "--tracked", "--format", "json").code == 0


def test_mismatch_is_told(here: Path, run: Run, program: Program) -> None:
    put(here / "m.py", INNOCENT)
    put(here / cached(), forged())
    version = platform.python_version()
    told = run("verify-bytecode", "--quiet")
    assert told == (
        1,
        (
            f"{cached()}: PYC202 it is not what CPython {version} compiles m.py to: consts[1] of greet"
            " differs. Python runs it, because time and size are its source's\n\nTo fix:\n"
            f"    rm -f -- {cached()}\n"
        ),
        "",
    )
    assert program("verify-bytecode", "--quiet", cwd=here) == told
    assert program("verify-bytecode", "--quiet", "--tracked", cwd=here).code == 2  # no repository


def test_no_interpreter(here: Path, run: Run) -> None:
    put(here / "m.py", INNOCENT)
    put(here / "__pycache__/m.cpython-314.pyc", newer())
    told = run("verify-bytecode", "--quiet")
    assert told == (
        1,
        (
            "__pycache__/m.cpython-314.pyc: PYC205 cannot be compared: there is no CPython 3.14 here with"
            " magic number 3627\n\nTo fix:\n    pycache-guard verify-bytecode --python python3.14\n"
        ),
        "",
    )
    assert run("verify-bytecode", "--allow-unverifiable") == CLEAN


def test_unverifiable_is_allowed_and_nothing_else(here: Path, run: Run) -> None:
    put(here / "m.py", INNOCENT)
    put(here / "__pycache__/m.cpython-314.pyc", newer())
    put(here / "foo.pyc", forged())
    told = run("verify-bytecode", "--allow-unverifiable", "--format", "json")
    assert codes(told) == [("foo.pyc", "PYC204")]


def test_unchecked_hash_and_its_remedy(here: Path, run: Run) -> None:
    put(here / "m.py", INNOCENT)
    for more, level in ("", 0), (".opt-1", 1):
        put(here / cached(more=more), by_hash(compiled(INNOCENT, level), TRUE, checked=False))
    told = run("verify-bytecode", "--format", "json")
    assert codes(told) == [(cached(more=".opt-1"), "PYC203"), (cached(), "PYC203")]
    for finding in json.loads(told.out)["findings"]:
        command = finding["remedy"].split()
        subprocess.run([sys.executable, *command[1:]], check=True, stdout=subprocess.DEVNULL)
    assert run("verify-bytecode") == CLEAN


def test_a_comment_makes_a_hash_stale(here: Path, run: Run) -> None:
    put(here / "m.py", INNOCENT + "#")
    put(here / cached(), by_hash(compiled(INNOCENT), TRUE, checked=True))
    told = run("verify-bytecode")
    assert told.out.startswith(f"{cached()}: PYC201 stale: its source has another hash\n")


#: Where interpreters are; the tests themselves have an empty home.
PERSON = os.path.expanduser("~")
WINDOWS = INNOCENT.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (by_time(compiled(WINDOWS), len(WINDOWS)), 0),
        (by_hash(compiled(WINDOWS), WINDOWS, checked=True), 0),
        (by_time(compiled(EVIL), len(WINDOWS)), 1),
        (by_hash(compiled(EVIL), WINDOWS, checked=True), 1),
    ],
)
def test_made_from_other_line_ends(repo: Repo, run: Run, data: bytes, code: int) -> None:
    repo.add("m.py", INNOCENT)
    repo.add(cached(), data)
    told = run("verify-bytecode", "--tracked", "--format", "json")
    assert codes(told) == [(cached(), "PYC202")] * code


def test_source_that_does_not_compile(here: Path, run: Run) -> None:
    put(here / "m.py", "def (:\n")
    put(here / cached(), by_time(compiled(EVIL), len("def (:\n")))
    told = run("verify-bytecode")
    assert "PYC202 its source does not compile with CPython" in told.out
    assert "(SyntaxError, line 1). Python runs it, because" in told.out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "m.pyc",
            "Python runs it where the source is gone, and out of a zip file, because time and",
        ),
        ("m.pyo", "Python 3.5 and later look for no .pyo; earlier ones run it with -O"),
    ],
)
def test_beside_its_source(here: Path, run: Run, name: str, why: str) -> None:
    """`inspect` says that the source comes first; then this must not say that it does not."""
    put(here / "m.py", INNOCENT)
    put(here / name, forged())
    told = run("verify-bytecode")
    assert (told.code, told.err) == (1, "")
    assert told.out.startswith(f"{name}: PYC202 it is not what CPython ")
    assert f" differs. {why}" in told.out


def test_source_that_is_too_much(here: Path, run: Run) -> None:
    source = f"x = {'-' * 90_000}1\n"
    put(here / "m.py", source)
    put(here / cached(), by_time(compiled("x = 1\n"), len(source)))
    told = run("verify-bytecode")
    assert "PYC205 cannot be compared: CPython" in told.out
    assert "could not compile its source: " in told.out


def test_other_line_tables_are_counted_apart(here: Path, run: Run) -> None:
    data = by_time(without_lines(compiled(INNOCENT)), len(TRUE))
    compiler = f"CPython {platform.python_version()}"
    words = f"from what {compiler} compiles in line tables alone, as with other patch levels, and"
    put(here / "m.py", INNOCENT)
    put(here / cached(), data)
    note = f"note: 1 file differs {words} is not counted as verified: {cached()}\n"
    assert run("verify-bytecode", "--quiet") == (0, "", note)
    put(here / "n.py", INNOCENT)
    put(here / cached("n"), data)
    put(here / "o.py", INNOCENT)
    put(here / cached("o"), honest())
    told = run("verify-bytecode", "--format", "json")
    assert told.err == f"note: 2 files differ {words} are not counted as verified: {cached()}, …\n"
    report = json.loads(told.out)
    assert report["other_lines"] == {compiler: [cached(), cached("n")]}
    assert (report["lines_differ"], report["verified"]) == (2, 1)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="nothing is specialised before 3.11")
@pytest.mark.parametrize(
    ("path", "code"),
    [(cached(more="-pytest-9.2.0"), "PYC202"), ("foo.pyc", "PYC204"), (cached(), "PYC202")],
)
def test_what_no_compiler_writes(here: Path, run: Run, path: str, code: str) -> None:
    data = honest()
    instructions = compiled(INNOCENT).co_code
    at = data.index(instructions[:2])
    put(here / "m.py", INNOCENT)
    put(here / path, data[:at] + b"\xff" + data[at + 1 :])
    told = run("verify-bytecode")
    assert told.out.startswith(f"{path}: {code} ")
    assert (
        "<module> holds what no compiler writes: opcode 255 is never written to files" in told.out
    )


def interpreters() -> dict[str, str]:
    """Return other interpreters of this machine, by version."""
    found = {}
    for path in candidates("0"):
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
    monkeypatch.setenv("HOME", PERSON)
    python = interpreters().get(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    put(here / "m.py", MODULE)
    subprocess.run([python, *options, "-m", "compileall", "-q", "."], check=True)
    assert run("verify-bytecode", "--python", python) == CLEAN
    put(here / "m.py", MODULE.replace("hello", "HELLO"))
    assert [code for _, code in codes(run("verify-bytecode", "--format", "json"))] == ["PYC202"]


@pytest.mark.parametrize("name", ["/nowhere/python", os.devnull, "git"])
def test_no_such_python(here: Path, run: Run, name: str) -> None:
    expected = f"error: --python {name}: does not answer as an interpreter does\n"
    assert run("verify-bytecode", "--python", name) == (2, "", expected)


def test_what_cannot_be_read(here: Path, run: Run) -> None:
    put(here / "m.py", INNOCENT)
    put(here / cached(), forged())
    (here / "loop.pyc").symlink_to("loop.pyc")
    (here / "gone.pyc").symlink_to("nowhere")
    (here / "device.pyc").symlink_to("/dev/zero")
    os.mkfifo(here / "fifo.pyc")
    (here / "branch.pyc").mkdir()
    (here / "other").symlink_to("nowhere")
    put(here / "large.pyc", honest())
    os.truncate(here / "large.pyc", (64 << 20) + 1)
    told = run("verify-bytecode", "--format", "json")
    assert codes(told) == [(cached(), "PYC202")]
    assert told.code == 2
    assert told.err.splitlines() == [
        "error: device.pyc: is no regular file",
        "error: fifo.pyc: is no regular file",
        "error: gone.pyc: No such file or directory",
        "error: large.pyc: is larger than 64 MiB",
        "error: loop.pyc: Too many levels of symbolic links",
    ]


def test_paths(here: Path, run: Run) -> None:
    for top in "a", "b":
        put(here / top / "m.py", INNOCENT)
        put(here / top / cached(), forged())
    put(here / "text", "x")
    in_json = ["verify-bytecode", "--format", "json"]
    assert codes(run(*in_json, "a")) == [(f"a/{cached()}", "PYC202")]
    assert codes(run(*in_json, f"b/{cached()}")) == [(f"b/{cached()}", "PYC202")]
    assert (
        run("verify-bytecode", "text").err == "error: text: is no bytecode, by name or by content\n"
    )
    missing = run("verify-bytecode", "nowhere")
    assert missing == (2, "", "error: nowhere: No such file or directory\n")
    assert run("verify-bytecode", "").code == 2


def test_tracked_paths(repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for top in "a", "b":
        repo.add(f"{top}/m.py", INNOCENT)
        repo.add(f"{top}/{cached()}", forged())
    repo.add("logo.bin", forged())
    tracked = ["verify-bytecode", "--tracked", "--format", "json"]
    everything = [f"a/{cached()}", f"b/{cached()}", "logo.bin"]
    assert [path for path, _ in codes(run(*tracked))] == everything
    assert codes(run(*tracked, "a")) == [(f"a/{cached()}", "PYC202")]
    monkeypatch.chdir(repo.path / "b")
    told = run(*tracked, "__pycache__")
    assert codes(told) == [(f"b/{cached()}", "PYC202")]
    remedy = json.loads(told.out)["findings"][0]["remedy"]
    assert remedy == f"git rm -r -f --cached -- ':(top)b/{cached()}'"
    assert run(*tracked, "nowhere").code == 2


def test_index_that_is_odd(repo: Repo, run: Run) -> None:
    repo.add("m.py", INNOCENT)
    repo.stage("out.pyc", "../elsewhere", mode="120000")
    repo.stage("loop.pyc", "loop.pyc", mode="120000")
    repo.stage("sub.pyc", "0" * 39 + "1", mode="160000")
    repo.stage("n.pyc", honest(), stage=1)
    repo.stage("n.pyc", forged(), stage=2)
    repo.stage("__pycache__/README", "not bytecode")
    repo.stage("large.pyc", honest() + bytes(64 << 20))
    told = run("verify-bytecode", "--tracked", "--format", "json")
    assert codes(told) == [("n.pyc", "PYC204")]
    assert told.err.splitlines() == [
        "error: large.pyc: is larger than 64 MiB",
        "error: loop.pyc: too many levels of symbolic links",
        "error: n.pyc: is in conflict: resolve it first",
        "error: out.pyc: the symbolic link leads to nothing that is tracked",
        "error: sub.pyc: is no file in the index",
    ]


def test_hook_where_nothing_is_bytecode(repo: Repo, run: Run, program: Program) -> None:
    assert run("verify-bytecode", "--tracked") == CLEAN
    repo.add("logo.bin", forged())
    assert program("verify-bytecode", "--quiet", "--tracked").code == 1


UNREADABLE_FORMATS = [
    (f"__pycache__/m.{tag}.pyc", number.to_bytes(2, "little") + honest()[2:])
    for tag, number in (("graalpy250-312", 21290), ("rustpython-313", 2994))
]


@pytest.mark.parametrize(("path", "data"), UNREADABLE_FORMATS)
def test_formats_that_are_not_cpythons(here: Path, run: Run, path: str, data: bytes) -> None:
    put(here / "m.py", INNOCENT)
    put(here / path, data)
    told = run("verify-bytecode")
    assert f"{path}: PYC205 cannot be compared: the code of " in told.out
    stale = by_hash(compiled(EVIL), b"other", checked=True)
    put(here / cached(more="-pytest-9.2.0"), stale)
    assert "PYC201 stale: its source has another hash" in run("verify-bytecode").out


@pytest.mark.skipif(sys.version_info < (3, 11), reason="nothing is specialised before 3.11")
def test_tampered_code_of_nobody_here(here: Path, run: Run) -> None:
    data = newer()
    instructions = read_pyc(data).code.code
    at = data.index(instructions)
    put(here / "m.py", INNOCENT)
    put(here / "__pycache__/m.cpython-314.pyc", data[:at] + b"\xff" + data[at + 1 :])
    told = run("verify-bytecode")
    words = "m.cpython-314.pyc: PYC202 not what any source compiles to; <module> holds what no"
    assert words in told.out


def test_sources_that_cannot_be_read(here: Path, run: Run) -> None:
    put(here / "m.py", INNOCENT)
    os.truncate(here / "m.py", (64 << 20) + 1)
    os.utime(here / "m.py", (TIME, TIME))
    put(here / cached(), by_time(compiled(INNOCENT), (64 << 20) + 1))
    put(here / "__pycache__/m.cpython-314.pyc", by_hash_of_newer())
    expected = "error: m.py: is larger than 64 MiB\n"
    assert run("verify-bytecode", "--quiet") == (2, "", expected)
    (here / "n.py").mkdir()
    put(here / "n.pyc", honest())
    assert codes(run("verify-bytecode", "--format", "json")) == [("n.pyc", "PYC204")]


def by_hash_of_newer() -> bytes:
    """Return a checked-hash file of a Python that is nowhere."""
    return NEWER[:4] + b"\3\0\0\0" + bytes(8) + NEWER[16:]
