"""Tar files, compressed or not: sdists, and the layers of images.

The parser of headers replaces `tarfile`, which accepts what other readers read in another way, keeps
headers of any size in memory, takes quadratic time for a pax header before the fix of CVE-2024-6232,
and takes a damaged header for the end. It may go when `tarfile` has a strict mode. Sources:
POSIX.1-2018, pax, "pax Interchange Format" and "ustar Interchange Format"; GNU tar manual, "Basic Tar
Format".
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.archives.member import CHUNK_BYTES, MAX_MEMBER_COUNT, ArchiveError, Member
from pycache_guard.archives.streams import Stream, error_text, find_decompressor, read_errors
from pycache_guard.archives.zip_directory import find_directories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from pycache_guard.archives.member import Growth

BLOCK_BYTES = 512

#: Maximum size of a pax header or a GNU long name.
MAX_HEADER_BYTES = 10 << 10

#: Type flags, which tarfile names REGTYPE, AREGTYPE, CONTTYPE; LNKTYPE …; GNUTYPE_SPARSE …
HARD_LINK, SYMBOLIC_LINK, DIRECTORY, SPARSE = b"1", b"2", b"5", b"S"
#: Links, devices, directories and pipes have no content: some readers skip what `size` gives, others do not.
WITHOUT_CONTENT = (HARD_LINK, SYMBOLIC_LINK, b"3", b"4", DIRECTORY, b"6")
LONG_NAME, LONG_LINK = b"L", b"K"
#: `X` is what Solaris writes for `x`.
PAX, GLOBAL_PAX = (b"x", b"X"), b"g"

_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_PAX_LENGTH = re.compile(rb"[1-9][0-9]{0,4} ")


class Header(NamedTuple):
    """One header block."""

    name: bytes
    #: POSIX puts it before the name; GNU tar stores times there.
    prefix: bytes
    is_posix: bool
    type: bytes
    size: int
    mtime: int | None
    link: bytes


def is_header(block: bytes) -> bool:
    """Return whether any reader takes `block` for a header, because its checksum fits."""
    if len(block) != BLOCK_BYTES or block[148:156].strip(b" \0") == b"":
        return False
    try:
        return _number(block[148:156]) in _checksums(block)
    except ArchiveError:
        return False


def parse_header(block: bytes) -> Header:
    """Return the fields of a header block. Raises `ArchiveError`."""
    if not is_header(block):
        raise ArchiveError("is truncated or damaged")
    try:
        mtime = _number(block[136:148])
    except ArchiveError:
        mtime = None
    return Header(
        block[:100].partition(b"\0")[0],
        block[345:500].partition(b"\0")[0],
        block[257:263] == b"ustar\0",
        block[156:157],
        _number(block[124:136]),
        mtime,
        block[157:257].partition(b"\0")[0],
    )


def _checksums(block: bytes) -> tuple[int, int]:
    """Return the sums of unsigned and of signed bytes, with blanks in place of the sum itself."""
    rest = block[:148] + block[156:]
    unsigned = sum(rest) + 8 * 32
    return unsigned, unsigned - 256 * len(rest.translate(None, _ASCII))


_ASCII = bytes(range(128))


def _number(field: bytes) -> int:
    """Return a number: octal digits, or base 256 of GNU tar. Raises `ArchiveError` otherwise.

    `tarfile` accepts what `int` accepts, and GNU tar stops at the first character that is not a digit.
    """
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    octal = _OCTAL.fullmatch(field)
    if octal is None:
        raise ArchiveError("has a header with numbers that readers interpret differently")
    return int(octal[1] or b"0", 8)


def parse_long_name(data: bytes) -> bytes:
    """Return the content of a GNU long name, without the NUL at its end. Raises `ArchiveError`."""
    name, _, rest = data.partition(b"\0")
    if rest.strip(b"\0") or not name:
        raise ArchiveError("has a long name that readers interpret differently")
    return name


def parse_pax(data: bytes) -> dict[bytes, bytes]:
    """Return the records of a pax header by keyword. Raises `ArchiveError` for a malformed one."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(data) and data[at]:
        length = _PAX_LENGTH.match(data, at)
        end = at + int(length[0]) if length else 0
        if length is None or end <= length.end() or data[end - 1 : end] != b"\n":
            raise ArchiveError("has a malformed pax header")
        keyword, equals, value = data[length.end() : end - 1].partition(b"=")
        if not equals or not keyword or keyword in records:
            raise ArchiveError("has a malformed pax header, or one with a keyword twice")
        records[keyword] = value
        at = end
    if data[at:].strip(b"\0"):
        raise ArchiveError("has a pax header with data after its end")
    return records


def check_pax(records: dict[bytes, bytes], *, is_global: bool) -> None:
    """Raise `ArchiveError` for records that readers follow in different ways."""
    for keyword, value in records.items():
        if keyword.startswith(b"GNU.sparse.") or keyword == b"SCHILY.realsize":
            raise ArchiveError("contains a sparse file, whose content is not checked")
        if keyword in (b"path", b"linkpath", b"size"):
            if is_global:
                raise ArchiveError(f"has one {keyword.decode()} for all members")
            if not value or b"\0" in value:
                raise ArchiveError(f"has a pax header with a {keyword.decode()} that is malformed")


_ZEROS = bytes(BLOCK_BYTES)
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
    """Reads a tar file; members are yielded in the order of the file."""

    def __init__(self, file: IO[bytes], growth: Growth) -> None:
        """Read the start of a file; `growth` counts the unpacked bytes.

        Raises `ArchiveError` for a compressed file that is a zip file too.
        """
        file.seek(0)
        self._start = find_decompressor(file.read(BLOCK_BYTES))
        #: The directories of zip files that readers may see in the tar file itself.
        self._directories = [*find_directories(file)]
        if self._start and self._directories:
            raise ArchiveError("is a tar file and a zip file")
        self._file = file
        self._growth: Growth | None = growth

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `ArchiveError`, also if other readers would just stop."""
        self._file.seek(0)
        # At the second reading, the bytes have been counted already.
        count = self._growth.add if self._growth else lambda given: None
        self._growth = None
        try:
            yield from _read_members(Stream(self._file, self._start, count), self._directories)
        except read_errors() as error:
            raise ArchiveError(f"is not a readable tar file: {error_text(error)}") from None


def _read_members(stream: Stream, directories: list[tuple[int, int]]) -> Iterator[Member]:
    """Yield every member. A zip file in one of them is checked there; others raise `ArchiveError`."""
    left = set(directories)
    extended = Extended()
    count = 0
    while (block := stream.read(BLOCK_BYTES)) != _ZEROS:
        if stream.position <= BLOCK_BYTES and not is_header(block):
            raise ArchiveError("is not a readable tar file: it has no header at its start")
        header = parse_header(block)
        if header.type in (*PAX, GLOBAL_PAX, LONG_NAME, LONG_LINK):
            extended = _extend(extended, header, stream)
        else:
            count += 1
            if count > MAX_MEMBER_COUNT:
                raise ArchiveError(f"has more than {MAX_MEMBER_COUNT} members")
            start = stream.position
            yield from _read_member(header, extended, stream)
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
    if header.size > MAX_HEADER_BYTES:
        raise ArchiveError(
            f"has a header of {header.size} bytes, more than {MAX_HEADER_BYTES >> 10} KiB"
        )
    data = stream.read(header.size)
    stream.skip(-header.size % BLOCK_BYTES)
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


def _read_member(header: Header, extended: Extended, stream: Stream) -> Iterator[Member]:
    """Yield one member, then go on to the next header.

    Raises `ArchiveError` after the member if readers may disagree about where the next header is.
    """
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
        is_hard_link=header.type == HARD_LINK,
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
    """Return the name of a member, then the names that readers without extensions see."""
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
        """Start at the current position of a stream, where the content begins."""
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
        except read_errors() as error:
            raise ArchiveError(f"is damaged: {error_text(error)}") from None

    def skip(self) -> None:
        """Go on to the next header."""
        filled = self._size + -self._size % BLOCK_BYTES
        self._stream.skip(self.start + filled - self._stream.position)
