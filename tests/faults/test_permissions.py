"""Permissions that are lost: as an ordinary user, of files, directories, the repository itself."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    Call,
    Sandbox,
    assert_clean_exit,
    every_call,
    every_command,
    every_writer,
    posix,
    slow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helpers.repo import Result

pytestmark = posix

#: Root is stopped by nothing: there, capabilities are given up (capabilities(7)).
ORDINARY: tuple[str, ...] = ()
if sys.platform != "win32" and os.geteuid() == 0:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytestmark = pytest.mark.skip(reason="an administrator is stopped by nothing")
    ORDINARY = (str(setpriv), "--bounding-set=-all", "--inh-caps=-all", "--securebits=+noroot")


@pytest.fixture
def scene(scene: Sandbox) -> Iterator[Sandbox]:
    """Give permissions back, so that everything can be removed."""
    yield scene
    for where, _, _ in os.walk(scene.path):
        os.chmod(where, 0o755)


def run(scene: Sandbox, call: Call, *options: str) -> Result:
    """Run without an administrator's powers."""
    from conftest import PROGRAM

    return scene.run(call, *options, program=(*ORDINARY, os.fspath(PROGRAM)))


def test_permissions_count(scene: Sandbox) -> None:
    """The tests below would test nothing otherwise."""
    (scene.path / "pyproject.toml").chmod(0)
    result = run(scene, Call("forbid-bytecode"))
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: ./pyproject.toml: Permission denied\n"


#: What is taken away; the first few are enough for a start.
LOST = (".git/index", ".git/objects", "pkg", "pyproject.toml")
LOST_TOO = (
    *(".git/HEAD", ".git/config", ".git/refs", ".git/objects/pack", ".git"),
    *(".gitignore", ".dockerignore", "Dockerfile", "pkg/__pycache__", "lint.py", "dist"),
)


@every_command(16)
@pytest.mark.parametrize("name", LOST)
def test_nothing_can_be_read(scene: Sandbox, call: Call, name: str) -> None:
    check_lost(scene, call, name)


@slow
@every_call(12)
@pytest.mark.parametrize("name", LOST + LOST_TOO)
def test_nothing_at_all_can_be_read(scene: Sandbox, call: Call, name: str) -> None:
    check_lost(scene, call, name)


def check_lost(scene: Sandbox, call: Call, name: str) -> None:
    """Never 0, unless the command does not use the path; never a traceback; one line on stderr."""
    (scene.path / name).chmod(0)
    result = run(scene, call)
    assert_clean_exit(result)
    assert result.code or call.command == "clean"


#: Directories in which nothing may be made or removed.
KEPT = [".", ".git", "pkg/__pycache__"]


@every_writer(5)
@pytest.mark.parametrize("path", KEPT)
def test_nothing_can_be_written(scene: Sandbox, call: Call, path: str) -> None:
    old = scene.state()
    os.chmod(scene.path / path, 0o555)
    result = run(scene, call)
    os.chmod(scene.path / path, 0o755)
    assert_clean_exit(result)
    now = scene.state()
    for name in {*old, *now}:
        if now.get(name) != old.get(name):
            # Only what lies elsewhere has changed, and as a whole.
            assert path != "." or name == ":index" or "/" in name
            assert path != ".git" or name != ":index"
    assert scene.unexpected_files() == []
    assert not [*scene.path.glob(".git/*.lock")]
    if call.command == "clean" and path == "pkg/__pycache__":
        assert result.code == 1
        assert "PYC501 not removed" in result.out


@every_command(17)
def test_a_report_that_cannot_be_written(scene: Sandbox, call: Call) -> None:
    (scene.path / "closed").mkdir(mode=0o555)
    result = run(scene, call, "--output", "closed/report")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: closed/report: Permission denied")


@every_command(18)
def test_the_directory_where_we_stand_is_gone(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = ("sh", "-c", 'cd "$1" && rmdir "$1" && shift && "$@"', "sh", os.fspath(gone))
    from conftest import PROGRAM

    result = scene.run(call, program=(*program, os.fspath(PROGRAM)))
    assert_clean_exit(result)
    assert result.code == 2 or call.command in ("clean", "verify-bytecode")
