"""Bytecode and sources by path, whether they are on disk, in the index, in a commit, or in an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from pycache_guard.bytecode.sniff import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.freshness import Source


class FoundSource(NamedTuple):
    """The source of a bytecode file."""

    path: str
    source: Source


class FileStore(Protocol):
    """Files whose paths are known. Methods raise `Failure` for unreadable files."""

    def read(self, path: str) -> bytes:
        """Return a whole file."""

    def source_of(self, path: str) -> FoundSource | None:
        """Return the source of the bytecode at `path`, None if it does not exist."""


class BytecodeStore(FileStore, Protocol):
    """Files to verify, and their sources. Methods raise `Failure` for unreadable files."""

    #: Unreadable files, each with path and reason.
    failures: list[str]
    #: Sentences about skipped files that are neither findings nor failures.
    notes: list[str]

    def paths(self) -> Iterator[str]:
        """Yield the paths of files with bytecode names, or with bytecode under another name."""

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file."""
        return self.read(path)[:HEAD_BYTES]

    def change_at_checkout(self, path: str) -> str | None:
        """Return why git does not check out what it stores at `path`, None if it does."""
        return None

    def remove_command(self, path: str) -> str:
        """Return the command that removes a file, empty if what contains it has to be built again."""
        return ""
