"""Compare bytecode in an archive with its sources, using the engine of `verify-bytecode`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.archives.member import CHUNK_BYTES, ArchiveError
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.stores import BytecodeStore, FoundSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycache_guard.archives.member import Archive
    from pycache_guard.dist.members import ArchivedPyc
    from pycache_guard.findings import Finding
    from pycache_guard.interpreters.pool import CompilerPool


class ArchiveComparer:
    """Compares one archive after the other. Compilers are searched when the first archive needs them."""

    def __init__(self) -> None:
        self._compilers: CompilerPool | None = None

    def find_mismatches(
        self, archive: Archive, pairs: Iterable[tuple[ArchivedPyc, str, int]]
    ) -> tuple[dict[str, str], list[str]]:
        """Return a message for each bytecode member that differs, and the failures.

        `pairs` are bytecode members, each with name and size of its source. Raises `ArchiveError` if the
        archive cannot be read to its end.
        """
        # Only archives with bytecode and its source need these.
        from pycache_guard.interpreters.pool import CompilerPool
        from pycache_guard.verify.check import verify

        store = ArchiveStore(
            SourcePair(each.name, each.size, source, size) for each, source, size in pairs
        )
        store.load(archive)
        if self._compilers is None:
            self._compilers = CompilerPool()
        mismatches: dict[str, str] = {}
        # Of two findings for one file the later counts: it is the result of the comparison.
        for finding in verify(store, self._compilers).findings:
            words, path = _message(finding), finding.path
            assert path is not None
            if words:
                mismatches[path] = words
        too_large = (
            f"cannot be compared: more than {MAX_HELD_BYTES >> 20} MiB with what comes first"
        )
        return {**mismatches, **dict.fromkeys(store.skipped, too_large)}, store.failures

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


#: Maximum size of the files of an archive that are kept in memory; the others are not compared.
MAX_HELD_BYTES = 16 << 20
#: Maximum size of the compiled sources; a source counts once for each bytecode file.
MAX_COMPILED_BYTES = 64 << 20


class SourcePair(NamedTuple):
    """Names and sizes of a bytecode member and its source."""

    bytecode: str
    bytecode_size: int
    source: str
    source_size: int


class ArchiveStore(BytecodeStore):
    """A store of the pairs that fit into memory."""

    def __init__(self, pairs: Iterable[SourcePair]) -> None:
        """Choose the pairs that fit, by their sizes. Nothing is read."""
        self.failures: list[str] = []
        self.notes: list[str] = []
        #: The names of the bytecode that does not fit.
        self.skipped: list[str] = []
        self._pairs: dict[str, SourcePair] = {}
        self._sizes: dict[str, int] = {}
        self._contents: dict[str, bytes] = {}
        room, work = MAX_HELD_BYTES, MAX_COMPILED_BYTES
        for pair in pairs:
            # Bytecode of several versions can share one source.
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
        """Read the chosen members. Raises `ArchiveError` if the rest of the archive cannot be read.

        Of several members with one name the last one counts, as it does when they are unpacked.
        """
        for member in archive.members() if self._sizes else ():
            if member.is_file and self._sizes.get(member.name) == member.size:
                try:
                    # More than its size: the checksum is compared only at the end.
                    self._contents[member.name] = member.read(member.size + CHUNK_BYTES)
                except ArchiveError as why:
                    self.failures.append(f"{member.name}: {why}")

    def paths(self) -> Iterator[str]:
        """Yield the bytecode that could be read together with its source."""
        for pair in self._pairs.values():
            if pair.bytecode in self._contents and pair.source in self._contents:
                yield pair.bytecode

    def read(self, path: str) -> bytes:
        """Return a whole file."""
        return self._contents[path]

    def source_of(self, path: str) -> FoundSource:
        """Return the source of a file, without a time: `source_mismatch` has compared the times."""
        name = self._pairs[path].source
        data = self._contents[name]
        return FoundSource(name, Source(len(data), None, lambda: data))
