"""Compare bytecode in an archive with its sources, using the engine of `verify-bytecode`."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.archives.member import CHUNK_BYTES
from pycache_guard.archives.member import ArchiveError
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.sniff import HEAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from pycache_guard.archives.member import Archive
    from pycache_guard.dist.members import ArchivedPyc
    from pycache_guard.findings import Finding
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.verify.stores import FoundSource


class ArchiveComparer:
    """Compares, for one archive after the other; compilers are looked for when one needs them."""

    def __init__(self) -> None:
        self._compilers: CompilerPool | None = None

    def find_mismatches(
        self, archive: Archive, pairs: Iterable[tuple[ArchivedPyc, str, int]]
    ) -> tuple[dict[str, str], list[str]]:
        """Return a message for each bytecode member that differs, and the failures.

        `pairs` are bytecode, and name and size of its source. Raises `ArchiveError` where the
        archive cannot be read to its end.
        """
        # Only an archive that ships bytecode with its source pays for these.
        from pycache_guard.interpreters.pool import CompilerPool
        from pycache_guard.verify.check import verify

        held = ArchiveStore(
            SourcePair(each.name, each.size, source, size) for each, source, size in pairs
        )
        held.load(archive)
        if self._compilers is None:
            self._compilers = CompilerPool()
        doubts: dict[str, str] = {}
        # Of two findings for one file the later counts: it is the result of the comparison.
        for finding in verify(held, self._compilers).findings:
            words, path = _message(finding), finding.path
            assert path is not None
            if words:
                doubts[path] = words
        crowded = f"cannot be compared: more than {MAX_HELD_BYTES >> 20} MiB with what comes first"
        return {**doubts, **dict.fromkeys(held.skipped, crowded)}, held.failures

    def close(self) -> None:
        """End the compilers."""
        if self._compilers is not None:
            self._compilers.close()


def _message(finding: Finding) -> str:
    """Return the message of `verify-bytecode` in words for an archive; empty to report nothing.

    `ArchiveScan` reports unchecked-hash and the version from the header itself.
    """
    rule = finding.rule.name
    if rule in ("PYC203", "PYC207"):
        return ""
    return (
        f"does not match its source: {finding.message}"
        if rule in ("PYC201", "PYC202")
        else finding.message
    )


#: The most bytes of an archive that are kept in memory; files beyond it are not compared.
MAX_HELD_BYTES = 16 << 20
#: In bytes: a source counts for each bytecode that it is compiled for.
MAX_COMPILED_BYTES = 64 << 20


class SourcePair(NamedTuple):
    """Bytecode and its source, by their names in the archive, and their sizes."""

    bytecode: str
    bytecode_size: int
    source: str
    source_size: int


class ArchiveStore:
    """A `verify.stores.Store` of pairs, as far as they fit into memory."""

    def __init__(self, pairs: Iterable[SourcePair]) -> None:
        """Choose the pairs that fit, by their sizes, before reading any."""
        self.failures: list[str] = []
        self.notes: list[str] = []
        #: The bytecode that there is no room for.
        self.skipped: list[str] = []
        self._pairs: dict[str, SourcePair] = {}
        self._sizes: dict[str, int] = {}
        self._held: dict[str, bytes] = {}
        room, work = MAX_HELD_BYTES, MAX_COMPILED_BYTES
        for pair in pairs:
            # One source may be that of the bytecode of several versions.
            shared = pair.source in self._sizes
            size = pair.bytecode_size + (0 if shared else pair.source_size)
            if size > room or pair.source_size > work:
                self.skipped.append(pair.bytecode)
                continue
            room -= size
            work -= pair.source_size
            self._pairs[pair.bytecode] = pair
            self._sizes[pair.bytecode] = pair.bytecode_size
            self._sizes[pair.source] = pair.source_size

    def load(self, archive: Archive) -> None:
        """Read what was chosen. Raises `ArchiveError` where the rest of the archive cannot be read.

        Of members with one name the last one counts, as it does where they are unpacked.
        """
        for member in archive.members() if self._sizes else ():
            if member.is_file and self._sizes.get(member.name) == member.size:
                try:
                    # More than there is: of a head alone, no checksum would be looked at.
                    self._held[member.name] = member.read(member.size + CHUNK_BYTES)
                except ArchiveError as why:
                    self.failures.append(f"{member.name}: {why}")

    def paths(self) -> Iterator[str]:
        """Yield the bytecode that could be read, and its source too."""
        for pair in self._pairs.values():
            if pair.bytecode in self._held and pair.source in self._held:
                yield pair.bytecode

    def head(self, path: str) -> bytes:
        """Return the first bytes of what `paths` has."""
        return self._held[path][:HEAD_BYTES]

    def read(self, path: str) -> bytes:
        """Return the whole of it."""
        return self._held[path]

    def source_of(self, path: str) -> FoundSource:
        """Return its source, without a time: `source_mismatch` compares the times of members."""
        from pycache_guard.verify.stores import FoundSource

        name = self._pairs[path].source
        data = self._held[name]
        return FoundSource(name, Source(len(data), None, lambda: data))

    def change_at_checkout(self, path: str) -> None:
        """Return `None`: git does not change the files of an archive."""

    def remove_command(self, path: str) -> str:
        """Return an empty string: an archive must be built again."""
        return ""
