"""Walk a directory tree with a cursor that never follows links."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import errno

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.cursors import FdCursor, PathCursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycache_guard.fs.cursors import DirectoryCursor, Listing


#: The directory was removed or replaced after its parent was listed.
VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Directory:
    """A listed directory."""

    __slots__ = ("directories", "error", "files", "parent_files", "parts", "special")

    def __init__(
        self,
        parts: tuple[str, ...],
        listing: Listing,
        parent_files: Sequence[str],
        error: OSError | None = None,
    ) -> None:
        #: The names from the root to it.
        self.parts = parts
        self.files: list[str]
        #: The walk does not enter directories that the caller removes from this list.
        self.directories: list[str]
        self.special: list[str]
        self.files, self.directories, self.special = listing
        #: The files of the directory above.
        self.parent_files = parent_files
        #: The error if it could not be listed.
        self.error = error


def open_cursor(root: str) -> DirectoryCursor:
    """Return the best cursor of this platform for `root`.

    Raises `Failure` if it is not a directory or is a link; `OSError` if it cannot be opened.
    """
    try:
        if compat.HAS_DIR_FD:
            return FdCursor(root)
        return PathCursor(root)
    except FileNotFoundError:
        raise Failure(f"{root}: no such directory") from None
    except OSError as error:
        if error.errno in VANISHED:
            raise Failure(
                f"{root}: is not a directory, or is a link; pass the directory itself"
            ) from None
        raise


def walk(
    cursor: DirectoryCursor, start: tuple[str, ...] = (), parent_files: Sequence[str] = ()
) -> Iterator[Directory]:
    """Yield the directory `start` and all directories below it, parents before children.

    The yielded directory is the current one of `cursor`. `parent_files` contains the files of the directory above
    `start`.
    """
    pending = [(start, parent_files)]
    while pending:
        parts, above = pending.pop()
        try:
            cursor.cd(parts)
            found = cursor.list_entries()
        except OSError as error:
            if error.errno not in VANISHED:
                yield Directory(parts, ([], [], []), above, error)
            continue
        yield Directory(parts, found, above)
        files, directories, _ = found
        if directories:
            pending += [((*parts, name), files) for name in directories]
