"""Tar files, compressed or not: sdists, and the layers of images."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from pycache_guard.archives.member import CHUNK_BYTES
from pycache_guard.archives.member import MAX_MEMBERS
from pycache_guard.archives.member import ArchiveError
from pycache_guard.archives.member import Member
from pycache_guard.archives.streams import Stream
from pycache_guard.archives.streams import damage
from pycache_guard.archives.streams import decompressor_of
from pycache_guard.archives.streams import words
from pycache_guard.archives.tar_headers import BLOCK
from pycache_guard.archives.tar_headers import DIRECTORY
from pycache_guard.archives.tar_headers import GLOBAL_PAX
from pycache_guard.archives.tar_headers import HARD_LINK
from pycache_guard.archives.tar_headers import LARGEST_HEADER
from pycache_guard.archives.tar_headers import LONG_LINK
from pycache_guard.archives.tar_headers import LONG_NAME
from pycache_guard.archives.tar_headers import PAX
from pycache_guard.archives.tar_headers import SPARSE
from pycache_guard.archives.tar_headers import SYMBOLIC_LINK
from pycache_guard.archives.tar_headers import WITHOUT_CONTENT
from pycache_guard.archives.tar_headers import Header
from pycache_guard.archives.tar_headers import check_pax
from pycache_guard.archives.tar_headers import is_header
from pycache_guard.archives.tar_headers import parse_header
from pycache_guard.archives.tar_headers import parse_long_name
from pycache_guard.archives.tar_headers import parse_pax
from pycache_guard.archives.zip_directory import find_directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from pycache_guard.archives.member import Growth

_ZEROS = bytes(BLOCK)
_SECONDS = re.compile(rb"-?[0-9]{1,15}(\.[0-9]{1,20})?")


class Extended(NamedTuple):
    """The extension headers that precede a member."""

    long_name: bytes | None = None
    long_link: bytes | None = None
    pax: dict[bytes, bytes] | None = None

    def get(self, keyword: bytes) -> bytes | None:
        """Return the value of a pax keyword."""
        return (self.pax or {}).get(keyword)


class Tar:
    """The members in the order of the file."""

    def __init__(self, file: IO[bytes], growth: Growth) -> None:
        """Take a file, and what counts the bytes that it unpacks to.

        Raises `ArchiveError` for a compressed file that is a zip file too.
        """
        file.seek(0)
        self._start = decompressor_of(file.read(BLOCK))
        #: The directories of zip files that readers may see in the tar file itself.
        self._directories = [*find_directories(file)]
        if self._start and self._directories:
            raise ArchiveError("is a tar file and a zip file")
        self._file = file
        self._growth: Growth | None = growth

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `ArchiveError`, also where other readers would just stop."""
        self._file.seek(0)
        # What is read again was counted before.
        count = self._growth.add if self._growth else lambda given: None
        self._growth = None
        try:
            yield from _members(Stream(self._file, self._start, count), self._directories)
        except damage() as error:
            raise ArchiveError(f"is not a readable tar file: {words(error)}") from None


def _members(stream: Stream, directories: list[tuple[int, int]]) -> Iterator[Member]:
    """Yield every member. A zip file in one of them is checked there; others raise `ArchiveError`."""
    left = set(directories)
    extended = Extended()
    count = 0
    while (block := stream.read(BLOCK)) != _ZEROS:
        if stream.position <= BLOCK and not is_header(block):
            raise ArchiveError("is not a readable tar file: it has no header at its start")
        header = parse_header(block)
        if header.type in (*PAX, GLOBAL_PAX, LONG_NAME, LONG_LINK):
            extended = _extend(extended, header, stream)
        else:
            count += 1
            if count > MAX_MEMBERS:
                raise ArchiveError(f"has more than {MAX_MEMBERS} members")
            start = stream.position
            yield from _member(header, extended, stream)
            end = start + header.size
            left = {span for span in left if not (start <= span[0] and span[1] <= end)}
            extended = Extended()
    if extended != Extended():
        raise ArchiveError("ends after a header that describes a missing member")
    while rest := stream.read(CHUNK_BYTES):
        if rest.strip(b"\0"):
            raise ArchiveError("has data after its end")
    if left:
        raise ArchiveError("is a tar file and a zip file")


def _extend(extended: Extended, header: Header, stream: Stream) -> Extended:
    """Read an extension header of the next member. Raises `ArchiveError` if two of them conflict."""
    if header.size > LARGEST_HEADER:
        raise ArchiveError(
            f"has a header of {header.size} bytes, more than {LARGEST_HEADER >> 10} KiB"
        )
    data = stream.read(header.size)
    stream.skip(-header.size % BLOCK)
    if header.type in (LONG_NAME, LONG_LINK):
        is_link = header.type == LONG_LINK
        previous = extended.long_link if is_link else extended.long_name
        name = parse_long_name(data)
        added = extended._replace(long_link=name) if is_link else extended._replace(long_name=name)
        is_repeated = previous is not None or extended.pax is not None
    else:
        records = parse_pax(data)
        check_pax(records, is_global=header.type == GLOBAL_PAX)
        if header.type == GLOBAL_PAX:
            return extended
        added = extended._replace(pax=records)
        is_repeated = extended != Extended()
    if is_repeated:
        raise ArchiveError("has several headers that describe one member")
    return added


def _member(header: Header, extended: Extended, stream: Stream) -> Iterator[Member]:
    """Yield a member, and go on to the next header. Raises `ArchiveError` if that cannot be found."""
    name, *others = _names(header, extended)
    is_directory = header.type == DIRECTORY or (header.type == b"\0" and name.endswith("/"))
    has_none = is_directory or header.type in WITHOUT_CONTENT
    is_sparse = header.type == SPARSE
    content = TarContent(stream, 0 if has_none or is_sparse else header.size)
    yield Member(
        name.rstrip("/") if is_directory else name,
        header.size,
        _mtime(header, extended),
        not has_none and not is_sparse,
        is_directory,
        _target(header, extended, name),
        content.iter_chunks,
        tuple(others),
        offset=None if stream.is_compressed else content.start,
    )
    if is_sparse:
        raise ArchiveError(f"contains a sparse file, whose content is not checked: {name}")
    if has_none and header.size:
        raise ArchiveError(f"has content that only some readers skip: {name}")
    size = extended.get(b"size")
    if size is not None and size != str(header.size).encode():
        raise ArchiveError(f"has two sizes of one member: {name}")
    content.skip()


def _names(header: Header, extended: Extended) -> list[str]:
    """Return the name of a member, then those that readers without knowledge of extensions see."""
    joined = header.prefix + b"/" + header.name if header.prefix else header.name
    own, other = (joined, header.name) if header.is_posix else (header.name, joined)
    found = [extended.get(b"path"), extended.long_name, own, other]
    return [*dict.fromkeys(_text(name) for name in found if name is not None)]


def _target(header: Header, extended: Extended, name: str) -> str | None:
    link = _text(extended.get(b"linkpath") or extended.long_link or header.link)
    if header.type == SYMBOLIC_LINK:
        return posixpath.join(posixpath.dirname(name), link)
    return link if header.type == HARD_LINK else None


def _mtime(header: Header, extended: Extended) -> float | None:
    seconds = extended.get(b"mtime")
    if seconds is None:
        return header.mtime
    return float(seconds) if _SECONDS.fullmatch(seconds) else None


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


class TarContent:
    """The content of a member, and the zero bytes that fill its last block."""

    def __init__(self, stream: Stream, size: int) -> None:
        """Take a stream that stands where the content begins."""
        self._stream = stream
        self._size = size
        #: Where it begins in the tar file, unpacked.
        self.start = stream.position

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        """Yield up to `size` first bytes. Raises `ArchiveError`."""
        end = self.start + min(size, self._size)
        try:
            while (missing := end - self._stream.position) > 0:
                piece = self._stream.read(min(missing, CHUNK_BYTES))
                if not piece:
                    raise ArchiveError("is damaged: it is truncated")
                yield piece
        except damage() as error:
            raise ArchiveError(f"is damaged: {words(error)}") from None

    def skip(self) -> None:
        """Go on to the next header."""
        filled = self._size + -self._size % BLOCK
        self._stream.skip(self.start + filled - self._stream.position)
