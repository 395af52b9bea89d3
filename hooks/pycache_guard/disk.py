"""Where, on disk: the files below paths, and what is in them. Nothing is written."""

from __future__ import annotations

import os

from pycache_guard import regular
from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    #: What is told of a path that could not be read.
    Complain = Callable[[str, str], None]

#: What version control keeps for itself. Git has branches, and with them files, named `x.pyc`.
_INTERNALS = frozenset((".git", ".hg", ".svn", ".bzr", ".jj", ".sl", "_darcs"))
#: No compiler writes more; no more is held in memory.
LARGEST = 64 << 20


class Unreadable(Failure):
    """A path that cannot be read as a file."""


def walk(paths: Sequence[str], complain: Complain) -> Iterator[tuple[str, bool]]:
    """Yield each file below `paths`, sorted, and whether it is reached through a symbolic link.

    Links to files are yielded. Links to directories are not followed, but for one in the place of a
    cache directory, which import follows too. `complain` hears of directories that cannot be read.
    Raises `FileNotFoundError` for one of `paths` that is not there.
    """
    for path in paths:
        if os.path.isdir(path):
            yield from _below(path, complain)
        else:
            os.lstat(path)
            yield path, os.path.islink(path)


def _below(top: str, complain: Complain) -> Iterator[tuple[str, bool]]:
    pending = [(top, False)]
    while pending:
        directory, is_linked = pending.pop()
        try:
            with os.scandir(directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            complain(directory, error.strerror or str(error))
            continue
        below = []
        for entry in listed:
            path = entry.name if directory == os.curdir else os.path.join(directory, entry.name)
            is_link = entry.is_symlink()
            if not _is_directory(entry):
                yield path, is_link
            # Import looks for files alone in a cache directory, and a link may lead back up.
            elif is_linked or entry.name in _INTERNALS:
                continue
            elif not is_link or entry.name.lower() == "__pycache__":
                below.append((path, is_link))
        pending.extend(reversed(below))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links that lead to each other
        return False


def read(path: str, size: int = LARGEST) -> bytes:
    """Return at most the first `size` bytes of the regular file that `path` leads to.

    Raises `Unreadable` with a reason. Nothing waits for a pipe, nothing touches a device.
    """
    try:
        descriptor = regular.descriptor(path)
        try:
            return os.read(descriptor, min(size, os.fstat(descriptor).st_size + 1))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from None


def read_whole(path: str) -> bytes:
    """Return the file that `path` leads to. Raises `Unreadable`, and so for more than `LARGEST`."""
    data = read(path, LARGEST + 1)
    if len(data) > LARGEST:
        raise Unreadable(f"{path}: is larger than {LARGEST >> 20} MiB")
    return data
