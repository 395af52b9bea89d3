"""What an archive holds, member by member."""

from __future__ import annotations

from typing import NamedTuple
from typing import Protocol

from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

#: The largest central directory of a zip file that is read.
MAX_ZIP_DIRECTORY_BYTES = 16 << 20
#: Content is read in pieces of this size.
CHUNK_BYTES = 1 << 16
#: The largest number of members that are checked.
MAX_MEMBER_COUNT = 200_000
#: The highest permitted growth by decompression, and the number of bytes from which on it counts.
MAX_RATIO = 200
RATIO_GRACE_BYTES = 64 << 20
#: The largest number of bytes that an archive and the archives in it may unpack to.
MAX_TOTAL_BYTES = 4 << 30
#: As an argument of `Member.pieces`: the whole content.
WHOLE = 1 << 62


class ArchiveError(Failure):
    """An archive, or a member of one, that cannot be checked; the message is the reason."""


class GrowthExceeded(ArchiveError):
    """An archive that unpacks to more than is allowed: none of what follows is read."""


class Member(NamedTuple):
    """One member. Its content can be read once, until the next member is asked for."""

    #: `/` between parts; bytes that are not UTF-8 are surrogates.
    name: str
    size: int
    #: `None` where the archive's times are not those of files: a zip's have no zone.
    mtime: float | None
    #: Whether a reader may write content to a file of this name, whatever type the archive gives it.
    is_file: bool
    is_directory: bool
    #: Where a link leads, from the archive's top; `None` for all else.
    target: str | None
    #: Yields up to the given number of first bytes. If that reaches the end, sizes and checksums
    #: are compared. Raises `ArchiveError`.
    iter_chunks: Callable[[int], Iterator[bytes]]
    #: The names that other readers give this member.
    other_names: tuple[str, ...] = ()
    #: Of a zip file: the date and time of the directory, as `Entry` has it.
    dos_time: int | None = None
    #: Of a zip file with extended timestamps: seconds of UTC.
    utc_time: int | None = None
    #: Of a zip file: how the content is compressed (APPNOTE 4.4.5).
    method: int = 0
    #: Of a tar file that is not compressed: where the content begins in the file.
    offset: int | None = None
    #: Whether `target` is that of a hard link, of a tar file.
    is_hard_link: bool = False

    def read(self, size: int) -> bytes:
        """Return up to `size` first bytes. Raises `ArchiveError`."""
        return b"".join(self.iter_chunks(size))


class Archive(Protocol):
    """An archive; its members can be gone through more than once."""

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `ArchiveError` where the rest cannot be read."""


class Growth:
    """Counts the bytes that a file and the archives in it unpack to, against the file's size."""

    def __init__(self, taken: int) -> None:
        """Set the limits for a file of `taken` bytes."""
        self._taken = taken
        self._given = 0

    def add(self, given: int) -> None:
        """Count `given` unpacked bytes. Raises `GrowthExceeded` beyond the limits."""
        self._given += given
        check_bomb_limits(self._taken, self._given)


def check_bomb_limits(taken: int, given: int) -> None:
    """Raise `GrowthExceeded` for a bomb: `given` bytes made of `taken` bytes."""
    if given > MAX_TOTAL_BYTES:
        raise GrowthExceeded(
            f"holds more than {MAX_TOTAL_BYTES >> 30} GiB unpacked; the rest is not checked"
        )
    if given > RATIO_GRACE_BYTES and given > MAX_RATIO * taken:
        raise GrowthExceeded(
            f"unpacks to more than {MAX_RATIO} times its size, beyond {RATIO_GRACE_BYTES >> 20} MiB, like a decompression bomb"
        )
