"""Replace a file completely, or leave it unchanged."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.regular import open_regular
from pycache_guard.fs.vcs import find_git_dir

if TYPE_CHECKING:
    from collections.abc import Callable


def write_atomic(path: str, data: bytes) -> None:
    """Replace the content of the file `path` by `data` in one step, or leave it unchanged.

    A new file is written, synced to disk and renamed, with the mode and owner of the old one. The old file
    survives a kill and a full disk. Raises `Failure` for a read-only file, a link, anything that is
    not a regular file, and errors of the system.
    """
    _write_and_rename(path, data, _accept_any)


def rewrite_atomic(path: str, old: bytes | None, data: bytes) -> None:
    """Replace the content of a file, like `write_atomic`, if it is still `old`.

    `old` is the content that was read, or None if the file did not exist. Raises `Failure` also if
    the content has changed.
    """

    def check() -> None:
        if read_if_exists(path) != old:
            raise Failure(f"{path}: was modified by another process; nothing was written")

    _write_and_rename(path, data, check)


def _write_and_rename(path: str, data: bytes, check: Callable[[], None]) -> None:
    """Write a new file and, if `check` does not raise, rename it.

    Inside a work tree the new file is written in the git directory: if the process is killed, the rest
    is not in the work tree.
    """
    old = stat_replaceable(path)
    around = find_git_dir(os.path.dirname(os.path.abspath(path)))
    name = f"{os.urandom(4).hex()}.tmp"
    if around is not None:
        with contextlib.suppress(OSError):  # another file system, or no permission
            _rename_into_place(
                path, os.path.join(around, f"pycache-guard.{name}"), data, old, check
            )
            return
    try:
        _rename_into_place(path, f"{path}.{name}", data, old, check)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}; nothing was written") from None


def _rename_into_place(
    path: str, temporary: str, data: bytes, old: os.stat_result | None, check: Callable[[], None]
) -> None:
    """Write `temporary` and rename it; remove it on errors. Raises `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | compat.O_BINARY
    try:
        # A signal can arrive between any two steps, also right after the file is created or renamed.
        descriptor = os.open(temporary, flags, 0o666)
        _write_and_sync(descriptor, temporary, data, old)
        check()
        os.replace(temporary, path)
    except FileExistsError:  # the file of another process
        raise
    except BaseException:
        with contextlib.suppress(OSError):  # it may have been renamed already
            os.unlink(temporary)
        raise


def _accept_any() -> None:
    """Default `check`: replace unconditionally."""


def read_if_exists(path: str) -> bytes | None:
    """Return the content of a file, or None if it does not exist. Raises `OSError`, also for a link."""
    try:
        with open_regular(path, follow=False) as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write_and_sync(
    descriptor: int, temporary: str, data: bytes, old: os.stat_result | None
) -> None:
    """Write a new file, sync it to disk, and close it."""
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if old is not None:
            copy_ownership(file.fileno(), temporary, old)
        os.fsync(file.fileno())


def stat_replaceable(path: str) -> os.stat_result | None:
    """Return the status of a file that may be replaced, or None if it does not exist. Raises `Failure`."""
    try:
        old = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(old.st_mode):
        raise Failure(f"{path}: is a symbolic link; nothing was written")
    if stat.S_ISDIR(old.st_mode):
        raise Failure(f"{path}: is a directory; nothing was written")
    if not stat.S_ISREG(old.st_mode):
        raise Failure(f"{path}: is not a regular file; nothing was written")
    if not old.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        raise Failure(f"{path}: is read-only; nothing was written")
    return old


def copy_ownership(descriptor: int, temporary: str, old: os.stat_result) -> None:
    """Give a new file the mode of the old one and, if permitted, its owner."""
    if compat.HAS_FILE_OWNERS:
        # Without permission the file becomes ours, as with any editor.
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.chmod(temporary, stat.S_IMODE(old.st_mode))
