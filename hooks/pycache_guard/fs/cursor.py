"""The interface of a directory cursor: it has one current directory and never follows a link."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
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
