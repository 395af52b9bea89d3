"""Open regular files only, so that a FIFO cannot block and a device cannot be read endlessly.

A checkout can contain a link to either, instead of any file.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
import stat

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

#: With O_NONBLOCK a FIFO that replaces the file after the check cannot block (open(2)).
OPEN_FLAGS = os.O_RDONLY | compat.O_BINARY | compat.O_NONBLOCK

#: Maximum size of small files such as `.git` and HEAD, in bytes.
MAX_SMALL_FILE_BYTES = 1 << 16
#: Of text files that people write, such as configurations, scripts and build files.
MAX_TEXT_BYTES = 1 << 20
TOO_LARGE = "the file is larger than 1 MiB"


def open_regular_fd(path: str | bytes, *, follow: bool = True, dir_fd: int | None = None) -> int:
    """Open a regular file and return its descriptor. Links are followed only with `follow`.

    A relative path starts at the directory of `dir_fd`, if that is given. Raises `OSError` for
    everything that is not a regular file, even if it replaces one after the check.
    """
    return open_with_status(path, follow=follow, dir_fd=dir_fd)[0]


def open_with_status(
    path: str | bytes, *, follow: bool = True, dir_fd: int | None = None
) -> tuple[int, os.stat_result]:
    """Do the same, and return the status of the opened file too."""
    _require_regular(os.stat(path, dir_fd=dir_fd, follow_symlinks=follow), path)
    found = os.open(path, OPEN_FLAGS | (0 if follow else compat.O_NOFOLLOW), dir_fd=dir_fd)
    try:
        status = os.fstat(found)
        _require_regular(status, path)
    except OSError:
        os.close(found)
        raise
    return found, status


def open_regular(path: str | bytes, *, follow: bool = True) -> BinaryIO:
    """Like `open_regular_fd`, but return a file object."""
    return open(open_regular_fd(path, follow=follow), "rb")


def _require_regular(found: os.stat_result, path: str | bytes) -> None:
    """Raise `OSError` for everything that is not a regular file."""
    if not stat.S_ISREG(found.st_mode):
        import errno

        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        if stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, "is a symbolic link", path)
        raise OSError(errno.EINVAL, "is not a regular file", path)


def read_small_file(path: str) -> bytes:
    """Return the content of a regular file. Raises `OSError`, and `ValueError` for a large file."""
    with open_regular(path) as file:
        data = file.read(MAX_SMALL_FILE_BYTES + 1)
    if len(data) > MAX_SMALL_FILE_BYTES:
        raise ValueError(path)
    return data
