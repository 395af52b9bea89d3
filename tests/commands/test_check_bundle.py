"""What `check-bundle` says of directories, and how it ends."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bundle.pythons import pythons
from helpers.make_pyc import EVIL, TAG, compile_source, foreign_pyc, hash_pyc, timestamp_pyc
from helpers.report_parser import CLEAN
from helpers.windows import words_of_missing_file
from pycache_guard.bundle.judge import State, judge
from pycache_guard.bundle.target import target_of_version
from pycache_guard.bundle.tree import DiskTree
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.interpreters.pool import find_candidates
from pycache_guard.remedies import NO_COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Run
    from helpers.repo import Result

SOURCE = b"VALUE = 1\n"
TIME = 1_700_000_001
HERE = f"CPython {sys.version_info[0]}.{sys.version_info[1]}"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="the helpers write bytecode of CPython"
)


@pytest.fixture(autouse=True)
def elsewhere(root: Path) -> Path:
    """Stand in an empty directory, which is no repository."""
    return root


def put(path: Path, data: bytes, time: int = TIME) -> None:
    """Write a file with a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (time, time))


def fitting(source: bytes = SOURCE, time: int = TIME) -> bytes:
    """Return timestamp bytecode of a source."""
    return timestamp_pyc(compile_source(source.decode()), len(source), time)


def hashed(source: bytes = SOURCE, *, checked: bool, hash_of: bytes | None = None) -> bytes:
    """Return hash-based bytecode of a source."""
    return hash_pyc(compile_source(source.decode()), hash_of or source, checked=checked)


def put_module(
    folder: Path, name: str = "m", *, bytecode: bytes | None = None, source: bytes = SOURCE
) -> None:
    """Write a source and its cache."""
    put(folder / f"{name}.py", source)
    put(folder / "__pycache__" / f"{name}.{TAG}.pyc", fitting() if bytecode is None else bytecode)


def report(result: Result) -> dict[str, Any]:
    """Return the report in JSON."""
    read: dict[str, Any] = json.loads(result.out)
    return read


def codes(result: Result) -> list[tuple[str, str]]:
    """Return path and code of each finding."""
    return [(each["path"], each["code"]) for each in report(result)["findings"]]


def test_every_module_is_used(root: Path, run: Run) -> None:
    put_module(root / "b")
    put_module(root / "b" / "p", "__init__")
    result = run("check-bundle", "b")
    assert result == CLEAN
    assert result.out == f"OK: 2 modules: 2 used ({HERE}).\n"


CACHE = f"b/__pycache__/m.{TAG}.pyc"


@pytest.mark.parametrize(
    ("bytecode", "cause", "found"),
    [
        (fitting(time=TIME + 1), "time", ["PYC321", "PYC324"]),
        (fitting(b"VALUE = 10\n"), "size", ["PYC321", "PYC324"]),
        (hashed(checked=True, hash_of=b"other"), "hash", ["PYC321", "PYC324"]),
        (b"\x33\r\r\n" + fitting()[4:], "magic", ["PYC321", "PYC324"]),
        (b"\x01\x00\r\n" + fitting()[4:], "magic", ["PYC321", "PYC324"]),
        (fitting()[:10], "malformed", ["PYC206", "PYC324"]),
        (b"", "malformed", ["PYC206", "PYC324"]),
        (fitting()[:2], "malformed", ["PYC206", "PYC324"]),
        (b"text, no bytecode", "malformed", ["PYC206", "PYC324"]),
        (fitting()[:20], "malformed", ["PYC206"]),
    ],
)
def test_bytecode_that_is_not_used(
    root: Path, run: Run, bytecode: bytes, cause: str, found: list[str]
) -> None:
    put_module(root / "b", bytecode=bytecode)
    result = run("check-bundle", "b", "--python", VERSION, "--format", "json")
    assert result.code == 1
    places = {"PYC324": "b/m.py"}
    assert codes(result) == [(places.get(code, CACHE), code) for code in found]
    (module,) = report(result)["modules"]
    assert (module["state"], module["cause"]) == ("never-used", cause)
    assert module["rewritten"] is ("PYC324" in found)


def test_a_pre_release_of_the_target(root: Path, run: Run) -> None:
    number = int.from_bytes(fitting()[:2], "little") - 1
    put_module(root / "b", bytecode=number.to_bytes(2, "little") + fitting()[2:])
    assert "is that of a pre-release of" in run("check-bundle", "b").out


def test_missing_bytecode(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "n.py", SOURCE)
    result = run("check-bundle", "b")
    assert result.code == 1
    assert "b/n.py: PYC322 " in result.out
    assert "b/n.py: PYC324 " in result.out
    assert f"Found 2 problems (2 modules: 1 used, 1 missing ({HERE}))." in result.out


def test_a_read_only_bundle_is_not_written(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "n.py", SOURCE)
    result = run("check-bundle", "b", "--read-only")
    assert "compiles the source at every start" in result.out
    assert "PYC324" not in result.out


def test_a_source_that_no_compiler_takes_needs_no_bytecode(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "template.py", b"{{ name }} (\n")
    put(root / "b" / "other.py", b"(\n")
    result = run("check-bundle", "b")
    assert result.code == 0
    assert "2 sources (b/other.py, …) cannot be compiled by" in result.out


def test_bytecode_of_another_python(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "__pycache__" / "m.cpython-27.pyc", b"")
    put(root / "b" / "__pycache__" / "m.pypy3-71.pyc", b"")
    put(root / "b" / "__pycache__" / "m.pypy39.pyc", b"")
    result = run("check-bundle", "b")
    assert result.code == 1
    assert result.out.count("PYC323") == 3
    assert "it is for CPython 2.7" in result.out
    assert "it is for PyPy 3.9" in result.out
    assert "it is for `pypy3-71`" in result.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("m.pyc", "the source next to it comes first"),
        ("m.pyo", "Python 3.5 and later do not use such a file"),
        ("n.cpython-313.pyc", "only in `__pycache__`"),
        (f"__pycache__/n.{TAG}.pyc", "its source is not in the bundle"),
        ("__pycache__/n.pyc", "it is not well-formed"),
        (f"__pycache__/m.{TAG}.pyc.12345", "it is not well-formed"),
        (f"__pycache__/m.{TAG}-pytest-9.0.0.pyc", "only pytest 9.0.0 uses it"),
        (
            f"__pycache__/m.{TAG}.opt-beartype0v23v1.pyc",
            "only an import hook, beartype0v23v1, uses",
        ),
        ("__pycache__/m.foo.pyc", "no Python has the tag `foo`"),
    ],
)
def test_files_that_belong_to_no_module(root: Path, run: Run, name: str, words: str) -> None:
    put_module(root / "b")
    put(root / "b" / name, b"")
    result = run("check-bundle", "b")
    assert (result.code, result.out.count("PYC321")) == (1, 1)
    assert words in result.out


def test_other_files_in_a_cache_are_nothing(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "__pycache__" / "README", b"")
    put(root / "b" / "__pycache__" / f"m.{TAG}.opt-1.pyc", b"")
    result = run("check-bundle", "b")
    assert result.code == 0
    assert "1 file of other optimization levels was not checked" in result.out


def test_caches_of_scripts_and_of_import_hooks_are_nothing(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "tool", SOURCE)
    put(root / "b" / "__pycache__" / f"tool{TAG}.pyc", fitting())
    put(root / "b" / "lisp.hy", b"")
    put(root / "b" / "__pycache__" / f"lisp.{TAG}.pyc", fitting())
    assert run("check-bundle", "b").out == f"OK: 1 module: 1 used ({HERE}).\n"


def test_a_cache_without_source_is_described(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "__pycache__" / "n.pyc", fitting())
    assert "only if `__pycache__` itself is on the path" in run("check-bundle", "b").out


def test_levels(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "__pycache__" / f"m.{TAG}.opt-2.pyc", fitting())
    assert run("check-bundle", "b", "--level", "2").code == 0
    result = run("check-bundle", "b", "--level", "1")
    assert f"1 missing ({HERE}, -O)" in result.out
    assert run("check-bundle", "b", "--level", "3")[::2] == (
        2,
        "error: --level 3: must be 0, 1 or 2\n",
    )


@pytest.mark.parametrize(
    ("bytecode", "mode"),
    [
        (fitting(), "timestamp"),
        (hashed(checked=True), "checked-hash"),
        (hashed(checked=False), "unchecked-hash"),
    ],
)
def test_expected_mode(root: Path, run: Run, bytecode: bytes, mode: str) -> None:
    put_module(root / "b", bytecode=bytecode)
    for expected in ("timestamp", "checked-hash", "unchecked-hash"):
        result = run("check-bundle", "b", "--expect", expected)
        if expected == mode:
            assert result == CLEAN
        else:
            assert result.code == 1
            assert f"its mode is {mode}, and {expected} is expected" in result.out
    found = run("check-bundle", "b")
    assert found.code == (mode == "unchecked-hash")
    assert ("PYC203" in found.out) is (mode == "unchecked-hash")


@pytest.mark.parametrize(
    "bytecode",
    [
        hashed(EVIL.encode(), checked=False, hash_of=SOURCE),
        hashed(checked=False, hash_of=b"what it was"),
    ],
)
def test_unchecked_code_of_another_source(root: Path, run: Run, bytecode: bytes) -> None:
    put_module(root / "b", bytecode=bytecode)
    result = run("check-bundle", "b", "--expect", "unchecked-hash", "--format", "json")
    assert codes(result) == [(CACHE, "PYC202")]


@pytest.mark.skipif(
    "3.14" in {python.version for python in pythons()}, reason="this machine has that compiler"
)
def test_unchecked_code_without_a_compiler(root: Path, run: Run) -> None:
    # Of a CPython that is nowhere here, and the hash by its function.
    data = bytearray(foreign_pyc("cpython-314"))
    magic = identify_magic(bytes(data))
    assert magic is not None
    data[4:16] = b"\1\0\0\0" + (source_hash(SOURCE, magic) or b"")
    put(root / "b" / "m.py", SOURCE)
    put(root / "b" / "__pycache__" / "m.cpython-314.pyc", bytes(data))
    result = run("check-bundle", "b", "--expect", "unchecked-hash")
    assert result.code == 0
    assert "1 unchecked-hash file (b/__pycache__/m.cpython-314.pyc) could not be" in result.out


def test_a_module_without_source(root: Path, run: Run) -> None:
    put(root / "b" / "m.pyc", fitting())
    assert run("check-bundle", "b") == (0, f"OK: 1 module: 1 used ({HERE}).\n", "")
    put(root / "b" / "n.pyc", b"\x33\r\r\n" + fitting()[4:])
    put(root / "b" / "o.pyc", fitting()[:9])
    result = run("check-bundle", "b")
    assert "its magic number is that of CPython 3.6" in result.out
    assert "PYC324" not in result.out


def test_a_module_that_is_shadowed(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "m.so", b"")
    result = run("check-bundle", "b")
    assert "an extension module `m` comes first" in result.out
    put(root / "b" / "n.py", SOURCE)
    put(root / "b" / "n" / "__init__.abi3.so", b"")
    assert "PYC322" not in run("check-bundle", "b").out


def test_the_target_is_an_executable(root: Path, run: Run) -> None:
    put_module(root / "b")
    result = run("check-bundle", "b", "--python", sys.executable)
    version = ".".join(map(str, sys.version_info[:3]))
    assert result.out == f"OK: 1 module: 1 used (CPython {version}).\n"
    code, out, err = run("check-bundle", "b", "--python", "/bin/sh")
    assert (code, out) == (2, "")
    assert "does not answer" in err


@pytest.mark.parametrize("version", ["3.99", "3.6", "CPython 3.1"])
def test_unknown_versions(root: Path, run: Run, version: str) -> None:
    put_module(root / "b")
    code, out, err = run("check-bundle", "b", "--python", version)
    assert (code, out) == (2, "")
    assert "no such version is known; there are 3.7, 3.8, " in err


def test_an_interpreter_that_is_too_old(root: Path, run: Run) -> None:
    old = [path for path in find_candidates("2.7") if path.endswith("2.7")]
    put_module(root / "b")
    for path in old[:1]:
        assert "Python 3.7 and later are" in run("check-bundle", "b", "--python", path).err


@pytest.fixture
def deep_root(root: Path) -> Iterator[Path]:
    """Remove what is deeper than `shutil.rmtree`, by which pytest cleans up, may call itself."""
    yield root
    subprocess.run(["rm", "-r", "-f", "--", root / "d"], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="paths are shorter there")
def test_deep_directories(deep_root: Path) -> None:
    path = os.fspath(deep_root)
    for _ in range(1200):
        path += "/d"
        os.mkdir(path)
    put(Path(path, "m.py"), SOURCE)
    judgement = judge(DiskTree("d"), target_of_version(VERSION), 0)
    assert [module.state for module in judgement.modules] == [State.MISSING]


def test_several_bundles(root: Path, run: Run) -> None:
    put_module(root / "a")
    put_module(root / "b")
    put(root / "b" / "n.py", SOURCE)
    result = run("check-bundle", "a", "b", "nothing", "a")
    assert result.code == 2
    assert f"a: 1 module: 1 used ({HERE}); b: 2 modules: 1 used, 1 missing ({HERE})" in result.out
    assert result.err == f"error: nothing: {words_of_missing_file()}\n"


def test_what_is_ignored(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "n.py", SOURCE)
    assert run("check-bundle", "b", "--ignore", "PYC322", "--ignore", "PYC324").code == 0


@pytest.mark.parametrize("names", [[], ["README"], ["m.py"], ["m.pyo"]])
def test_nothing_to_judge(root: Path, run: Run, names: list[str]) -> None:
    (root / "b").mkdir()
    for name in names:
        put(root / "b" / name, b"")
    code, out, err = run("check-bundle", "b")
    assert (code, out) == (2, "")
    assert "has no bytecode that tells which Python it is for" in err
    if names != ["m.py"]:
        code, out, err = run("check-bundle", "b", "--python", VERSION)
        assert (code, out) == (2, "")
        assert "has no Python module in it" in err


def test_links_that_lead_out(root: Path, run: Run) -> None:
    put_module(root / "b")
    put_module(root / "other")
    (root / "b" / "n.py").symlink_to(root / "other" / "m.py")
    (root / "b" / "linked").symlink_to(root / "other")
    (root / "b" / "inside").symlink_to(root / "b")
    put(root / "data" / "text", b"")
    (root / "b" / "linked-data").symlink_to(root / "data")
    put_module(root / "more")
    (root / "b" / "odd-name").symlink_to(root / "more")
    code, _, err = run("check-bundle", "b")
    assert code == 2
    assert "b/n.py: is a link that leads out of the bundle" in err
    assert "b/linked/m.py: is a link that leads out of the bundle" in err
    assert "b/odd-name: is a link to modules that are not in the bundle" in err
    assert "data" not in err


def test_links_inside(root: Path, run: Run) -> None:
    put_module(root / "b")
    (root / "b" / "n.py").symlink_to("m.py")
    (root / "b" / "__pycache__" / f"n.{TAG}.pyc").symlink_to(f"m.{TAG}.pyc")
    assert run("check-bundle", "b").out == f"OK: 2 modules: 2 used ({HERE}).\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
@pytest.mark.parametrize("name", [f"__pycache__/m.{TAG}.pyc", "n.pyc", "__pycache__/n.pyc"])
def test_files_that_cannot_be_read(root: Path, run: Run, name: str) -> None:
    put_module(root / "b")
    put_module(root / "b", "other")
    (root / "b" / name).unlink(missing_ok=True)
    os.mkfifo(root / "b" / name)
    code, _, err = run("check-bundle", "b", "--python", VERSION)
    assert code == 2
    assert f"b/{name}: is not a regular file" in err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
def test_unchecked_bytecode_of_a_source_that_cannot_be_read(root: Path, run: Run) -> None:
    put_module(root / "b", bytecode=hashed(checked=False))
    (root / "b" / "m.py").unlink()
    os.mkfifo(root / "b" / "m.py")
    code, _, err = run("check-bundle", "b", "--expect", "unchecked-hash")
    assert (code, err) == (2, "error: b/m.py: is not a regular file\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
def test_a_source_without_bytecode_that_cannot_be_read(root: Path, run: Run) -> None:
    put_module(root / "b")
    os.mkfifo(root / "b" / "n.py")
    code, _, err = run("check-bundle", "b", "--format", "json")
    assert (code, err) == (2, "error: b/n.py: is not a regular file\n")
    (root / "b" / "n.py").unlink()  # the printed command fails for the same reason


def test_names_with_a_dot_and_dangling_links_need_no_bytecode(root: Path, run: Run) -> None:
    put_module(root / "b")
    put(root / "b" / "a.b.py", SOURCE)
    (root / "b" / "gone.py").symlink_to("nothing.py")
    assert run("check-bundle", "b").out == f"OK: 1 module: 1 used ({HERE}).\n"


def test_a_target_by_legacy_files(root: Path, run: Run) -> None:
    put(root / "b" / "m.pyc", fitting())
    put(root / "b" / "n.pyc", b"text")
    assert f"2 modules: 1 used, 1 never used ({HERE})" in run("check-bundle", "b").out


def test_missing_bytecode_of_a_python_that_is_nowhere(root: Path, run: Run) -> None:
    put_module(root / "b")
    here = {VERSION, *(python.version for python in pythons())}
    missing = {f"3.{minor}" for minor in range(8, 16)} - here
    if not missing:
        pytest.skip("every Python is here")
    result = run("check-bundle", "b", "--python", max(missing, key=len))
    assert result.code == 1
    remedy = NO_COMMAND if sys.platform == "win32" else "To fix:\n    rm -f -- b/__pycache__/m"
    assert remedy in result.out


def test_the_printed_command_repairs_the_directory(root: Path, run: Run) -> None:
    put(root / "b c" / "m.py", SOURCE)
    printed = run(
        *("check-bundle", "b c", "--python", VERSION, "--expect", "unchecked-hash", "--level", "1")
    ).out
    (command,) = [line.strip() for line in printed.splitlines() if line.startswith("    ")]
    words = shlex.split(command)
    assert run(*words[1:]).code == 1
    assert run(*(word for word in words[1:] if word != "--fix")).code == 0


def test_the_current_directory(root: Path, run: Run) -> None:
    put_module(root)
    put(root / "n.py", SOURCE)
    assert "\nn.py: PYC324" in run("check-bundle", ".").out
