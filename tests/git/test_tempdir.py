from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import tempfile
from typing import IO, TYPE_CHECKING

import pytest

from pycache_guard import compat
from pycache_guard.git import spawn, tempdir
from pycache_guard.git.tempdir import TemporaryDirectory, open_unnamed_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make them here."""
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    return tmp_path


def filled() -> TemporaryDirectory:
    """Make one with files, a directory and, where there are any, a link that leads out of it."""
    directory = TemporaryDirectory()
    os.makedirs(os.path.join(directory.path, "a", "b"))
    for name in ("x", os.path.join("a", "b", "y")):
        with open(os.path.join(directory.path, name), "xb"):
            pass
    return directory


def test_temporary_directory_exists_inside_the_block(place: Path) -> None:
    with TemporaryDirectory() as path:
        assert os.listdir(place) == [os.path.basename(path)]
        assert os.path.basename(path).startswith("pycache-guard-")
        assert len(spawn._live) == 1
    assert os.listdir(place) == []
    assert spawn._live == []


def test_temporary_directory_is_made_where_one_can_be_made(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never in the current directory, which can be a repository."""
    (place / "file").touch()
    (place / "other").mkdir()
    monkeypatch.setenv("TMPDIR", os.fspath(place / "file"))
    monkeypatch.setenv("TEMP", "")
    monkeypatch.setenv("TMP", os.fspath(place / "other"))
    monkeypatch.chdir(place)
    with TemporaryDirectory() as path:
        assert os.path.dirname(path) == os.fspath(place / "other")
        assert not compat.HAS_FILE_OWNERS or os.stat(path).st_mode & 0o777 == 0o700
    monkeypatch.setenv("TMP", "missing")
    monkeypatch.setattr(compat, "TEMPORARY_PLACES", ("nowhere",))
    with pytest.raises((NotADirectoryError, FileNotFoundError)):
        TemporaryDirectory()
    assert spawn._live == []


def test_remove_does_not_follow_links(place: Path) -> None:
    (place / "kept").mkdir()
    (place / "kept" / "file").write_bytes(b"")
    directory = filled()
    os.symlink(place / "kept", os.path.join(directory.path, "a", "link"))
    directory.remove()
    assert os.listdir(place) == ["kept"]
    assert os.listdir(place / "kept") == ["file"]


def test_remove_deletes_a_thousand_levels(place: Path) -> None:
    directory = TemporaryDirectory()
    path = directory.path
    for _ in range(1000):
        path = os.path.join(path, "d")
        os.mkdir(path)
    directory.remove()
    assert os.listdir(place) == []


@pytest.mark.parametrize("name", ["unlink", "rmdir"])
@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("is_after", [False, True])
def test_interrupted_remove_is_finished_by_stop(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int, is_after: bool
) -> None:
    """At any step, before or after it."""
    directory = filled()
    with monkeypatch.context() as patched:
        raising(patched, name, count, KeyboardInterrupt(), is_after=is_after)
        if name == "unlink" and count == 2:
            directory.remove()
        else:
            with pytest.raises(KeyboardInterrupt):
                directory.remove()
    spawn.stop_all()
    assert os.listdir(place) == []
    assert spawn._live == []


def test_remove_that_fails_raises_and_stop_does_not(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is a failure of a command, and none of its end."""
    directory = filled()
    with monkeypatch.context() as patched:
        raising(patched, "rmdir", 1, OSError(errno.EIO, os.strerror(errno.EIO)))
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            directory.remove()
    with monkeypatch.context() as patched:
        raising(patched, "rmdir", 0, OSError(errno.EIO, os.strerror(errno.EIO)))
        spawn.stop_all()
    assert spawn._live == []
    assert len(os.listdir(place)) == 1


@pytest.mark.parametrize(("busy", "left"), [(2, 0), (4, 1)], ids=["for a moment", "to the end"])
def test_remove_of_a_file_that_is_open_elsewhere_waits_on_windows(
    place: Path, monkeypatch: pytest.MonkeyPatch, busy: int, left: int
) -> None:
    directory = filled()
    calls = iter(range(busy))

    def unlink(path: str) -> None:
        if next(calls, None) is not None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        original(path)

    original = os.unlink
    with monkeypatch.context() as patched:
        patched.setattr(compat, "WINDOWS", True)
        patched.setattr(tempdir, "_WAITS_SECONDS", (0, 0, 0))
        patched.setattr(os, "unlink", unlink)
        directory.remove()
    assert spawn._live == []
    assert len(os.listdir(place)) == left


@pytest.mark.skipif(sys.platform == "win32", reason="it may be open elsewhere there, and stays")
def test_remove_of_a_file_without_permission_raises(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = filled()
    with monkeypatch.context() as patched:
        raising(patched, "unlink", 0, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        with pytest.raises(PermissionError):
            directory.remove()
    directory.remove()


def test_remove_of_a_deleted_directory_does_nothing(place: Path) -> None:
    directory = filled()
    shutil.rmtree(directory.path)
    directory.remove()
    assert os.listdir(place) == []
    assert spawn._live == []


def raising(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    count: int,
    error: BaseException,
    *,
    is_after: bool = False,
) -> None:
    """Let a call of `os` raise, when it is called for the `count`th time, from 0."""
    call: Callable[..., None] = getattr(os, name)
    calls = iter(range(count + 1))

    def failing(*args: object, **options: object) -> None:
        is_now = next(calls, None) == count
        if is_now and not is_after:
            raise error
        call(*args, **options)
        if is_now:
            raise error

    monkeypatch.setattr(os, name, failing)


@pytest.mark.skipif(not compat.HAS_SIGMASK, reason="the system has no signal masks")
def test_no_signal_comes_while_an_unnamed_file_still_has_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocked: set[int] = set()
    make = tempfile.TemporaryFile

    def note_signals() -> IO[bytes]:
        blocked.update(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        return make()

    monkeypatch.setattr(tempfile, "TemporaryFile", note_signals)
    with open_unnamed_file() as file:
        file.write(b"x")
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= blocked
    assert blocked.isdisjoint(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
