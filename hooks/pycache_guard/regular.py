"""Regular files and nothing else: nothing waits for a pipe, nothing reads a device without end.

A checkout can hold a link to any of them in the place of any file.
"""

from __future__ import annotations

import os
import stat

from pycache_guard import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

#: A pipe that was put in a file's place meanwhile is not waited for (open(2)).
OPENING = os.O_RDONLY | system.O_BINARY | system.O_NONBLOCK


def descriptor(path: str | bytes, *, follow: bool = True, dir_fd: int | None = None) -> int:
    """Open the regular file that `path` leads to, or is, if no link is to be followed.

    A relative path starts at the directory that `dir_fd` has open, if it is given. Raises `OSError`
    for all else, what comes in its place meanwhile included.
    """
    refuse_others(os.stat(path, dir_fd=dir_fd, follow_symlinks=follow), path)
    found = os.open(path, OPENING | (0 if follow else system.O_NOFOLLOW), dir_fd=dir_fd)
    try:
        refuse_others(os.fstat(found), path)
    except OSError:
        os.close(found)
        raise
    return found


def opened(path: str | bytes, *, follow: bool = True) -> BinaryIO:
    """Do the same, and return a file."""
    return open(descriptor(path, follow=follow), "rb")


def refuse_others(found: os.stat_result, path: str | bytes) -> None:
    """Raise `OSError` for what is no regular file."""
    if not stat.S_ISREG(found.st_mode):
        import errno

        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, "is a symbolic link", path)
        raise OSError(errno.EINVAL, "is no regular file", path)
