"""The interface of archives and their members, and the limits for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Maximum size of the central directory of a zip file.
MAX_ZIP_DIRECTORY_BYTES = 16 << 20
#: Content is read in pieces of this size.
CHUNK_BYTES = 1 << 16
#: Maximum number of members.
MAX_MEMBER_COUNT = 200_000
#: Maximum length of the name of a member (Linux: PATH_MAX), and of all names that are kept.
MAX_NAME_CHARS = 4096
MAX_ALL_NAME_CHARS = 32 << 20
#: Maximum growth by decompression, and the unpacked size up to which it does not matter.
MAX_RATIO = 200
RATIO_GRACE_BYTES = 64 << 20
#: Maximum unpacked size of an archive and the archives in it.
MAX_TOTAL_BYTES = 4 << 30
#: The argument of `Member.iter_chunks` for the whole content.
WHOLE = 1 << 62


class ArchiveError(Failure):
    """An archive or a member that cannot be checked. The message is the reason."""


class GrowthExceeded(ArchiveError):
    """An archive that unpacks to more than the limits. The rest of it is not read."""


class Member(NamedTuple):
    """One member. Its content can be read once, before the next member is read."""

    #: `/` between parts; bytes that are not UTF-8 are surrogates.
    name: str
    size: int
    #: None for a zip file, whose times have no time zone.
    mtime: float | None
    #: Whether a reader may write content to a file of this name, whatever type the archive gives it.
    is_file: bool
    is_directory: bool
    #: The target of a link, from the top of the archive; None for everything else.
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
    """An archive, whose members can be iterated several times."""

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `ArchiveError` if the rest cannot be read."""


def check_name_length(name: str) -> None:
    """Raise `ArchiveError` for a name that no system call takes."""
    if len(name) > MAX_NAME_CHARS:
        raise ArchiveError(f"has a name of more than {MAX_NAME_CHARS} bytes")


def limit_names(members: Iterator[Member]) -> Iterator[Member]:
    """Yield members for a caller who keeps their names. Raises `ArchiveError` beyond the limit."""
    room = MAX_ALL_NAME_CHARS
    for member in members:
        room -= len(member.name) + len(member.target or "")
        if room < 0:
            raise ArchiveError(
                f"has names of more than {MAX_ALL_NAME_CHARS >> 20} MiB; the rest is not checked"
            )
        yield member


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
    """Raise `GrowthExceeded` if `taken` bytes unpack to too many `given` bytes."""
    if given > MAX_TOTAL_BYTES:
        raise GrowthExceeded(
            f"holds more than {MAX_TOTAL_BYTES >> 30} GiB unpacked; the rest is not checked"
        )
    if given > RATIO_GRACE_BYTES and given > MAX_RATIO * taken:
        raise GrowthExceeded(
            f"unpacks to more than {MAX_RATIO} times its size, beyond {RATIO_GRACE_BYTES >> 20} MiB, like a decompression bomb"
        )
