"""Regular files and nothing else: nothing waits for a pipe, nothing reads a device without end.

A checkout can hold a link to any of them in the place of any file.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def status(path: str | bytes) -> os.stat_result:
    """Return the status of the regular file that `path` leads to. Raises `OSError` for all else."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        import errno

        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        raise OSError(errno.EINVAL, "is no regular file", path)
    return found


def opened(path: str | bytes) -> BinaryIO:
    """Open the regular file that `path` leads to. Raises `OSError`."""
    status(path)
    return open(path, "rb")
