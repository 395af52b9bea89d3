"""The members of an archive: bytecode and its source, compared by header, and content that is observed.

The header has size, time and hash of the source. Only the interpreter that wrote the bytecode can
show whether the source compiles to its code: see `dist.compare`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.header import InvalidHeader, SourceHash, Timestamp, parse_header
from pycache_guard.bytecode.source_hash import source_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pycache_guard.archives.member import Member
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic

#: Maximum depth of bytecode whose source is searched.
MAX_DIRECTORY_COUNT = 64
#: Maximum size of one source that is hashed, and of all of them together, for each magic number.
MAX_HASHED_SOURCE_BYTES = 1 << 20
MAX_HASHED_BYTES = 8 << 20


class ArchivedPyc(NamedTuple):
    """Bytecode in an archive."""

    #: The name in the archive.
    name: str
    #: None if the file has no well-formed header.
    header: Header | None = None
    #: As in `Member`.
    mtime: float | None = None
    size: int = 0

    #: Another name of the member, if that is the one of bytecode.
    alias: str = ""

    @property
    def is_unchecked(self) -> bool:
        """Return whether Python runs it without checking the source."""
        validation = self.header.validation if self.header else None
        return isinstance(validation, SourceHash) and not validation.checked

    def sources(self) -> list[str]:
        """Return the possible names of its source in the archive, the likeliest first."""
        # In a tree of PYTHONPYCACHEPREFIX, every directory above may hold the source.
        if self.header is None or self.name.count("/") > MAX_DIRECTORY_COUNT:
            return []
        return [*source_candidates(self.name)]


def read_pyc_member(member: Member, head: bytes) -> ArchivedPyc:
    """Return a member that begins with `head`, with its header if that is well-formed."""
    try:
        return ArchivedPyc(member.name, parse_header(head), member.mtime, member.size)
    except InvalidHeader:
        return ArchivedPyc(member.name)


class SourceHasher:
    """Hashes sources: each is read once, and hashed once for each magic number.

    Hashing is slow (`siphash`), so only the first `MAX_HASHED_BYTES` bytes of an archive's sources
    are hashed; sources beyond that are compiled and compared without it.
    """

    def __init__(self) -> None:
        """Start with the full limit."""
        self._left = MAX_HASHED_BYTES

    def hash_function(self, source: Member) -> Callable[[Magic], bytes | None]:
        """Return a function that hashes a source for a magic number, or returns None if it is too large.

        The function raises `ArchiveError`.
        """
        known: dict[bytes, bytes | None] = {}
        data: list[bytes] = []

        def hash_for(magic: Magic) -> bytes | None:
            if magic.data not in known:
                if source.size > min(self._left, MAX_HASHED_SOURCE_BYTES):
                    return None
                self._left -= source.size
                if not data:
                    data.append(source.read(MAX_HASHED_SOURCE_BYTES))
                known[magic.data] = source_hash(data[0], magic)
            return known[magic.data]

        return hash_for


def source_mismatch(
    found: ArchivedPyc, source: Member, hash_for: Callable[[Magic], bytes | None]
) -> str | None:
    """Return how `source` differs from the compiled one by the header; `None` if it does not.

    `hash_for` is what `SourceHasher.hash_function` returns for the source. Raises `ArchiveError`.
    """
    validation = found.header.validation if found.header else None
    if isinstance(validation, Timestamp):
        if not validation.has_size(source.size):
            return f"has {source.size} bytes, not {validation.source_size} as when it was compiled"
        # Builders that make archives alike each time give all members one time.
        if source.mtime not in (None, found.mtime) and not validation.has_mtime(source.mtime):
            return "has a different modification time"
        return None
    if found.header is None or not isinstance(validation, SourceHash):
        return None
    differs = hash_for(found.header.magic) not in (None, validation.digest)
    return "has a different hash" if differs else None


#: APPNOTE 4.3.16: the end record, its size, and that with the longest comment.
_END = b"PK\x05\x06"
_MAX_END_BYTES = 22 + 0xFFFF


class ObservedContent:
    """Passes on chunks of content, and remembers the first one and the last end record of a zip file."""

    _size = 0
    _last_end = -1
    _kept = b""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Read the first piece. Raises what `pieces` raises."""
        self._pieces = pieces
        self.head = next(pieces, b"")

    def __iter__(self) -> Iterator[bytes]:
        """Yield all pieces, the first one included."""
        piece = self.head
        while piece:
            self._watch(piece)
            yield piece
            piece = next(self._pieces, b"")

    def drain(self) -> None:
        """Read the rest."""
        piece = next(self._pieces, b"")
        if not piece:  # the usual case
            self._size, self._last_end = len(self.head), self.head.rfind(_END)
            return
        self._watch(self.head)
        while piece:
            self._watch(piece)
            piece = next(self._pieces, b"")

    def _watch(self, piece: bytes) -> None:
        seen = self._kept + piece if self._kept else piece
        at = seen.rfind(_END)
        if at >= 0:
            self._last_end = self._size - len(self._kept) + at
        self._size += len(piece)
        self._kept = seen[-3:]

    @property
    def ends_like_zip(self) -> bool:
        """Return whether `zipfile.is_zipfile` may accept the content."""
        return self._last_end >= 0 and self._size - self._last_end <= _MAX_END_BYTES
