"""Tar files, compressed or not: sdists."""

from __future__ import annotations

import posixpath
import tarfile
from typing import cast

from pycache_guard.archives import zips
from pycache_guard.archives.member import MOST_MEMBERS
from pycache_guard.archives.member import PIECE
from pycache_guard.archives.member import Member
from pycache_guard.archives.member import Unjudgeable
from pycache_guard.archives.streams import MAGICS
from pycache_guard.archives.streams import Stream
from pycache_guard.archives.zips import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: What `tarfile` and decompressors raise on bytes that are no tar file.
DAMAGE = (*zips.DAMAGE, tarfile.TarError, KeyError, RecursionError)

#: A block that begins no member.
_END = bytes(tarfile.BLOCKSIZE)


class Tar:
    """The members in the order of the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `Unjudgeable`, also where a reader would just stop."""
        self._file.seek(0)
        head = self._file.read(8)
        self._file.seek(0)
        starts = [start for magic, start in MAGICS if head.startswith(magic)]
        stream = Stream(self._file, starts[0] if starts else None)
        try:
            yield from self._read(stream)
        except DAMAGE as error:
            raise Unjudgeable(f"is no tar file that can be read: {words(error)}") from None

    def _read(self, stream: Stream) -> Iterator[Member]:
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r:", errors="surrogateescape"
        ) as tar:
            count = 0
            while (info := tar.next()) is not None:
                count += 1
                if count > MOST_MEMBERS:
                    raise Unjudgeable(f"has more than {MOST_MEMBERS} members")
                # tarfile keeps every member, which typeshed does not know.
                tar.members.clear()  # type: ignore[attr-defined]
                yield self._member(tar, info)
            # It takes a damaged header for the end as well.
            if stream.last != _END:
                raise Unjudgeable("is cut short, or damaged in its middle")
        while rest := stream.read(1 << 16):
            if rest.strip(b"\0"):
                raise Unjudgeable("holds more behind its end")

    def _member(self, tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
        target = None
        if info.issym():
            target = posixpath.join(posixpath.dirname(info.name), info.linkname)
        elif info.islnk():
            target = info.linkname
        return Member(
            info.name,
            info.size,
            info.mtime,
            info.isreg(),
            info.isdir(),
            target,
            Content(tar, info).pieces,
        )


class Content:
    """The content of a member that is a file. What was read first can be read again, once more only."""

    def __init__(self, tar: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        self._tar = tar
        self._info = info
        self._file: IO[bytes] | None = None
        self._first = b""

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield up to `size` first bytes. Raises `Unjudgeable`."""
        try:
            if self._file is None:
                self._file = cast("IO[bytes]", self._tar.extractfile(self._info))
                self._first = self._file.read(min(size, PIECE))
            piece = self._first[:size]
            while piece:
                yield piece
                size -= len(piece)
                piece = self._file.read(min(size, PIECE))
        except DAMAGE as error:
            raise Unjudgeable(f"is damaged: {words(error)}") from None
