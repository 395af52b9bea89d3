"""Killed, or out of room, at every step of whatever writes: the user's files are old or new."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    Call,
    Sandbox,
    assert_clean_exit,
    copied,
    every_call,
    every_command,
    every_writer,
    posix,
    slow,
)
from faults.step_log import partially_written, run_with_fault, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

resource = pytest.importorskip("resource", reason="no limits of the size of files here")
pytestmark = posix

REPORT = ("--format", "json", "--output", "report.json")
OLD = b"an old report\n"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def killed(
    template: Path, tmp_path: Path, call: Call, *options: str, everything: bool = False
) -> None:
    """Kill a call before each step; with `everything`, after each as well."""
    (template / "report.json").write_bytes(OLD)
    last, old, new = steps_of(template, tmp_path, call, *options, everything=everything)
    assert last
    for n in range(1, last + 1):
        for fault in ("kill", "kill after") if everything or n == last else ("kill",):
            scene = copied(template, tmp_path / f"{n} {fault}")
            result = run_with_fault(scene, call, fault, n, *options, everything=everything)
            # As many processes read history as there is work for: there may be one less.
            assert result.code == -9 or everything, (call, n, fault)
            settle(scene)
            assert partially_written(scene, old, new) == [], (call, n, fault)
            assert scene.unexpected_files() == ["report.json"], (call, n, fault)


def settle(scene: Sandbox) -> None:
    """Wait for a git that was at work: it ends by itself, and takes its lock away."""
    for _ in range(200):
        if not (scene.path / ".git" / "index.lock").exists():
            break
        time.sleep(0.05)


@pytest.fixture
def template(template: Path, tmp_path: Path) -> Path:
    """Copy the repository: a file is added."""
    return copied(template, tmp_path / "template").path


@every_writer(1)
def test_killed_while_files_are_written(template: Path, tmp_path: Path, call: Call) -> None:
    killed(template, tmp_path, call)


@every_command(11)
def test_killed_while_a_report_is_written(template: Path, tmp_path: Path, call: Call) -> None:
    """The last step but one is the renaming."""
    (template / "report.json").write_bytes(OLD)
    last, _, new = steps_of(template, tmp_path, call, *REPORT, everything=False)
    for n in {last - 1, last}:
        scene = copied(template, tmp_path / str(n))
        assert run_with_fault(scene, call, "kill", n, *REPORT, everything=False).code == -9
        changed = scene.state()
        assert changed["report.json"] in (OLD, new["report.json"]), n
        assert scene.unexpected_files() == ["report.json"], n


@slow
@every_call(10)
def test_killed_at_every_step(template: Path, tmp_path: Path, call: Call) -> None:
    """Starting git, and writing into temporary directories, too."""
    killed(template, tmp_path, call, *REPORT, everything=True)


@every_writer(2)
def test_no_room_while_files_are_written(template: Path, tmp_path: Path, call: Call) -> None:
    no_room(template, tmp_path, call, NO_ROOM[:1], everything=False)


@slow
@every_call(11)
def test_no_room_at_every_step(template: Path, tmp_path: Path, call: Call) -> None:
    no_room(template, tmp_path, call, NO_ROOM, everything=True)


def no_room(
    template: Path, tmp_path: Path, call: Call, numbers: tuple[int, ...], *, everything: bool
) -> None:
    """Let each step fail; the failure is reported, and no file is partially written."""
    last, old, new = steps_of(template, tmp_path, call, everything=everything)
    assert last or not call.writes
    for n in range(1, last + 1):
        for number in numbers:
            scene = copied(template, tmp_path / f"{n} {number}")
            result = run_with_fault(scene, call, f"errno {number}", n, everything=everything)
            assert_clean_exit(result)
            assert partially_written(scene, old, new) == [], (call, n, number)
            assert scene.unexpected_files() == [], (call, n, number)
            assert not [*scene.path.glob(".git/pycache-guard.*")], (call, n, number)
            if result.code == 0:
                assert call.command == "clean", (call, n, number)


@every_writer(3)
@pytest.mark.parametrize("size", [0, 10, 100])
def test_no_file_may_grow(scene: Sandbox, call: Call, size: int) -> None:
    """RLIMIT_FSIZE: the kernel lets `size` bytes of each file through; git dies of it too.

    Python would write caches of ours that are cut short, and trip over them ever after.
    """
    old = scene.state()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    result = scene.run(call, env={"PYTHONDONTWRITEBYTECODE": "1"}, preexec_fn=limited)
    assert_clean_exit(result)
    now = scene.state()
    if call.command == "clean":
        assert now.keys() <= old.keys()
    elif result.code == 2:
        assert now == old
    else:  # nothing that is written is as long
        assert size > len(now[".dockerignore"]) > len(old[".dockerignore"])
    assert scene.unexpected_files() == []


def mounted(path: Path, size: str) -> bool:
    """Mount a file system that is soon full; only an administrator may."""
    path.mkdir()
    mount = shutil.which("mount")
    return (
        mount is not None
        and not subprocess.run(
            [mount, "-t", "tmpfs", "-o", f"size={size}", "none", os.fspath(path)],
            check=False,
            capture_output=True,
        ).returncode
    )


@pytest.fixture
def full(template: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """Copy the repository to a file system, and fill that up."""
    place = tmp_path / "full"
    if sys.platform != "linux" or not mounted(place, "2m"):
        pytest.skip("no file system may be mounted here")
    try:
        scene = copied(template, place / "scene")
        with (place / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        yield scene
    finally:
        subprocess.run(["umount", "-l", os.fspath(place)], check=True)


@every_writer(4)
def test_a_full_disk(full: Sandbox, call: Call) -> None:
    old = full.state()
    result = full.run(call)
    assert_clean_exit(result)
    now = full.state()
    if call.command == "clean":  # needs no room
        assert result.code == 0
        assert now.keys() < old.keys()
    else:
        assert (result.code, now) == (2, old)
        assert "No space left" in result.err or "write" in result.err
    assert not [*full.path.glob(".git/*.lock")]


@every_command(12)
def test_no_room_for_temporary_files(
    scene: Sandbox, template: Path, tmp_path: Path, call: Call
) -> None:
    """With a full or read-only TMPDIR, each command does its job or reports an error."""
    old = scene.state()
    place = tmp_path / "tmp"
    if sys.platform != "linux" or not mounted(place, "4k"):
        pytest.skip("no file system may be mounted here")
    with contextlib.suppress(OSError):
        (place / "filler").write_bytes(b"x" * 4096)
    try:
        result = scene.run(call, env={"TMPDIR": os.fspath(place)})
    finally:
        subprocess.run(["umount", "-l", os.fspath(place)], check=True)
    assert_clean_exit(result)
    # Another place is found, or none; in a checkout nothing of it is left.
    assert result.code or call.command == "clean"
    assert scene.state().keys() - {".gitignore"} == old.keys() - {".gitignore"}
