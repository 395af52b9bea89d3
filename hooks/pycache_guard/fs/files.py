"""List the files below paths, and read them. Nothing is written."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pycache_guard.errors import Failure
from pycache_guard.fs import cursors, regular
from pycache_guard.fs.vcs import VCS_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    #: Called with the path and the reason for every unreadable path.
    OnError = Callable[[str, str], None]

#: Maximum size of a file that is read; no compiler writes a larger one.
MAX_FILE_BYTES = 64 << 20


class UnreadableFile(Failure):
    """A path that cannot be read as a file."""


class Walk:
    """Yields each file below `paths`, and whether it was reached through a symbolic link.

    A directory of version control is skipped if it looks like one and `has_tracked_files` returns False
    for it. Links to files are yielded. A link or junction instead of a cache directory is followed, as
    import does. A link to a package elsewhere is followed after everything else, because import
    follows it. No directory is listed twice, except a cache directory.
    """

    def __init__(
        self,
        paths: Sequence[str],
        complain: OnError,
        has_tracked_files: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take paths, and `complain`, which is called for directories that cannot be listed."""
        #: Links to directories elsewhere that were not followed; complete when the walk has ended.
        self.unfollowed: list[str] = []
        self._paths = paths
        self._complain = complain
        self._has_tracked_files = has_tracked_files
        #: Device and inode of each listed directory.
        self._listed: set[tuple[int, int]] = set()
        self._links: list[str] = []
        self._linked_caches: set[str] = set()

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        """Yield files in order. Raises `FileNotFoundError` for one of the paths that does not exist."""
        for path in self._paths:
            if os.path.isdir(path):
                yield from self._below(path, is_linked=False)
            else:
                os.lstat(path)
                yield path, os.path.islink(path)
        while self._links:
            link = self._links.pop(0)
            status = os.stat(link)
            if (status.st_dev, status.st_ino) in self._listed:
                continue
            if _is_package(link) and not _holds(link, os.path.dirname(link)):
                yield from self._below(link, is_linked=True)
            else:
                self.unfollowed.append(link)

    def _below(self, top: str, *, is_linked: bool) -> Iterator[tuple[str, bool]]:
        self._remember(top)
        for path, entry in walk_directory(top, self._enters, self._complain):
            if not _is_directory(entry):
                yield path, is_linked or entry.is_symlink()

    def _enters(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Return whether the walk goes into an entry now; remember links that it may follow later."""
        # Import reads only files in a cache directory, and a link may lead back up.
        if (
            not _is_directory(entry)
            or os.path.dirname(path) in self._linked_caches
            or self._is_untracked_vcs_directory(entry.name, path)
        ):
            return False
        if _is_link(entry):
            if entry.name.lower() != "__pycache__":
                self._links.append(path)
                return False
            self._linked_caches.add(path)
        self._remember(path)
        return True

    def _remember(self, directory: str) -> None:
        """Note that a directory is listed; if it cannot be, the walk reports that."""
        with contextlib.suppress(OSError):
            status = os.stat(directory)
            self._listed.add((status.st_dev, status.st_ino))

    def _is_untracked_vcs_directory(self, name: str, path: str) -> bool:
        """Return whether a directory belongs to a version control system, and contains no tracked files."""
        is_vcs_directory = any(
            os.path.lexists(os.path.join(path, mark)) for mark in VCS_ENTRIES.get(name, ())
        )
        return is_vcs_directory and (name == ".git" or not self._has_tracked_files(path))


def walk_directory(
    top: str, enters: Callable[[str, os.DirEntry[str]], bool], complain: OnError
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield path and entry of all below a directory that `enters` does not accept, in order.

    What it accepts is a directory, and is listed after its siblings. Paths begin with `top`, but not with
    `./`. `complain` is called with a directory that cannot be listed, and the reason. `os.walk` calls
    itself for each level, before Python 3.12.
    """
    pending = [top]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            complain(directory, error.strerror or str(error))
            continue
        below = []
        for entry in listed:
            path = entry.name if directory == os.curdir else entry.path
            if enters(path, entry):
                below.append(path)
            else:
                yield path, entry
        pending.extend(reversed(below))


def _is_link(entry: os.DirEntry[str]) -> bool:
    """Return whether a directory is a symbolic link or a junction."""
    return entry.is_symlink() or cursors.is_junction(entry.stat(follow_symlinks=False))


def _is_package(directory: str) -> bool:
    """Return whether import treats a directory as a package: it contains modules."""
    if not os.path.basename(directory).isidentifier():
        return False
    try:
        names = os.listdir(directory)
    except OSError:  # import cannot read it either
        return False
    return any(name == "__pycache__" or name.lower().endswith((".py", ".pyc")) for name in names)


def _holds(directory: str, path: str) -> bool:
    """Return whether `path` is in `directory`, after links in both are resolved."""
    above, below = os.path.realpath(directory), os.path.realpath(path)
    return os.path.join(below, "").startswith(os.path.join(above, ""))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links that lead to each other
        return False


def read_limited(path: str, size: int = MAX_FILE_BYTES) -> bytes:
    """Return at most the first `size` bytes of a regular file; links are followed.

    Raises `UnreadableFile` with the reason. A FIFO cannot block, and a device is not opened.
    """
    try:
        descriptor, status = regular.open_with_status(path)
        try:
            left = min(size, status.st_size + 1)
            pieces = []
            # read(2) may return less than it was asked for: network file systems, FUSE, signals.
            while left and (piece := os.read(descriptor, left)):
                pieces.append(piece)
                left -= len(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from None


def read_file(path: str) -> bytes:
    """Return the content of a file; links are followed. Raises `UnreadableFile`, also if it is too large."""
    data = read_limited(path, MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableFile(f"{path}: is larger than {MAX_FILE_BYTES >> 20} MiB")
    return data
