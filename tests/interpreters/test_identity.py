from __future__ import annotations

import os
import sys
from importlib.util import MAGIC_NUMBER as MAGIC
from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.interpreters import identity
from pycache_guard.interpreters.identity import Interpreter, ask, parse_identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for Python")


def test_running_interpreter_is_described() -> None:
    python = ask(sys.executable)
    assert python.implementation == sys.implementation.name
    assert python.release == sys.version_info[:3]
    assert python.tag == sys.implementation.cache_tag
    assert python.magic == MAGIC
    assert os.path.samefile(python.executable, sys.executable)


def test_asking_imports_nothing_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from where we stand, nor from where the environment says, nor at start-up."""
    mark = tmp_path / "mark"
    for name in ("imp", "sitecustomize", "usercustomize", "os", "site", "struct"):
        (tmp_path / f"{name}.py").write_text(f"open({os.fspath(mark)!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "os.py"))
    assert ask(sys.executable).magic == MAGIC
    assert not mark.exists()
    assert not (tmp_path / "__pycache__").exists()


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[[str], str]:
    """Return a maker of programs that are no Python."""

    def make(script: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


@posix
def test_interpreter_without_isolated_mode_is_asked_as_python_2(
    fake_python: Callable[[str], str],
) -> None:
    """Python 2 does not know `-I`."""
    python = fake_python(
        """case "$1" in -I) exit 2;; esac
test "$*" = "${*#-E -s -S -B -W ignore -c}" && exit 3
printf 'i\\0\\0\\0\\44\\003\\363\\r\\ncpython\\n2.7.18\\n\\n/usr/bin/python2'"""
    )
    assert ask(python) == Interpreter("/usr/bin/python2", b"\x03\xf3\r\n", "cpython", "2.7.18", "")


@posix
@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo hello",
        "exit 0",
        r"printf 'i\0\0\0\20abcda\n3.9.1\nt\n/p'; exit 1",
        r"printf 'i\0\0\0\2abcda\n3.9.1\nt\n/p'",
    ],
)
def test_program_that_is_no_python_is_a_failure(
    script: str, fake_python: Callable[[str], str]
) -> None:
    with pytest.raises(Failure, match="is not a Python interpreter"):
        ask(fake_python(script))


@posix
def test_interpreter_that_does_not_answer_is_a_failure(
    fake_python: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(Failure, match="did not answer"):
        ask(fake_python("exec sleep 60"))


def test_missing_interpreter_is_a_failure(tmp_path: Path) -> None:
    for name in ("python-that-nobody-has", str(tmp_path)):
        with pytest.raises(Failure, match="cannot be run"):
            ask(name)


@posix
def test_relative_path_starts_at_the_current_directory(
    fake_python: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_python(f'exec {sys.executable} "$@"')
    monkeypatch.chdir(tmp_path)
    assert ask("./python").magic == MAGIC


def interpreter(magic: bytes, tag: str) -> Interpreter:
    return Interpreter("python", magic, "cpython", "3.8.1", tag)


@pytest.mark.parametrize(
    ("magic", "own", "tag", "writes"),
    [
        (MAGIC, "cpython-38", "cpython-38", True),
        (MAGIC, "cpython-38", "CPython-38", True),
        (MAGIC, "cpython-38", "", True),
        (MAGIC, "", "cpython-38", True),
        (MAGIC, "cpython-38", "pyston-23", False),
        (b"abcd", "cpython-38", "cpython-38", False),
    ],
)
def test_interpreter_writes_its_own_magic_and_tag(
    magic: bytes, own: str, tag: str, *, writes: bool
) -> None:
    assert interpreter(magic, own).writes(MAGIC, tag) is writes


def test_identity_is_parsed_strictly() -> None:
    read = parse_identity(b"abcdpypy\n3.9.1\npypy39\npyth\xf6n\n")
    assert read == Interpreter("pyth\udcf6n\n", b"abcd", "pypy", "3.9.1", "pypy39")
    assert read.title == "PyPy 3.9.1"
    assert read._replace(implementation="other").title == "other 3.9.1"
    for odd in (b"", b"abcdpypy", b"abcd\xff\n\n\n", b"abcda\nb\nc"):
        with pytest.raises(ValueError, match=r"."):
            parse_identity(odd)
