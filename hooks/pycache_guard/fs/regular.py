"""Regular files and nothing else: nothing waits for a pipe, nothing reads a device without end.

A checkout can hold a link to any of them in the place of any file.
"""

from __future__ import annotations

import os
import stat

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

#: A pipe that was put in a file's place meanwhile is not waited for (open(2)).
OPEN_FLAGS = os.O_RDONLY | compat.O_BINARY | compat.O_NONBLOCK

#: More than a `.git`, a HEAD or a usual configuration holds, in bytes.
MAX_SMALL_FILE_BYTES = 1 << 16


def open_regular_fd(path: str | bytes, *, follow: bool = True, dir_fd: int | None = None) -> int:
    """Open the regular file that `path` leads to, or is, if no link is to be followed.

    A relative path starts at the directory that `dir_fd` has open, if it is given. Raises `OSError`
    for all else, what comes in its place meanwhile included.
    """
    _require_regular(os.stat(path, dir_fd=dir_fd, follow_symlinks=follow), path)
    found = os.open(path, OPEN_FLAGS | (0 if follow else compat.O_NOFOLLOW), dir_fd=dir_fd)
    try:
        _require_regular(os.fstat(found), path)
    except OSError:
        os.close(found)
        raise
    return found


def open_regular(path: str | bytes, *, follow: bool = True) -> BinaryIO:
    """Do the same, and return a file."""
    return open(open_regular_fd(path, follow=follow), "rb")


def _require_regular(found: os.stat_result, path: str | bytes) -> None:
    """Raise `OSError` for what is not a regular file."""
    if not stat.S_ISREG(found.st_mode):
        import errno

        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, "is a symbolic link", path)
        raise OSError(errno.EINVAL, "is not a regular file", path)


def read_small_file(path: str) -> bytes:
    """Return what a regular file contains. Raises `OSError`, and `ValueError` for a large one."""
    with open_regular(path) as file:
        data = file.read(MAX_SMALL_FILE_BYTES + 1)
    if len(data) > MAX_SMALL_FILE_BYTES:
        raise ValueError(path)
    return data
