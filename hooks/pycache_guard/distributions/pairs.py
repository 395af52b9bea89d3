"""Bytecode of an archive, and the sources that it has beside it, held to be compared."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.archives.member import PIECE
from pycache_guard.archives.member import Unjudgeable
from pycache_guard.bytecode.fit import Source
from pycache_guard.bytecode.sniff import HEAD_LENGTH
from pycache_guard.verifying.store import Found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from pycache_guard.archives.member import Archive

#: So many bytes of an archive are held at once; what is beyond is not compared.
LARGEST_HELD = 16 << 20
#: In bytes: a source counts for each bytecode that it is compiled for.
LARGEST_COMPILED = 64 << 20


class Pair(NamedTuple):
    """Bytecode and its source, by their names in the archive, and their sizes."""

    bytecode: str
    bytecode_size: int
    source: str
    source_size: int


class Pairs:
    """A `verifying.store.Store` of pairs, as far as there is room for them."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        """Choose what is held, by the sizes, before anything of it is read."""
        self.failures: list[str] = []
        self.notes: list[str] = []
        #: The bytecode that there is no room for.
        self.left_out: list[str] = []
        self._pairs: dict[str, Pair] = {}
        self._sizes: dict[str, int] = {}
        self._held: dict[str, bytes] = {}
        room, work = LARGEST_HELD, LARGEST_COMPILED
        for pair in pairs:
            # One source may be that of the bytecode of several versions.
            shared = pair.source in self._sizes
            size = pair.bytecode_size + (0 if shared else pair.source_size)
            if size > room or pair.source_size > work:
                self.left_out.append(pair.bytecode)
                continue
            room -= size
            work -= pair.source_size
            self._pairs[pair.bytecode] = pair
            self._sizes[pair.bytecode] = pair.bytecode_size
            self._sizes[pair.source] = pair.source_size

    def fill(self, archive: Archive) -> None:
        """Read what was chosen. Raises `Unjudgeable` where the rest of the archive cannot be read.

        Of members with one name the last one counts, as it does where they are unpacked.
        """
        for member in archive.members() if self._sizes else ():
            if member.is_file and self._sizes.get(member.name) == member.size:
                try:
                    # More than there is: of a head alone, no checksum would be looked at.
                    self._held[member.name] = member.read(member.size + PIECE)
                except Unjudgeable as why:
                    self.failures.append(f"{member.name}: {why}")

    def paths(self) -> Iterator[str]:
        """Yield the bytecode that could be read, and its source too."""
        for pair in self._pairs.values():
            if pair.bytecode in self._held and pair.source in self._held:
                yield pair.bytecode

    def head(self, path: str) -> bytes:
        """Return the first bytes of what `paths` has."""
        return self._held[path][:HEAD_LENGTH]

    def read(self, path: str) -> bytes:
        """Return the whole of it."""
        return self._held[path]

    def source_of(self, path: str) -> Found:
        """Return its source, without a time: that is told by the members'."""
        name = self._pairs[path].source
        data = self._held[name]
        return Found(name, Source(len(data), None, lambda: data))

    def change_at_checkout(self, path: str) -> None:
        """Return `None`: no git is between an archive and what is unpacked."""

    def removal(self, path: str) -> str:
        """Return nothing: an archive is built anew."""
        return ""
