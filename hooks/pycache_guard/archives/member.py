"""What an archive holds, member by member."""

from __future__ import annotations

from typing import NamedTuple
from typing import Protocol

from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

#: So much is read of what is read whole: a source, the metadata, a file in a zip's directory.
LARGEST_READ = 16 << 20
#: More than that is read piece by piece.
PIECE = 1 << 16
#: So many members are judged.
MOST_MEMBERS = 200_000
#: What is decompressed may be so many times as large as what it comes from, beyond so many bytes.
HIGHEST_RATIO = 200
FREE_OF_RATIO = 64 << 20
#: And so many bytes in all.
LARGEST_TOTAL = 4 << 30


class Unjudgeable(Failure):
    """An archive, or a member of one, that cannot be judged; the words say why."""


class Member(NamedTuple):
    """One member. It can be read until the next one is asked for."""

    #: `/` between parts, with surrogates for what is not UTF-8.
    name: str
    size: int
    #: `None` where the archive's times are not those of files: a zip's have no zone.
    mtime: float | None
    #: Whether it has content: not a directory, link or device.
    is_file: bool
    is_directory: bool
    #: Where a link leads, from the archive's top; `None` for all else.
    target: str | None
    #: Yield up to so many first bytes. Raises `Unjudgeable`.
    pieces: Callable[[int], Iterator[bytes]]

    def read(self, size: int) -> bytes:
        """Return up to `size` first bytes. Raises `Unjudgeable`."""
        return b"".join(self.pieces(size))


class Archive(Protocol):
    """An archive; its members can be gone through more than once."""

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `Unjudgeable` where the rest cannot be read."""


def check_growth(taken: int, given: int) -> None:
    """Raise `Unjudgeable` for a bomb: `given` bytes made of `taken` bytes."""
    if given > LARGEST_TOTAL:
        raise Unjudgeable(f"holds more than {LARGEST_TOTAL >> 30} GiB: not judged to its end")
    if given > FREE_OF_RATIO and given > HIGHEST_RATIO * taken:
        raise Unjudgeable(
            f"grows more than {HIGHEST_RATIO}-fold beyond {FREE_OF_RATIO >> 20} MiB: a bomb?"
        )
