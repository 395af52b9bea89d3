"""Whether two files have the same code, and what differs."""

from __future__ import annotations

import json
import marshal
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import (
    INNOCENT,
    cache_path,
    compile_source,
    foreign_pyc,
    hash_pyc,
    timestamp_pyc,
    write_file,
)
from inspection import check_single_edits
from inspection.check_single_edits import MORE, check_interpreter
from inspection.planted import FIXTURES, read_fixture
from pycache_guard.bytecode.code_object import Code
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.inspection.diff import FileDiff, compare_files, diff_to_text

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def diff_of(old: str, new: str, name: str = "m.py") -> FileDiff:
    files = [timestamp_pyc(compile_source(old), 0), timestamp_pyc(compile_source(new, 0, name), 0)]
    return compare_files(*map(read_pyc, files))


def lines_of(diff: FileDiff) -> list[str]:
    return [line.strip() for line in diff_to_text("a", "b", diff, 100)][3:]


def test_verdicts_on_single_edits_are_those_of_this_interpreter() -> None:
    counts, wrong = check_interpreter([sys.executable], [MORE])
    assert wrong == []
    assert counts["same"] > 20
    assert counts["different"] > 50


def test_command_that_checks_single_edits_prints_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_single_edits.main(["/no/such/python"]) == 0
    assert capsys.readouterr().out == "all {} 0 wrong\n"


@pytest.mark.slow
def test_verdicts_on_single_edits_are_those_of_every_interpreter_of_this_machine() -> None:
    assert check_single_edits.main([]) == 0


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.txt")))
def test_file_of_every_interpreter_has_the_same_code_as_itself(name: str) -> None:
    files = [read_pyc(data) for _, data in read_fixture(name)]
    for pyc in files:
        # Another header, so that the trees are compared.
        other = pyc.data[:4] + b"\0" * (pyc.header.magic.header_length - 8) + b"\1\0\0\0"
        again = read_pyc(other + pyc.data[pyc.header.magic.header_length :] + b"")
        assert compare_files(pyc, again).is_same
    if len(files) > 1:
        assert not compare_files(*files).is_same


DIFFERENT = [
    ("x = 1", "x = 2", ["<module>: constants: - 1, + 2"]),
    ("x = 1", "y = 1", ["<module>: names: - x, + y"]),
    ("f()", "f(); g()", ["<module>: names: + g"]),
    (
        "def f(a): pass",
        "def f(a, /, b, *c, d=1, **e): pass",
        ["f: arguments: - a, + a, /, b, *c, d, **e"],
    ),
    ("def f(): pass", "def f(): yield", ["f: flags: + GENERATOR"]),
    ("def f(): pass", "", ["f: function: - f() (line 1, "]),
    ("", "def f(a, *b): pass", ["f: function: + f(a, *b) (line 1, "]),
    ("x = f", "x = lambda: 1", ["<lambda>: function: + <lambda>"]),
    (
        "class C:\n def f(self): return 'a'",
        "class C:\n def f(self): return 'b'",
        ["C.f: constants: - 'a', + 'b'"],
    ),
    ("x = y + z", "x = y - z", ["<module>: instructions: "]),
    ("x = a or b", "x = a and b", ["<module>: instructions: "]),
    (
        f"x = 'same {'s' * 100} start one'",
        f"x = 'same {'s' * 100} start two'",
        ["<module>: constants: - …'ssssssss start one', + …'ssssssss start two'"],
    ),
    (
        f"x = '{'s' * 50}'",
        f"x = '{'s' * 60}'",
        [f"<module>: constants: - …'{'s' * 15}', + …'{'s' * 25}'"],
    ),
    (f"x = 'a{'s' * 50}'", f"x = 'b{'s' * 50}'", ["<module>: constants: - 'a"]),
    ("x = 1", "x = True", ["<module>: constants: - 1, + True"]),
    ("x = (0.0, 1)", "x = (-0.0, 1)", ["<module>: constants: "]),
    ("x = 'a'", "x = b'a'", ["<module>: constants: - 'a', + b'a'"]),
    (
        "x in {1, 2}",
        "x in {1, 3}",
        ["<module>: constants: - frozenset({1, 2}), + frozenset({1, 3})"],
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), DIFFERENT)
def test_difference_is_named(old: str, new: str, expected: list[str]) -> None:
    diff = diff_of(old, new)
    assert not diff.is_same
    lines = lines_of(diff)
    for text in expected:
        assert any(line.startswith(text) for line in lines), lines


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("x = 1", "x = 1", []),
        ("x = 1", "x = 1  # comment", []),
        ("x = 1", "# comment\nx = 1", ["line tables"]),
        ("class C:\n  x = 1\n  y = 2", "# comment\nclass C:\n  x = 1\n  y = 2", ["line tables"]),
        ("class C: pass", "\n" * 300 + "class C: pass", ["line tables"]),
    ],
)
def test_place_alone_leaves_the_code_the_same(old: str, new: str, kinds: list[str]) -> None:
    diff = diff_of(old, new)
    assert diff.is_same
    assert [change.kind for change in diff.changes] == kinds


def test_file_name_alone_leaves_the_code_the_same() -> None:
    diff = diff_of(INNOCENT, INNOCENT, "/other/m.py")
    assert diff.is_same
    assert lines_of(diff) == ["file names: - 'm.py', + '/other/m.py'"]


def test_many_line_tables_are_one_line() -> None:
    source = "".join([f"def f{n}(): pass\n" for n in range(9)])
    (line,) = lines_of(diff_of(source, f"\n{source}"))
    assert line == "line tables: in 10 code objects: <module>, f0, f1, f2, f3, …"


def test_order_of_constants_counts() -> None:
    code = compile_source("x = 'a'\ny = 'b'\n")
    consts = code.co_consts
    swapped = code.replace(co_consts=(consts[1], consts[0], *consts[2:]))
    diff = compare_files(read_pyc(timestamp_pyc(code, 0)), read_pyc(timestamp_pyc(swapped, 0)))
    assert not diff.is_same
    assert lines_of(diff) == ["<module>: consts: in another order or form"]


def test_difference_of_nested_code_in_a_collection_is_found() -> None:
    code = compile_source("x = 1\n")
    inner = [compile_source(f"y = {text!r}\n") for text in ("a", "b")]
    files = [
        timestamp_pyc(code.replace(co_consts=((nested,), *code.co_consts)), 0) for nested in inner
    ]
    diff = compare_files(*map(read_pyc, files))
    assert lines_of(diff)[-1] == "<module>: constants: - 'a', + 'b'"


@pytest.mark.parametrize(
    ("old", "new"),
    [("cpython-311", "cpython-312"), ("cpython-27", "cpython-315"), ("cpython-39", "pypy39")],
)
def test_files_of_different_interpreters_are_compared_by_names_and_constants(
    old: str, new: str
) -> None:
    diff = compare_files(read_pyc(foreign_pyc(old)), read_pyc(foreign_pyc(new)))
    assert not diff.is_same
    assert diff.changes[0].kind == "interpreter"
    assert {"instructions", "line tables"}.isdisjoint(change.kind for change in diff.changes)


def test_command_prints_the_differences(here: Path, run: Run) -> None:
    write_file(here / "a.pyc", timestamp_pyc(compile_source("x = 'one'\n"), 10))
    write_file(here / "b.pyc", timestamp_pyc(compile_source("x = 'two'\n"), 12))
    header = "timestamp: source of 2023-11-14 22:13:20 UTC"
    done = run("inspect", "--diff", "a.pyc", "b.pyc")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        "--- a.pyc",
        "+++ b.pyc",
        "different code",
        f"  header: - {header}, 10 bytes, + {header}, 12 bytes",
        "  <module>: constants: - 'one', + 'two'",
    ]
    done = run("inspect", "--diff", "--format", "json", "a.pyc", "b.pyc")
    assert done.code == 1
    diff = json.loads(done.out)["diff"]
    assert (diff["old"], diff["new"], diff["same"], diff["omitted"]) == ("a.pyc", "b.pyc", False, 0)
    assert diff["changes"][1] == {
        "code": "<module>",
        "kind": "constants",
        "removed": ["'one'"],
        "added": ["'two'"],
        "note": None,
    }
    assert run("inspect", "--diff", "a.pyc", "a.pyc").code == 0
    assert run("inspect", "--diff", "--quiet", "a.pyc", "a.pyc") == (0, "", "")
    assert run("inspect", "--diff", "--quiet", "a.pyc", "b.pyc").out != ""


def test_header_alone_leaves_the_code_the_same(here: Path, run: Run) -> None:
    code = compile_source(INNOCENT)
    write_file(here / "a.pyc", timestamp_pyc(code, 0))
    write_file(here / "b.pyc", hash_pyc(code, INNOCENT.encode(), checked=True))
    done = run("inspect", "--diff", "a.pyc", "b.pyc")
    assert done.code == 0
    assert done.out.splitlines()[2] == "same code"


def test_limit(here: Path, run: Run) -> None:
    write_file(here / "a.pyc", timestamp_pyc(compile_source("x = [" + "y, " * 5 + "]"), 0))
    write_file(
        here / "b.pyc",
        timestamp_pyc(compile_source("".join([f"x{n} = {n}.5\n" for n in range(30)])), 0),
    )
    done = run("inspect", "--diff", "--limit", "2", "a.pyc", "b.pyc")
    assert done.out.splitlines()[-1].endswith(" more: use a larger --limit")
    assert "+ x19, + 10 more" in done.out
    diff = json.loads(run("inspect", "--diff", "--limit=2", "--format=json", "a.pyc", "b.pyc").out)[
        "diff"
    ]
    assert (len(diff["changes"]), diff["omitted"] > 0) == (2, True)
    assert len(diff["changes"][1]["added"]) == 2


def test_damaged_file_is_an_error(here: Path, run: Run) -> None:
    data = timestamp_pyc(compile_source(INNOCENT), 0)
    write_file(here / "a.pyc", data)
    write_file(here / "b.pyc", data[:-3])
    for files in (["a.pyc", "b.pyc"], ["b.pyc", "b.pyc"]):
        done = run("inspect", "--diff", *files)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(
            "error: b.pyc: not well-formed: marshal data too short at offset"
        )
    assert run("inspect", "--diff", "a.pyc", "nowhere.pyc").code == 2


def test_unknown_format_is_compared_by_its_bytes(here: Path, run: Run) -> None:
    magic = (4900).to_bytes(2, "little") + b"\r\n"
    data = magic + timestamp_pyc(compile_source(INNOCENT), 0)[4:]
    write_file(here / "a.pyc", data)
    write_file(here / "b.pyc", data[:8] + b"\1\0\0\0" + data[12:])
    write_file(here / "c.pyc", data + b"\0")
    assert run("inspect", "--diff", "a.pyc", "b.pyc").code == 0
    done = run("inspect", "--diff", "a.pyc", "c.pyc")
    assert (done.code, done.out) == (2, "")
    assert "the code of CPython 3.40 is unreadable" in done.err


def test_files_of_commits(repo: Repo, run: Run) -> None:
    for source in ("x = 1\n", "x = 2\n"):
        repo.add(cache_path(), timestamp_pyc(compile_source(source), 0))
        repo.commit()
    done = run("inspect", "--diff", f"HEAD~1:{cache_path()}", f"HEAD:{cache_path()}")
    assert done.code == 1
    assert "<module>: constants: - 1, + 2" in done.out


def test_class_body_with_many_constants_is_compared_as_it_is() -> None:
    body = "".join([f"  x{n} = {n}.5\n" for n in range(300)])
    old, new = f"class C:\n{body}", f"#\nclass C:\n{body}"
    # Since CPython 3.13 its first line is a constant or an argument of an instruction.
    is_stored = b"__firstlineno__" in marshal.dumps(compile_source(old))
    assert diff_of(old, new).is_same is not is_stored


def test_code_and_tuples_that_are_shared_are_compared_once() -> None:
    files = []
    for text in ("old", "new"):
        pyc = read_pyc(
            timestamp_pyc(compile_source(f"def f(): return {text}\ndef g(): return {text}\n"), 0)
        )
        first, second = [value for value in pyc.code.consts if isinstance(value, Code)]
        second.fields["names"] = first.fields["names"]
        pyc.code.fields["consts"] = (first, second, first, second)
        files.append(pyc)
    diff = compare_files(*files)
    lines = [line for line in lines_of(diff) if "names: - old, + new" in line]
    assert lines == ["f: names: - old, + new", "g: names: - old, + new"]


def test_code_in_two_functions_is_compared_once() -> None:
    files = []
    for text in ("old", "new"):
        pyc = read_pyc(timestamp_pyc(compile_source(f"def f(): {text}\ndef g(): {text}\n"), 0))
        first, second = [value for value in pyc.code.consts if isinstance(value, Code)]
        inner = read_pyc(timestamp_pyc(compile_source(text), 0)).code
        first.fields["consts"] = second.fields["consts"] = (None, inner)
        files.append(pyc)
    lines = [line for line in lines_of(compare_files(*files)) if "names: - old, + new" in line]
    assert lines == [f"{scope}: names: - old, + new" for scope in ("f", "f.<module>", "g")]
