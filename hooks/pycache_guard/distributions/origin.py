"""Whether bytecode in an archive comes from the source that the archive has beside it.

Told by the header: size, time and hash. Whether the code is what that source compiles to, only the
interpreter that wrote it can tell: see `comparison`.
"""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.bytecode.header import parse_header
from pycache_guard.bytecode.siphash import source_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.archives.member import Member
    from pycache_guard.bytecode.header import Header


class Shipped(NamedTuple):
    """Bytecode in an archive."""

    #: As the archive has it.
    name: str
    #: `None` where there is none that is well-formed.
    header: Header | None = None
    #: As of `Member`.
    mtime: float | None = None
    size: int = 0

    @property
    def is_unchecked(self) -> bool:
        """Whether Python runs it without ever looking at the source."""
        validation = self.header.validation if self.header else None
        return isinstance(validation, SourceHash) and not validation.checked

    def sources(self) -> list[str]:
        """Return where in the archive its source may be, the likeliest first."""
        return [*source_candidates(self.name)] if self.header else []


def shipped(member: Member, head: bytes) -> Shipped:
    """Return what is known of a member that begins with `head`."""
    try:
        return Shipped(member.name, parse_header(head), member.mtime, member.size)
    except InvalidHeader:
        return Shipped(member.name)


def difference(found: Shipped, source: Member, limit: int) -> str | None:
    """Say how `source` is not the one that bytecode was made from; `None` where nothing is seen.

    A source of more than `limit` bytes is not hashed. Raises `Unjudgeable`.
    """
    validation = found.header.validation if found.header else None
    if isinstance(validation, Timestamp):
        if not validation.has_size(source.size):
            return f"has {source.size} bytes, and had {validation.source_size}"
        # Builders that make archives alike each time give all members one time.
        if source.mtime not in (None, found.mtime) and not validation.has_mtime(source.mtime):
            return "has another time"
    elif found.header and isinstance(validation, SourceHash) and source.size <= limit:
        digest = source_hash(source.read(limit), found.header.magic)
        if digest not in (None, validation.digest):
            return "has another hash"
    return None
