"""Walk a directory tree with a cursor that goes through no link."""

from __future__ import annotations

import errno

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.fd_cursor import FdCursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from pycache_guard.fs.cursor import DirectoryCursor
    from pycache_guard.fs.cursor import Listing


#: It was there when its parent was listed: meanwhile removed, or another thing put in its place.
VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Directory:
    """A directory that was listed."""

    __slots__ = ("beside", "directories", "error", "files", "parts", "special")

    def __init__(
        self,
        parts: tuple[str, ...],
        listing: Listing,
        beside: Sequence[str],
        error: OSError | None = None,
    ) -> None:
        #: The names that lead to it from the root.
        self.parts = parts
        self.files: list[str]
        #: Those that are taken out of this list are not visited.
        self.directories: list[str]
        self.special: list[str]
        self.files, self.directories, self.special = listing
        #: The files of the directory above.
        self.beside = beside
        #: Why it could not be listed, if it could not.
        self.error = error


def open_cursor(root: str) -> DirectoryCursor:
    """Return the best way down from `root`.

    Raises `Failure` if it is no directory, or a link to one; `OSError` if it cannot be opened.
    """
    try:
        if compat.HAS_DIR_FD:
            return FdCursor(root)
        from pycache_guard.fs.path_cursor import PathCursor  # 1 ms, on one platform

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
    way: DirectoryCursor, start: tuple[str, ...] = (), beside: Sequence[str] = ()
) -> Iterator[Directory]:
    """Yield the directory `start` and all below it, each before what is in it.

    While one is looked at, `way` stands in it. `beside` are the files of the directory above `start`.
    """
    pending = [(start, beside)]
    while pending:
        parts, above = pending.pop()
        try:
            way.cd(parts)
            found = way.list_entries()
        except OSError as error:
            if error.errno not in VANISHED:
                yield Directory(parts, ([], [], []), above, error)
            continue
        yield Directory(parts, found, above)
        files, directories, _ = found
        if directories:
            pending += [((*parts, name), files) for name in directories]
