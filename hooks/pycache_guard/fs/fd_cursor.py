"""The cursor that uses directory descriptors: openat(2), unlinkat(2)."""

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.fs import regular
from pycache_guard.fs.cursor import classify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.fs.cursor import Listing

#: The lowest `STEP` directories on the path stay open, every `STEP`th of the lowest `STEP ** 2`, and so on:
#: at most `STEP` for each power, 32 descriptors at 4096 levels. The limit of a process can be 256
#: (macOS), and several cursors are open at once.
STEP = 8
#: Maximum number of descriptors of one cursor, in the deepest possible tree (32767 levels).
MAX_OPEN = 5 * STEP
#: Flags that open only directories: no link, no pipe (open(2)).
OPENING = os.O_RDONLY | compat.O_DIRECTORY | compat.O_NOFOLLOW


class FdCursor:
    """A root and the directories below it, each opened relative to the one above."""

    def __init__(self, root: str, above: int | None = None) -> None:
        self._names: list[str] = []
        #: Descriptors of the root and of each name; None if a directory was closed to save descriptors.
        self._open: list[int | None] = [os.open(root, OPENING, dir_fd=above)]

    def clone(self) -> FdCursor:
        """Return a new cursor for exactly the same root directory."""
        return FdCursor(os.curdir, self._open[0])

    def cd(self, parts: tuple[str, ...]) -> None:
        """Make a directory below the root current."""
        common = 0
        for ours, theirs in zip(self._names, parts):  # noqa: B905 - the longer one is handled below
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
        """List the current directory."""
        with os.scandir(self._here()) as entries:
            return classify(entries)

    def identity(self) -> tuple[int, int]:
        """Return device and inode of the current directory."""
        status = self.status()
        return status.st_dev, status.st_ino

    def status(self, name: str = "") -> os.stat_result:
        """Return the status of an entry without following links, or of the current directory."""
        if name:
            return os.stat(name, dir_fd=self._here(), follow_symlinks=False)
        return os.fstat(self._here())

    def read(self, name: str, limit: int) -> bytes:
        """Return at most `limit` bytes of a regular file in the current directory; no link is followed."""
        found = regular.open_regular_fd(name, follow=False, dir_fd=self._here())
        with open(found, "rb") as file:
            return file.read(limit)

    def remove(self, names: Iterable[str]) -> list[tuple[str, OSError]]:
        """Remove files from the current directory; return names and errors of the others."""
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
        """Remove an empty directory from the current directory."""
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
        """Open the lowest directory, and the closed directories between it and an open one."""
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
        """Close directories that need not stay open after `level` was opened."""
        distance = STEP
        while distance < level:
            above = level - distance
            if above % distance:
                descriptor = self._open[above]
                if descriptor is not None:
                    os.close(descriptor)
                    self._open[above] = None
            distance *= STEP
