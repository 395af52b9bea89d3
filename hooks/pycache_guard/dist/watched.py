"""Observe a member while it is read: its first bytes, and whether it ends like a zip file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: APPNOTE 4.3.16: the end record, its size, and that with the longest comment.
_END = b"PK\x05\x06"
_LONGEST_END = 22 + 0xFFFF


class Watched:
    """Pass on pieces of content and observe them."""

    __slots__ = ("_kept", "_last_end", "_pieces", "_size", "head")

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Read the first piece. Raises what `pieces` raises."""
        self._pieces = pieces
        self._size = 0
        self._last_end = -1
        self._kept = b""
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
        return self._last_end >= 0 and self._size - self._last_end <= _LONGEST_END
