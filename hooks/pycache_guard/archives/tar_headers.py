"""The headers of tar files: POSIX ustar and pax, GNU tar's long names.

This replaces `tarfile`, which accepts what other readers read in another way, keeps headers of any
size in memory, takes quadratic time for a pax header before the fix of CVE-2024-6232, and takes a
damaged header for the end. It may go when `tarfile` has a strict mode. Sources: POSIX.1-2018, pax,
"pax Interchange Format" and "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pycache_guard.archives.member import ArchiveError

BLOCK = 512

#: The largest pax header, or GNU long name, in bytes.
LARGEST_HEADER = 10 << 10

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
    #: What POSIX puts in front of the name; GNU tar has times in its place.
    prefix: bytes
    is_posix: bool
    type: bytes
    size: int
    mtime: int | None
    link: bytes


def is_header(block: bytes) -> bool:
    """Return whether `block` begins a member for any reader, because its checksum fits."""
    if len(block) != BLOCK or block[148:156].strip(b" \0") == b"":
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
    """Return a number: octal digits, or GNU tar's base 256. Raises `ArchiveError` for all else.

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
