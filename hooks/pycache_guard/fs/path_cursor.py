"""The portable way down: by paths, each new part looked at before it is entered."""

from __future__ import annotations

import errno
import os
import stat

from pycache_guard.fs import regular
from pycache_guard.fs.cursor import classify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.fs.cursor import Listing

#: A reparse point that stands for something elsewhere, as a junction does; others (files kept in a
#: cloud) are what they seem. [MS-FSCC] 2.1.2.1, Reparse Tags.
NAME_SURROGATE = 0x2000_0000


class PathCursor:
    """A root and the directory below it where we stand."""

    def __init__(self, root: str) -> None:
        self._root = self._here = root
        self._status = _lstat_directory(root)

    def clone(self) -> PathCursor:
        """Return another way down from the same root."""
        return PathCursor(self._root)

    def cd(self, parts: tuple[str, ...]) -> None:
        """Stand in a directory below the root."""
        path = self._root
        status = _lstat_directory(path)
        for part in parts:
            path = os.path.join(path, part)
            status = _lstat_directory(path)
        self._here, self._status = path, status

    def list_entries(self) -> Listing:
        """List the directory that we stand in."""
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
        """Return volume and file index of this directory."""
        return self._status.st_dev, self._status.st_ino

    def status(self, name: str = "") -> os.stat_result:
        """Return the status of an entry of this directory, no link followed; or its own."""
        return os.lstat(os.path.join(self._here, name) if name else self._here)

    def read(self, name: str, limit: int) -> bytes:
        """Return at most `limit` bytes of a regular file of this directory, no link followed."""
        with regular.open_regular(os.path.join(self._here, name), follow=False) as file:
            return file.read(limit)

    def remove(self, names: Iterable[str]) -> list[tuple[str, OSError]]:
        """Remove what is no directory from this one; return what could not be."""
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
        """Remove an empty directory from this one."""
        os.rmdir(os.path.join(self._here, name))

    def close(self) -> None:
        """Nothing is held open."""


def _lstat_directory(path: str) -> os.stat_result:
    """Return the status of a directory. Raises `NotADirectoryError` for a link to one."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or is_junction(status):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return status


def is_junction(status: os.stat_result) -> bool:
    """Whether what looks like a directory is a junction (`st_reparse_tag` is there on Windows only)."""
    tag: int = getattr(status, "st_reparse_tag", 0)
    return bool(tag & NAME_SURROGATE)
