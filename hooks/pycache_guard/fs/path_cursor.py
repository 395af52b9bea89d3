"""The portable cursor: uses paths, and checks each part before it is entered."""

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
