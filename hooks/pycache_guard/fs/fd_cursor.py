"""The way down by directory descriptors: openat(2), unlinkat(2)."""

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.fs import regular
from pycache_guard.fs.cursor import classify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.fs.cursor import Listing

#: Of the directories on the way down, the lowest `STEP` are held open, of the lowest `STEP ** 2` every
#: `STEP`th, and so on: at most `STEP` for each power, 32 descriptors at 4096 levels. A process may have as
#: few as 256 (macOS), and several ways down are open at once.
STEP = 8
#: So many descriptors a way down may take in any tree that a file system can hold (32767 levels).
MAX_OPEN = 5 * STEP
#: How a directory is opened, and nothing else: no link, no pipe (open(2)).
OPENING = os.O_RDONLY | compat.O_DIRECTORY | compat.O_NOFOLLOW


class FdCursor:
    """A root and the directories on the way down from it, each opened from the one above."""

    def __init__(self, root: str, above: int | None = None) -> None:
        self._names: list[str] = []
        #: One more than names: the root's is the first. `None` where it was closed meanwhile.
        self._open: list[int | None] = [os.open(root, OPENING, dir_fd=above)]

    def clone(self) -> FdCursor:
        """Return another way down from the very same root."""
        return FdCursor(os.curdir, self._open[0])

    def cd(self, parts: tuple[str, ...]) -> None:
        """Stand in a directory below the root."""
        common = 0
        for ours, theirs in zip(self._names, parts):  # noqa: B905 - what is longer is left below
            if ours != theirs:
                break
            common += 1
        self._leave(common)
        if self._open[-1] is None:
            self._reopen()
        for level in range(common, len(parts)):
            self._open.append(os.open(parts[level], OPENING, dir_fd=self._open[level]))
            self._names.append(parts[level])
            if level >= STEP:
                self._close_above(level + 1)

    def list_entries(self) -> Listing:
        """List the directory that we stand in."""
        with os.scandir(self._here()) as entries:
            return classify(entries)

    def identity(self) -> tuple[int, int]:
        """Return device and inode of this directory."""
        status = self.status()
        return status.st_dev, status.st_ino

    def status(self, name: str = "") -> os.stat_result:
        """Return the status of an entry of this directory, no link followed; or its own."""
        if name:
            return os.stat(name, dir_fd=self._here(), follow_symlinks=False)
        return os.fstat(self._here())

    def read(self, name: str, limit: int) -> bytes:
        """Return at most `limit` bytes of a regular file of this directory, no link followed."""
        found = regular.open_regular_fd(name, follow=False, dir_fd=self._here())
        with open(found, "rb") as file:
            return file.read(limit)

    def remove(self, names: Iterable[str]) -> list[tuple[str, OSError]]:
        """Remove what is no directory from this one; return what could not be."""
        here = self._here()
        unlink = os.unlink
        failed = []
        for name in names:
            try:
                unlink(name, dir_fd=here)
            except FileNotFoundError:
                pass
            except OSError as error:
                failed.append((name, error))
        return failed

    def remove_directory(self, name: str) -> None:
        """Remove an empty directory from this one."""
        os.rmdir(name, dir_fd=self._here())

    def close(self) -> None:
        """Close all descriptors."""
        self._leave(0)
        os.close(self._here())

    def _here(self) -> int:
        descriptor = self._open[-1]
        assert descriptor is not None
        return descriptor

    def _leave(self, depth: int) -> None:
        """Go up until `depth` levels below the root."""
        while len(self._names) > depth:
            self._names.pop()
            descriptor = self._open.pop()
            if descriptor is not None:
                os.close(descriptor)

    def _reopen(self) -> None:
        """Open the lowest directory, and what is closed on the way to it from an open one."""
        depth = len(self._names)
        start = depth
        while self._open[start] is None:
            start -= 1
        for level in range(start, depth):
            try:
                self._open[level + 1] = os.open(
                    self._names[level], OPENING, dir_fd=self._open[level]
                )
            except OSError:
                self._leave(level)
                raise
            self._close_above(level + 1)

    def _close_above(self, level: int) -> None:
        """Close what need not be open any more, now that `level` is."""
        distance = STEP
        while distance < level:
            above = level - distance
            if above % distance:
                descriptor = self._open[above]
                if descriptor is not None:
                    os.close(descriptor)
                    self._open[above] = None
            distance *= STEP
