"""What a directory cursor is: it stands in one directory at a time and never goes through a link."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Protocol

    #: The names in one directory, in no order: regular files, and symbolic links to whatever; what
    #: one may go down into; and pipes, sockets, devices, directories that lead elsewhere (junctions).
    Listing = tuple[list[str], list[str], list[str]]

    class DirectoryCursor(Protocol):
        """A way down from a root. Names and parts are what `os.fsdecode` makes of any bytes.

        All methods but `remove` raise `OSError`.
        """

        def clone(self) -> DirectoryCursor:
            """Return another way down from the same root, for another thread."""

        def cd(self, parts: tuple[str, ...]) -> None:
            """Stand in a directory below the root. No part may be a link: `NotADirectoryError`."""

        def list_entries(self) -> Listing:
            """List the directory that we stand in."""

        def identity(self) -> tuple[int, int]:
            """Return what tells this directory from all others: device and inode."""

        def status(self, name: str = "") -> os.stat_result:
            """Return the status of an entry of this directory, no link followed; or its own."""

        def read(self, name: str, limit: int) -> bytes:
            """Return at most `limit` bytes of a regular file of this directory, no link followed."""

        def remove(self, names: Iterable[str]) -> list[tuple[str, OSError]]:
            """Remove what is no directory from this one, of a link the link.

            Return those that could not be removed; one that is gone is no failure.
            """

        def remove_directory(self, name: str) -> None:
            """Remove an empty directory from this one."""

        def close(self) -> None:
            """Let go of everything that is open."""


def classify(entries: Iterable[os.DirEntry[str]]) -> Listing:
    """Sort what `os.scandir` says. Most file systems answer without a further system call."""
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
