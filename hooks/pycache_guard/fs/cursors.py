"""Cursors in a directory tree: each has one current directory and never follows a link.

`FdCursor` opens directories relative to each other by descriptor, so replacing a directory by a link has
no effect. `PathCursor` is for Windows, whose system calls take no directory descriptor: it checks every
part of a path before use, and a check-then-use race remains.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import errno
import os
import stat

from pycache_guard import compat
from pycache_guard.fs import regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    #: The names in one directory, in any order: regular files and symbolic links; directories; and
    #: everything else: pipes, sockets, devices, junctions of Windows.
    Listing = tuple[list[str], list[str], list[str]]

    class DirectoryCursor(Protocol):
        """A cursor below a root. Names and parts are decoded by `os.fsdecode`.

        All methods except `remove` raise `OSError`.
        """

        def clone(self) -> DirectoryCursor:
            """Return a new cursor with the same root, for another thread."""

        def cd(self, parts: tuple[str, ...]) -> None:
            """Make a directory below the root current. Raises `NotADirectoryError` if a part is a link."""

        def list_entries(self) -> Listing:
            """List the current directory."""

        def identity(self) -> tuple[int, int]:
            """Return device and inode of the current directory."""

        def status(self, name: str = "") -> os.stat_result:
            """Return the status of an entry without following links, or of the current directory."""

        def read(self, name: str, limit: int) -> bytes:
            """Return at most `limit` bytes of a regular file in the current directory; no link is followed."""

        def remove(self, names: Iterable[str]) -> list[tuple[str, OSError]]:
            """Remove files from the current directory; a link is removed itself.

            Return the names that could not be removed, with the error. A missing file is not an error.
            """

        def remove_directory(self, name: str) -> None:
            """Remove an empty directory from the current directory."""

        def close(self) -> None:
            """Close all descriptors."""


def classify(entries: Iterable[os.DirEntry[str]]) -> Listing:
    """Sort the entries of `os.scandir` by kind; most file systems need no further system call."""
    found = [*entries]
    files = [entry.name for entry in found if entry.is_file(follow_symlinks=False)]
    directories: list[str] = []
    special: list[str] = []
    if len(files) < len(found):
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            elif entry.is_symlink():
                files.append(entry.name)
            elif not entry.is_file(follow_symlinks=False):
                special.append(entry.name)
    return files, directories, special


#: The lowest `STEP` directories on the path stay open, every `STEP`th of the lowest `STEP ** 2`, and so on:
#: at most `STEP` for each power, 32 descriptors at 4096 levels. The limit of a process can be 256
#: (macOS), and several cursors are open at once.
STEP = 8
#: Maximum number of descriptors of one cursor, in the deepest possible tree (32767 levels).
MAX_OPEN_FDS = 5 * STEP
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


#: The bit of reparse tags that lead elsewhere, such as junctions. Others (files in a cloud) are ordinary
#: files. [MS-FSCC] 2.1.2.1, Reparse Tags.
NAME_SURROGATE = 0x2000_0000


class PathCursor:
    """A root and the current directory below it."""

    def __init__(self, root: str) -> None:
        self._root = self._here = root
        self._status = _lstat_directory(root)

    def clone(self) -> PathCursor:
        """Return a new cursor with the same root."""
        return PathCursor(self._root)

    def cd(self, parts: tuple[str, ...]) -> None:
        """Make a directory below the root current."""
        path = self._root
        status = _lstat_directory(path)
        for part in parts:
            path = os.path.join(path, part)
            status = _lstat_directory(path)
        self._here, self._status = path, status

    def list_entries(self) -> Listing:
        """List the current directory."""
        with os.scandir(self._here) as entries:
            files, candidates, special = classify(entries)
        directories: list[str] = []
        for name in candidates:
            try:
                away = is_junction(self.status(name))
            except FileNotFoundError:
                continue
            (special if away else directories).append(name)
        return files, directories, special

    def identity(self) -> tuple[int, int]:
        """Return volume and file index of the current directory."""
        return self._status.st_dev, self._status.st_ino

    def status(self, name: str = "") -> os.stat_result:
        """Return the status of an entry without following links, or of the current directory."""
        return os.lstat(os.path.join(self._here, name) if name else self._here)

    def read(self, name: str, limit: int) -> bytes:
        """Return at most `limit` bytes of a regular file in the current directory; no link is followed."""
        with regular.open_regular(os.path.join(self._here, name), follow=False) as file:
            return file.read(limit)

    def remove(self, names: Iterable[str]) -> list[tuple[str, OSError]]:
        """Remove files from the current directory; return names and errors of the others."""
        failed = []
        for name in names:
            try:
                os.unlink(os.path.join(self._here, name))
            except FileNotFoundError:
                pass
            except OSError as error:
                failed.append((name, error))
        return failed

    def remove_directory(self, name: str) -> None:
        """Remove an empty directory from the current directory."""
        os.rmdir(os.path.join(self._here, name))

    def close(self) -> None:
        """Do nothing: no descriptors are open."""


def _lstat_directory(path: str) -> os.stat_result:
    """Return the status of a directory. Raises `NotADirectoryError` for a link to one."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or is_junction(status):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return status


def is_junction(status: os.stat_result) -> bool:
    """Return whether a directory is a junction (`st_reparse_tag` exists only on Windows)."""
    tag: int = getattr(status, "st_reparse_tag", 0)
    return bool(tag & NAME_SURROGATE)
