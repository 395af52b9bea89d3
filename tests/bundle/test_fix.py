"""What `check-bundle --fix` writes, and that the interpreter uses it and writes nothing more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundle.pythons import Python, pythons
from bundle.read_only import WAYS
from helpers.make_pyc import TAG, compile_source, hash_pyc, timestamp_pyc
from helpers.windows import words_of_missing_file
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.tampering import file_names

if TYPE_CHECKING:
    from conftest import Run

SOURCE = '"""Text."""\nSETS = {1, 2, "a", "b"} == {"c", "d"}\n\n\ndef f(a):\n    return a in {"x", "y", "z"}\n'
TIME = 1_700_000_001
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
TITLE = f"CPython {'.'.join(map(str, sys.version_info[:3]))}"

only_cpython = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="the helpers write bytecode of CPython"
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="paths have another separator there")


def put(path: Path, data: bytes | str) -> Path:
    """Write a file with a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    os.utime(path, (TIME, TIME))
    return path


def caches(top: Path) -> dict[str, bytes]:
    """Return every file in a cache below a directory."""
    return {
        path.relative_to(top).as_posix(): path.read_bytes()
        for path in sorted(top.rglob("__pycache__/*"))
    }


#: Has import find the code of each module of a list of paths; runs none of it.
GET_CODE = """
import importlib.machinery, sys
for path in sys.stdin.read().split("\\0"):
    importlib.machinery.SourceFileLoader("m", path).get_code("m")
"""


def messages_of_import(python: Python, paths: list[Path], before: list[str]) -> list[str]:
    """Return what import says about the modules at these paths, run after the words `before`."""
    done = subprocess.run(
        [*before, python.path, "-v", "-S", "-E", "-s", "-c", GET_CODE],
        input="\0".join(map(os.fspath, paths)),
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stderr.splitlines()


@pytest.mark.parametrize("python", pythons(), ids=lambda python: python.version)
def test_each_interpreter_compiles_what_is_missing(root: Path, run: Run, python: Python) -> None:
    for name in ("m.py", "p/__init__.py", "p/n.py", "stale.py", "foreign.py"):
        put(root / "b" / name, SOURCE)
    put(root / "b" / "bad.py", "(\n")
    cache = root / "b" / "__pycache__"
    cache.mkdir()
    source = os.fspath(root / "b" / "m.py")
    python.compile([(source, os.fspath(cache / f"stale.{python.tag}.pyc"), 0, "TIMESTAMP")])
    python.compile([(source, os.fspath(cache / f"m.{python.tag}.pyc"), 0, "TIMESTAMP")])
    os.utime(root / "b" / "stale.py", (5, 5))
    put(cache / "foreign.cpython-27.pyc", b"")
    put(cache / "bad.cpython-27.pyc", b"")
    arguments = ("check-bundle", "b", "--fix", "--python", python.path, "--destination", "/opt/app")
    first = run(*arguments)
    assert first.code == 1
    assert f"b/__pycache__/stale.{python.tag}.pyc: PYC321 compiled by CPython" in first.out
    assert "b/__pycache__/foreign.cpython-27.pyc: PYC323 removed" in first.out
    assert f"5 modules: 5 used (CPython {python.version}" in first.out
    written = caches(root / "b")
    assert set(written) == {
        *(f"__pycache__/{name}.{python.tag}.pyc" for name in ("m", "stale", "foreign")),
        *(f"p/__pycache__/{name}.{python.tag}.pyc" for name in ("__init__", "n")),
        "__pycache__/bad.cpython-27.pyc",
    }
    for path, data in written.items():
        if "27" not in path:
            directory = path.partition("__pycache__/")[0]
            name = path.rpartition("/")[2].partition(".")[0]
            assert file_names(read_pyc(data).code) == [f"/opt/app/{directory}{name}.py"]
    # The same again, and with nothing there: the same bytes.
    again = run(*arguments)
    assert "PYC322" not in again.out
    assert caches(root / "b") == written
    for path in written:
        (root / "b" / path).unlink()
    assert run(*arguments).code == 1
    assert {**caches(root / "b"), "__pycache__/bad.cpython-27.pyc": b""} == written
    # Elsewhere, with other times, and in another order.
    for name in reversed(["foreign.py", "stale.py", "p/n.py", "p/__init__.py", "m.py"]):
        put(root / "elsewhere" / name, SOURCE)
    run("check-bundle", "elsewhere", *arguments[2:])
    assert {**caches(root / "elsewhere"), "__pycache__/bad.cpython-27.pyc": b""} == written


def check_import(python: Python, top: Path, way: str) -> int:
    """Check that import uses the bytecode of every module, and writes nothing; return their number."""
    modules = sorted(top.rglob("*.py"))
    before = caches(top)
    with WAYS[way](top) as words:
        messages = messages_of_import(python, modules, words)
    about = [line for line in messages if f"{top}/" in line]
    used = {line.rpartition(" matches ")[2] for line in about if " matches " in line}
    assert used == {*map(os.fspath, modules)}
    assert not [line for line in about if line.startswith(("# created", "# could not create"))]
    assert caches(top) == before
    return len(modules)


@posix
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("python", pythons(), ids=lambda python: python.version)
def test_import_uses_what_was_written(root: Path, run: Run, python: Python, way: str) -> None:
    for name in ("m.py", "p/__init__.py", "p/n.py"):
        put(root / "b" / name, SOURCE)
    # So that the check below would find what is missing.
    with WAYS[way](root / "b") as words:
        messages = messages_of_import(python, [root / "b" / "m.py"], words)
    expected = "# created" if way == "writable" else "# could not create"
    assert any(line.startswith(expected) and f"{root}/b/" in line for line in messages)
    run("check-bundle", "b", "--fix", "--python", python.path)
    assert check_import(python, root / "b", way) == 3


@posix
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["timestamp", "checked-hash", "unchecked-hash"])
@pytest.mark.parametrize("python", pythons(), ids=lambda python: python.version)
def test_import_uses_the_whole_library(root: Path, run: Run, python: Python, mode: str) -> None:
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    library = subprocess.check_output([python.path, "-I", "-c", code], text=True).strip()
    # Files that no Python compiles are in the tests of the library.
    left_out = shutil.ignore_patterns("site-packages", "tests", "test", "*.so")
    shutil.copytree(library, root / "b", ignore=left_out)
    fixed = run("check-bundle", "b", "--fix", "--python", python.path, "--expect", mode)
    assert fixed.err == ""
    counts = [check_import(python, root / "b", way) for way in WAYS]
    print(f"\n{python.version}, {mode}: import uses the bytecode of {counts[0]:,} modules")


@only_cpython
@pytest.mark.parametrize("mode", ["timestamp", "checked-hash", "unchecked-hash"])
def test_proved_code_keeps_its_bytes(root: Path, run: Run, mode: str) -> None:
    code = compile_source(SOURCE, name=os.fspath(root / "b" / "m.py"))
    bytecode = {
        "stale": timestamp_pyc(code, len(SOURCE), 5),
        "stamped": timestamp_pyc(code, len(SOURCE), TIME),
        "checked": hash_pyc(code, SOURCE.encode(), checked=True),
        "unchecked": hash_pyc(code, b"other", checked=False),
        "surplus": timestamp_pyc(code, len(SOURCE), TIME) + b"more",
        "cut": timestamp_pyc(code, len(SOURCE), TIME)[:60],
        "header": timestamp_pyc(code, len(SOURCE), TIME)[:9],
        "another": timestamp_pyc(compile_source("x = 1"), len(SOURCE), TIME),
        "magic": b"\x33\r\r\n" + timestamp_pyc(code, len(SOURCE), TIME)[4:],
    }
    for name, data in bytecode.items():
        put(root / "b" / f"{name}.py", SOURCE)
        put(root / "b" / "__pycache__" / f"{name}.{TAG}.pyc", data)
    result = run("check-bundle", "b", "--fix", "--expect", mode)
    assert result.code == 1
    written = caches(root / "b")
    for name, data in bytecode.items():
        after = written[f"__pycache__/{name}.{TAG}.pyc"]
        kept = name in ("stale", "stamped", "checked", "unchecked")
        assert (after[16:] == data[16:]) is kept, name
    assert run("check-bundle", "b", "--expect", mode).code == 0
    assert run("check-bundle", "b", "--fix", "--expect", mode).code == 0
    assert caches(root / "b") == written
    assert f"got the header of a {mode} file" in result.out
    assert f"compiled by {TITLE}" in result.out


@only_cpython
def test_the_destination_replaces_another_path(root: Path, run: Run) -> None:
    put(root / "b" / "m.py", SOURCE)
    code = compile_source(SOURCE, name="/build/m.py")
    data = hash_pyc(code, SOURCE.encode(), checked=True)
    cache = put(root / "b" / "__pycache__" / f"m.{TAG}.pyc", data)
    assert run("check-bundle", "b", "--fix", "--destination", "/build").code == 0
    assert run("check-bundle", "b", "--fix").code == 0
    assert cache.read_bytes() == data
    assert run("check-bundle", "b", "--fix", "--destination", "/opt/ä").code == 1
    assert b"/build" not in cache.read_bytes()
    assert "/opt/ä/m.py".encode() in cache.read_bytes()


@only_cpython
@pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")
def test_what_is_left_for_a_person(root: Path, run: Run) -> None:
    put(root / "b" / "m.py", SOURCE)
    put(root / "b" / "n.py", SOURCE)
    put(root / "b" / "n.so", b"")
    put(root / "b" / "__pycache__" / f"n.{TAG}.pyc", b"")
    put(root / "b" / "o.pyc", b"\x33\r\r\n" + bytes(99))
    put(root / "b" / "__pycache__" / f"m.{TAG}.pyc.123456", b"")
    put(root / "b" / "__pycache__" / "gone.cpython-27.pyc", b"")
    result = run("check-bundle", "b", "--fix", "--python", HERE)
    assert result.code == 1
    assert "an extension module `n` comes first" in result.out
    assert "b/o.pyc: PYC321" in result.out
    assert "gone.cpython-27.pyc: PYC323 CPython" in result.out
    assert "rm -f -- b/__pycache__/gone.cpython-27.pyc" in result.out
    assert "2 problems fixed" not in result.out


@only_cpython
def test_levels_and_modes_of_findings(root: Path, run: Run) -> None:
    put(root / "b" / "m.py", SOURCE)
    put(root / "b" / "n.py", SOURCE)
    code = compile_source(SOURCE, 2)
    put(root / "b" / "__pycache__" / f"m.{TAG}.opt-2.pyc", timestamp_pyc(code, len(SOURCE), TIME))
    put(
        root / "b" / "__pycache__" / f"n.{TAG}.opt-2.pyc",
        hash_pyc(code, SOURCE.encode(), checked=False),
    )
    result = run("check-bundle", "b", "--fix", "--level", "2")
    assert f"m.{TAG}.opt-2.pyc: PYC324 got the header of a checked-hash file" in result.out
    assert f"n.{TAG}.opt-2.pyc: PYC203 got the header of a checked-hash file" in result.out


@only_cpython
def test_sources_that_cannot_be_compiled_or_read(root: Path, run: Run) -> None:
    put(root / "b" / "m.py", SOURCE)
    put(root / "b" / "deep.py", "-" * 200_000 + "1\n")
    result = run("check-bundle", "b", "--fix", "--python", HERE)
    assert result.code == 2
    assert result.err.startswith("error: b/deep.py: cannot be compiled: ")
    assert (root / "b" / "__pycache__" / f"m.{TAG}.pyc").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows runs no script without a suffix")
def test_the_code_of_the_interpreter_cannot_be_read(root: Path, run: Run) -> None:
    script = put(
        root / "newer",
        "#!/bin/sh\nprintf 'i\\0\\0\\0\\037\\164\\016\\r\\ncpython\\n3.16.0\\ncpython-316\\n'\nread x\n",
    )
    script.chmod(0o755)
    put(root / "b" / "m.py", SOURCE)
    result = run("check-bundle", "b", "--fix", "--python", str(script))
    assert (result.code, result.out) == (2, "")
    assert "--fix: the code of CPython 3.16.0 cannot be read" in result.err


def test_archives_are_not_changed(root: Path, run: Run) -> None:
    put(root / "a.zip", b"PK")
    code, out, err = run("check-bundle", "a.zip", "--fix", "--python", HERE)
    assert (code, out) == (2, "")
    assert "a.zip: is an archive, which --fix does not change" in err
    assert (root / "a.zip").read_bytes() == b"PK"
    assert words_of_missing_file() in run("check-bundle", "nothing", "--fix", "--python", HERE).err


def test_there_is_no_interpreter(root: Path, run: Run) -> None:
    missing = next(v for v in ("3.15", "3.14", "3.7") if v not in {p.version for p in pythons()})
    put(root / "b" / "m.py", SOURCE)
    code, out, err = run("check-bundle", "b", "--fix", "--python", missing)
    assert (code, out) == (2, "")
    if missing != "3.7":
        assert f"no CPython {missing} is on this machine" in err


def test_destination_needs_fix(root: Path, run: Run) -> None:
    result = run("check-bundle", ".", "--destination", "/opt")
    assert (result.code, result.err) == (2, "error: --destination is for --fix\n")


@only_cpython
@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_files_that_cannot_be_replaced(root: Path, run: Run) -> None:
    put(root / "b" / "m.py", SOURCE)
    put(root / "b" / "p" / "m.py", SOURCE)
    put(root / "b" / "p" / "__pycache__", b"")
    put(root / "b" / "q" / "m.py", SOURCE)
    put(root / "b" / "q" / "stale.pyc", timestamp_pyc(compile_source(SOURCE), 5, 5))
    cache = root / "b" / "q" / "__pycache__"
    cache.mkdir()
    (cache / f"m.{TAG}.pyc").symlink_to("../stale.pyc")
    code, _, err = run("check-bundle", "b", "--fix", "--python", HERE)
    assert code == 2
    assert "b/p/__pycache__/" in err
    assert f"b/q/__pycache__/m.{TAG}.pyc" in err
    assert (root / "b" / "__pycache__" / f"m.{TAG}.pyc").exists()
