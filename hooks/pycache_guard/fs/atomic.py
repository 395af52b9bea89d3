"""Write a file as a whole, or leave it as it is."""

from __future__ import annotations

import contextlib
import os
import stat

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.git_dir import find_git_dir
from pycache_guard.fs.regular import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def write_atomic(path: str, data: bytes) -> None:
    """Put `data` in the place of the file `path` in one step, or leave it as it is.

    A new file is written, brought to disk and renamed over it, with its mode and owner; a kill or a
    full disk in between leaves the old one whole. Raises `Failure` for a read-only file, a link,
    what is no file, and where the system refuses.
    """
    _write_and_rename(path, data, _accept_any)


def rewrite_atomic(path: str, old: bytes | None, data: bytes) -> None:
    """Put `data` in the place of what a file holds, as `write_atomic` does.

    `old` is what it held when it was read, `None` if it was not there: raises `Failure` too if that
    has changed.
    """

    def check() -> None:
        if read_if_exists(path) != old:
            raise Failure(f"{path}: has changed meanwhile; nothing was written")

    _write_and_rename(path, data, check)


def _write_and_rename(path: str, data: bytes, check: Callable[[], None]) -> None:
    """Write a file and, if `check` does not raise, rename it.

    Where a work tree is round it, it is written in git's directory first: were we killed there, git
    would not track what is left.
    """
    old = stat_replaceable(path)
    around = find_git_dir(os.path.dirname(os.path.abspath(path)))
    name = f"{os.urandom(4).hex()}.tmp"
    if around is not None:
        with contextlib.suppress(OSError):  # another file system, or not ours to write in
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
    """Write `temporary` and rename it; leave no trace of it otherwise. Raises `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | compat.O_BINARY
    try:
        # A signal can come between any two steps, also right after the file was made or renamed.
        descriptor = os.open(temporary, flags, 0o666)
        _write_and_sync(descriptor, temporary, data, old)
        check()
        os.replace(temporary, path)
    except FileExistsError:  # it is somebody else's
        raise
    except BaseException:
        with contextlib.suppress(OSError):  # it may have been renamed already
            os.unlink(temporary)
        raise


def _accept_any() -> None:
    """Let whatever is there be replaced."""


def read_if_exists(path: str) -> bytes | None:
    """Return what a file holds, `None` where there is none; no link is followed. Raises `OSError`."""
    try:
        with open_regular(path, follow=False) as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write_and_sync(
    descriptor: int, temporary: str, data: bytes, old: os.stat_result | None
) -> None:
    """Write a new file, bring it to disk, and close it."""
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if old is not None:
            copy_ownership(file.fileno(), temporary, old)
        os.fsync(file.fileno())


def stat_replaceable(path: str) -> os.stat_result | None:
    """Return what is at `path` if it may be replaced, `None` if nothing is there."""
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
    """Give a new file the owner, as far as we may, and the mode of the old one."""
    if compat.HAS_FILE_OWNERS:
        # Another's file in a directory of ours becomes ours, as with any editor.
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.chmod(temporary, stat.S_IMODE(old.st_mode))
