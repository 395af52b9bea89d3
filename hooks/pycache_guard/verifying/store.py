"""Where bytecode and sources come from: the disk, or an index."""

from __future__ import annotations

from typing import NamedTuple
from typing import Protocol

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.fit import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Found(NamedTuple):
    """The source of a bytecode file."""

    path: str
    source: Source


class Store(Protocol):
    """One of them. What cannot be read raises `Failure`."""

    #: What could not be read, path and all.
    failures: list[str]
    #: Sentences about what was not looked at, and is neither a finding nor a failure.
    notes: list[str]

    def paths(self) -> Iterator[str]:
        """Yield the paths that may be bytecode's by name, or hold bytecode under another name."""

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file."""

    def read(self, path: str) -> bytes:
        """Return a whole file."""

    def source_of(self, path: str) -> Found | None:
        """Find the source that the bytecode at `path` stands for."""

    def change_at_checkout(self, path: str) -> str | None:
        """Return why git does not check out what it stores at `path`, `None` where it does."""

    def removal(self, path: str) -> str:
        """Return the command that removes a file."""


def is_named(path: str) -> bool:
    """Whether `path` is one where an interpreter, or numba, looks for code."""
    return parse_cache_name(path) is not None or is_pickle(path)


def is_pickle(path: str) -> bool:
    """Whether `path` is one of numba's caches, `NAME.nbi` and `NAME.nbc` beside the others."""
    directory, _, name = path.rpartition("/")
    in_cache = directory.rpartition("/")[2].lower() == "__pycache__"
    return in_cache and name.lower().endswith((".nbi", ".nbc"))
