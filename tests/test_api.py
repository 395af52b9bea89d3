from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import pycache_guard
from helpers.make_pyc import (
    EVIL,
    INNOCENT,
    TIME,
    cache_path,
    compile_source,
    foreign_pyc,
    forged_pyc,
    hash_pyc,
    matching_pyc,
    timestamp_pyc,
    without_lines,
    write_file,
)
from helpers.windows import words_of_missing_file
from pycache_guard import api

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import CodeType

TRUE = INNOCENT.encode()
SELF_REFERENCE = matching_pyc()[:16] + b"\xa9\x01r\0\0\0\0"


def greeting(code: CodeType) -> str:
    """Run code, and what it defines."""
    namespace: dict[str, Callable[[str], str]] = {}
    exec(code, namespace)  # noqa: S102 - this is what it is for
    return namespace["greet"]("you")


HONEST = [
    (cache_path(), matching_pyc()),
    (cache_path(), hash_pyc(compile_source(INNOCENT), TRUE, checked=True)),
    (cache_path(), hash_pyc(compile_source(INNOCENT), TRUE, checked=False)),
    pytest.param(
        cache_path(),
        timestamp_pyc(without_lines(compile_source(INNOCENT)), len(TRUE)),
        marks=pytest.mark.skipif(
            sys.implementation.name == "pypy", reason="PyPy has another form of line tables"
        ),
    ),
    ("m.pyc", matching_pyc()),
]


@pytest.mark.parametrize(("path", "data"), HONEST)
def test_load_code_returns_verified_code(tmp_path: Path, path: str, data: bytes) -> None:
    source = write_file(tmp_path / "m.py", INNOCENT)
    file = write_file(tmp_path / path, data)
    code = pycache_guard.load_code(file)
    assert greeting(code) == "hello you"
    assert code.co_filename == str(source)
    assert pycache_guard.load_code(str(file)) == code


@pytest.mark.parametrize(("more", "level"), [("", 0), (".opt-1", 1), (".opt-2", 2)])
def test_load_code_uses_the_level_in_the_name(tmp_path: Path, more: str, level: int) -> None:
    source = "def f():\n    'doc'\n    assert f\n"
    write_file(tmp_path / "m.py", source)
    code = pycache_guard.load_code(
        write_file(tmp_path / cache_path(more=more), matching_pyc(source, level))
    )
    assert code == compile_source(source, level, str(tmp_path / "m.py"))


LEVELED = "def f():\n    'doc'\n    assert f\n"
#: File name, level of the code, argument, and whether it is refused.
LEVELS: list[tuple[str, int, int | None, str]] = [
    ("m.pyc", 0, None, ""),
    ("m.pyc", 0, 0, ""),
    ("m.pyc", 1, 1, ""),
    ("m.pyc", 2, 2, ""),
    ("m.pyc", 1, None, r"compiles to at optimization level 0: .* of f differs$"),
    ("m.pyc", 2, None, r"compiles to at optimization level 0: "),
    ("m.pyc", 2, 1, r"compiles to at optimization level 1: "),
    ("m.pyc", 0, 2, r"compiles to at optimization level 2: "),
    ("m.pyo", 1, None, "its name states optimization level 1 or 2, not 0$"),
    ("m.pyo", 1, 1, ""),
    ("m.pyo", 2, 1, "is not what"),
    (cache_path(), 0, 0, ""),
    (cache_path(), 2, 2, "its name states optimization level 0, not 2$"),
    (cache_path(more=".opt-2"), 2, None, ""),
    (cache_path(more=".opt-2"), 2, 1, "its name states optimization level 2, not 1$"),
]


@pytest.mark.parametrize(("path", "level", "optimization", "reason"), LEVELS)
def test_load_code_of_a_legacy_file_needs_its_level(
    tmp_path: Path, path: str, level: int, optimization: int | None, reason: str
) -> None:
    write_file(tmp_path / "m.py", LEVELED)
    file = write_file(tmp_path / path, matching_pyc(LEVELED, level))
    if not reason:
        code = pycache_guard.load_code(file, optimization=optimization)
        assert code == compile_source(LEVELED, level, str(tmp_path / "m.py"))
        return
    with pytest.raises(pycache_guard.LoadError, match=reason):
        pycache_guard.load_code(file, optimization=optimization)


@pytest.mark.parametrize("optimization", [-1, 3, "0"])
def test_load_code_with_an_invalid_level_is_an_error(tmp_path: Path, optimization: int) -> None:
    with pytest.raises(ValueError, match=r"^optimization must be 0, 1 or 2$"):
        pycache_guard.load_code(tmp_path / "m.pyc", optimization=optimization)


@pytest.mark.parametrize("options", [["-O"], ["-OO"]])
def test_load_code_defaults_to_the_level_of_the_interpreter(
    tmp_path: Path, options: list[str]
) -> None:
    write_file(tmp_path / "m.py", LEVELED)
    file = write_file(tmp_path / "m.pyc", matching_pyc(LEVELED, level=len(options[0]) - 1))
    code = f"import pycache_guard; print(pycache_guard.load_code({str(file)!r}).co_name)"
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "<module>\n"


REFUSED: list[tuple[str, bytes, str]] = [
    (
        cache_path(),
        forged_pyc(),
        r"is not what .*m\.py compiles to: consts\[[01]\] of greet differs",
    ),
    (cache_path(), hash_pyc(compile_source(EVIL), TRUE, checked=False), "is not what"),
    (
        cache_path(),
        timestamp_pyc(compile_source(INNOCENT), len(TRUE), TIME + 1),
        "stale: the source's modification time differs",
    ),
    (
        cache_path(),
        timestamp_pyc(compile_source(INNOCENT), len(TRUE) + 1),
        "stale: the source is now",
    ),
    (
        cache_path(),
        timestamp_pyc(compile_source(INNOCENT), len(TRUE) + 2),
        "stale: its source has other line endings",
    ),
    (
        cache_path(),
        hash_pyc(compile_source(INNOCENT), b"other", checked=True),
        "stale: the source's hash differs",
    ),
    (cache_path(), timestamp_pyc(compile_source(INNOCENT), len(TRUE), flags=2), "flags 2"),
    (cache_path(), matching_pyc()[:4] + b"\4" + matching_pyc()[5:], "invalid flags 4"),
    (cache_path(), matching_pyc() + b"\0", "1 bytes after the code"),
    (cache_path(), SELF_REFERENCE, "reference to the tuple that it stands in"),
    (cache_path(), b"", "bad magic number"),
    (
        cache_path(),
        foreign_pyc("cpython-36"),
        r"was written by CPython 3\.6, not by this interpreter",
    ),
    (cache_path().replace("m.", "gone."), matching_pyc(), "has no source to compare it with"),
    ("gone.pyc", matching_pyc(), "has no source to compare it with"),
    ("logo.bin", matching_pyc(), "its name does not show where its source is"),
    (
        "__pycache__/m.cpython-36.pyc",
        matching_pyc(),
        "has the tag cpython-36, which is not that of this interpreter",
    ),
    (cache_path(more="-pytest-9.2.0"), matching_pyc(), "was rewritten by pytest"),
    (cache_path(more=".opt-typeguard460"), matching_pyc(), "was rewritten by an import hook"),
]


@pytest.mark.parametrize(("path", "data", "reason"), REFUSED)
def test_load_code_refuses_other_files_with_the_reason(
    tmp_path: Path, path: str, data: bytes, reason: str
) -> None:
    write_file(tmp_path / "m.py", INNOCENT)
    with pytest.raises(pycache_guard.LoadError, match=reason):
        pycache_guard.load_code(write_file(tmp_path / path, data))


@pytest.mark.parametrize("source", ["def (:\n", f"x = {'-' * 90_000}1\n", "x = '\0'"])
def test_load_code_refuses_a_source_that_does_not_compile(tmp_path: Path, source: str) -> None:
    write_file(tmp_path / "m.py", source)
    file = write_file(tmp_path / cache_path(), timestamp_pyc(compile_source(EVIL), len(source)))
    with pytest.raises(pycache_guard.LoadError, match="does not compile"):
        pycache_guard.load_code(file)


def test_load_code_refuses_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(pycache_guard.LoadError, match=words_of_missing_file()):
        pycache_guard.load_code(tmp_path / "nowhere.pyc")
    large = write_file(tmp_path / "m.py", "")
    with large.open("r+b") as file:
        file.truncate((64 << 20) + 1)
    pyc = write_file(
        tmp_path / cache_path(),
        timestamp_pyc(compile_source(""), (64 << 20) + 1, int(large.stat().st_mtime)),
    )
    with pytest.raises(pycache_guard.LoadError, match="is larger than 64 MiB"):
        pycache_guard.load_code(pyc)


def test_read_pyc_returns_header_and_code() -> None:
    pyc = pycache_guard.read_pyc(matching_pyc())
    assert pyc.header.magic.data == importlib.util.MAGIC_NUMBER
    assert pyc.code.consts
    with pytest.raises(pycache_guard.InvalidHeader):
        pycache_guard.read_pyc(b"")


def test_api_names_are_those_of_the_package() -> None:
    assert sorted(api.__all__) == sorted(pycache_guard._API)
    for name in api.__all__:
        assert getattr(pycache_guard, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        pycache_guard.nothing  # noqa: B018 - asking is what raises


def test_import_of_the_package_does_not_import_the_api() -> None:
    code = (
        "import sys, pycache_guard, pycache_guard.scan; print('pycache_guard.api' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
