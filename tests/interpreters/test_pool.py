from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.windows import needs_shell_scripts
from pycache_guard import compat
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.errors import Failure
from pycache_guard.interpreters import pool
from pycache_guard.interpreters.pool import CompilerPool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = importlib.util.MAGIC_NUMBER
OURS = identify_magic(MAGIC)
TAG = sys.implementation.cache_tag or ""


def make(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return os.fspath(path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a machine that has nothing but what a test puts there."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, os.fspath(tmp_path / "home"))
    monkeypatch.setenv("PATH", os.pathsep.join([os.fspath(tmp_path / "bin"), "relative", ""]))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.setattr(pool, "_BIN", ())
    return tmp_path


def test_candidates_are_found_on_path_and_below_pyenv(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = [make(machine / "bin" / name) for name in ("pypy3.9", "python", "python3.11")]
    for name in ("pythonw-config", "python-build", "git", "ipython3"):
        make(machine / "bin" / name)
    (machine / "bin" / "python3").symlink_to("python")
    (machine / "bin" / "python2").write_text("not executable")
    (machine / "bin" / "python9").mkdir()
    pyenv = make(machine / "home/.pyenv/versions/3.11.7/bin/python")
    make(machine / "home/.pyenv/shims/python")
    make(machine / "relative" / "python")
    own = make(machine / "root/versions/3.12.1/bin/python3.12")
    monkeypatch.setenv("PYENV_ROOT", os.fspath(machine / "root"))
    monkeypatch.chdir(machine)
    assert set(pool.find_candidates("3.11")[:2]) == {on_path[2], pyenv}
    assert pool.find_candidates("3.12")[0] == own
    found = {path for path in pool.find_candidates("9") if path.startswith(os.fspath(machine))}
    assert found == {*on_path, pyenv, own}


def test_candidates_exclude_shims(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(machine / "shims" / "python")
    monkeypatch.setenv("PATH", os.fspath(machine / "shims"))
    assert not [path for path in pool.find_candidates("3") if path.startswith(os.fspath(machine))]


def test_candidates_on_windows_include_those_of_both_installers(windows: Path) -> None:
    """Those of the installer, and of the install manager (PEP 773)."""
    found = [
        make(windows / f"home/AppData/Local/{name}/python.exe")
        for name in ("Programs/Python/Python313", "Python/pythoncore-3.13-64")
    ]
    assert set(found) <= set(pool.find_candidates("3.13"))


@needs_shell_scripts
def test_given_interpreter_is_used_first(machine: Path) -> None:
    path = make(machine / "mine")
    make(machine / "bin" / "python")
    compilers = CompilerPool([path])
    assert OURS is not None
    found = [process.interpreter.executable for process in compilers.for_magic(OURS, TAG)]
    assert found == [path]  # the others are of the same patch level
    assert [p.interpreter.executable for p in compilers.for_magic(OURS, "")] == [path]
    assert not list(compilers.for_magic(OURS, "pyston-23"))
    compilers.close()


@needs_shell_scripts
def test_running_interpreter_is_used_if_it_fits(machine: Path) -> None:
    make(machine / "bin" / "python")
    (machine / "bin" / "python3").write_text("#!/bin/sh\n")
    (machine / "bin" / "python3").chmod(0o755)
    compilers = CompilerPool()
    assert OURS is not None
    (process,) = compilers.for_magic(OURS, TAG)
    assert process.interpreter.executable == os.path.realpath(sys.executable)
    compilers.close()


@needs_shell_scripts
def test_given_name_is_searched_on_path(machine: Path) -> None:
    path = make(machine / "bin" / "python")
    compilers = CompilerPool(["python"])
    assert OURS is not None
    assert next(compilers.for_magic(OURS, TAG)).interpreter.executable == path
    compilers.close()
    with pytest.raises(Failure, match=r"^--python nothing: not found on PATH$"):
        CompilerPool(["nothing"])
    with pytest.raises(Failure, match=r"^--python \./nothing: does not answer as an interpreter"):
        CompilerPool(["./nothing"])


class Registry:
    """The registry of Windows, with some of what `winreg` has."""

    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, KEY_READ = 1, 2, 0x20019
    KEY_WOW64_64KEY, KEY_WOW64_32KEY = 0x100, 0x200

    def __init__(self, paths: dict[tuple[int, str], object]) -> None:
        self._paths = paths

    @contextlib.contextmanager
    def OpenKey(self, root: int, path: str, *, access: int) -> Iterator[tuple[int, str]]:
        assert access & self.KEY_READ
        if not any(r == root and p.startswith(path) for r, p in self._paths):
            raise FileNotFoundError(2, path)
        yield root, path

    def EnumKey(self, key: tuple[int, str], index: int) -> str:
        root, path = key
        below = [p.removeprefix(path + "\\") for r, p in self._paths if r == root]
        names = sorted({name.partition("\\")[0] for name in below if "\\" in name})
        if index >= len(names):
            raise OSError(259, "no more data")
        return names[index]

    def QueryValueEx(self, key: tuple[int, str], name: str) -> tuple[object, int]:
        assert name == "ExecutablePath"
        if key not in self._paths:
            raise FileNotFoundError(2, name)
        return self._paths[key], 1


@pytest.fixture
def windows(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Say that this is Windows, with an empty registry."""
    monkeypatch.setattr(compat, "WINDOWS", True)
    monkeypatch.setitem(sys.modules, "winreg", Registry({}))
    return machine


def test_candidates_on_windows_include_registered_ones(
    windows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PEP 514; what is relative or not there does not count."""
    monkeypatch.chdir(windows)
    own = make(windows / "x/python313.exe")
    other = make(windows / "y/python.exe")
    make(windows / "planted.exe")
    start = "Software\\Python\\"
    table: dict[tuple[int, str], object] = {
        (1, f"{start}PythonCore\\3.13\\InstallPath"): own,
        (1, f"{start}PythonCore\\3.12\\InstallPath"): os.fspath(windows / "gone.exe"),
        (1, f"{start}PythonCore\\3.11\\InstallPath"): "planted.exe",
        (1, f"{start}PythonCore\\3.10\\InstallPath"): b"planted.exe",
        (1, f"{start}PythonCore\\3.9\\Help"): own,
        (2, f"{start}Other\\1\\InstallPath"): other,
    }
    monkeypatch.setitem(sys.modules, "winreg", Registry(table))
    assert set(pool.registered()) == {own, other}
    assert {own, other} <= set(pool.find_candidates("3.13"))


@pytest.mark.parametrize("variable", ["PYENV_ROOT", "HOME", "PATH"])
@pytest.mark.parametrize("value", [".", "", "..", "x/..", "~"])
def test_candidates_exclude_the_current_directory(
    machine: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A checkout may hold interpreters of its own."""
    here = machine / "checkout"
    for name in (
        "versions/3.9/bin",
        ".pyenv/versions/3.9/bin",
        ".",
        ".local/share/uv/python/a/bin",
    ):
        make(here / name / "python3.9")
    (here / "x").mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(variable, value)
    assert not [path for path in pool.find_candidates("3.9") if path.startswith(os.fspath(here))]


def test_candidates_on_windows_exclude_directories_that_anyone_can_create(windows: Path) -> None:
    assert "C:/" not in {root for root, _ in pool._VERSIONS_WINDOWS}
    assert not {*pool.interpreter_dirs()} & {"/usr/bin", "/usr/local/bin"}
