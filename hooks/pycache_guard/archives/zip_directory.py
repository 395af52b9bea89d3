"""The end and the central directory of a zip file, and its local headers.

This replaces `zipfile`, which differs from other readers: it does not compare the two directories
that a zip64 file can have, and compares of a local header only the name. zipimport goes by the
directory, installers that read streams by the local headers. It may go when `zipfile` has a strict
mode. Sources: PKWARE's APPNOTE 6.3.10, whose sections the comments name; `zipfile._EndRecData`;
`zipimport._read_directory`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.archives.member import MAX_ZIP_DIRECTORY_BYTES, ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"
DESCRIPTOR = b"PK\x07\x08"
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCATOR = b"PK\x06\x07"

#: 4.3.7, 4.3.12, 4.3.14 to 4.3.16: the fixed parts, without signatures, and versions made by.
_LOCAL_FORM = struct.Struct("<4x3H4x3I2H")
_CENTRAL_FORM = struct.Struct("<8x2HI3I4H2x2I")
_END_FORM = struct.Struct("<4x4H2IH")
_END64_FORM = struct.Struct("<4xQ2H2I4Q")
_LOCATOR_FORM = struct.Struct("<4xIQI")
LOCAL_SIZE = _LOCAL_FORM.size
_BOTH64 = _END64_FORM.size + _LOCATOR_FORM.size
#: What the end of a zip file can be: a comment has 65535 bytes at most.
_MAX_END_BYTES = _END_FORM.size + 0xFFFF + _BOTH64

#: 4.4.4, bits 0, 3, 6, 11 and 13.
ENCRYPTED = 0x1
HAS_DESCRIPTOR = 0x8
UTF8 = 0x800
_SAME_FLAGS = ENCRYPTED | HAS_DESCRIPTOR | 0x40 | 0x2000

_ZIP64 = 0x0001
#: 4.6.9: Info-ZIP's Unicode path.
_UNICODE_PATH = 0x7075
#: 4.5.2: Info-ZIP's extended timestamp.
_EXTENDED_TIME = 0x5455
_MAX32 = 0xFFFF_FFFF
_MAX64 = (1 << 64) - 1
_NEWEST_VERSION = 63


class Directory(NamedTuple):
    """The central directory: its bytes and its place."""

    #: Its bytes.
    data: bytes
    start: int
    #: The number of bytes before the archive, from where offsets are counted.
    prefix: int
    members: int


class Entry(NamedTuple):
    """The entry of one member in the central directory."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    mode: int
    #: Of the local header, from the start of the file.
    offset: int
    extra: bytes
    #: Date and time (4.4.6) in one number, the date in its upper half: local time, to two seconds.
    dos_time: int = 0


def has_directory(file: IO[bytes]) -> bool:
    """Return whether any reader takes `file` for a zip file with members, by its last bytes."""
    return any(True for _ in find_directories(file))


def find_directories(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Yield every place where a reader may find a directory: its start, and the end of its end record."""
    size = file.seek(0, 2)
    tail_at = max(size - _MAX_END_BYTES, 0)
    file.seek(tail_at)
    tail = file.read(_MAX_END_BYTES)
    for at in _ends(tail):
        _, _, _, _, length, offset, _ = _END_FORM.unpack_from(tail, at)
        starts = [tail_at + at - length, offset]
        if at >= _BOTH64 and tail.startswith(_END64, at - _BOTH64):
            *_, length64, offset64 = _END64_FORM.unpack_from(tail, at - _BOTH64)
            starts += [tail_at + at - _BOTH64 - length64, offset64]
        for start in starts:
            if 0 <= start < size:
                file.seek(start)
                if file.read(4) == CENTRAL:
                    yield start, tail_at + at + _END_FORM.size


def _ends(tail: bytes) -> Iterator[int]:
    """Yield the positions of end records: the last one, and any whose comment reaches the end."""
    last = tail.rfind(_END)
    if 0 <= last <= len(tail) - _END_FORM.size:
        yield last
    at = tail.find(_END)
    while 0 <= at < last:
        if int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail) - at - _END_FORM.size:
            yield at
        at = tail.find(_END, at + 1)


def read_directory(file: IO[bytes]) -> Directory:
    """Return the directory of a zip file. Raises `ArchiveError` if readers may find another one."""
    size = file.seek(0, 2)
    file.seek(max(size - _MAX_END_BYTES, 0))
    tail = file.read(_MAX_END_BYTES)
    at = tail.rfind(_END)
    if at < 0:
        raise ArchiveError("is not a readable zip file: it has no end record")
    if len(tail) - at < _END_FORM.size:
        raise ArchiveError("is not a readable zip file: its end record is truncated")
    disk, first_disk, here, count, length, offset, comment = _END_FORM.unpack_from(tail, at)
    if len(tail) - at - _END_FORM.size != comment:
        raise ArchiveError("is a zip file whose end record is not at its end")
    end = size - len(tail) + at
    preceding = tail[max(at - _BOTH64, 0) : at]
    if preceding.startswith(_END64) or preceding[-_LOCATOR_FORM.size :].startswith(_LOCATOR):
        count, length, offset, place = _read_end64(preceding, (here, count, length, offset))
        end -= _BOTH64
        # Some writers count from the start of the archive, others from that of the file.
        if place not in (end, length + offset):
            raise ArchiveError("is a zip file with two possible zip64 end records")
    elif here != count:
        raise ArchiveError("is a zip file with two member counts")
    if disk not in (0, 0xFFFF) or first_disk not in (0, 0xFFFF):
        raise ArchiveError("is one part of a split zip file")
    return _directory_at(file, size, end, (count, length, offset))


def _read_end64(found: bytes, usual: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return number, length and offset of the zip64 record, and the place that its locator gives.

    `zipfile` goes by the record if there is a locator, zipimport from 3.13 on if there is a record,
    and before 3.13 by the usual one: they must agree.
    """
    locator = found[-_LOCATOR_FORM.size :]
    if len(found) < _BOTH64 or not (found.startswith(_END64) and locator.startswith(_LOCATOR)):
        raise ArchiveError("is a zip file with a part of a zip64 end record")
    rest, _, _, disk, first_disk, here, count, length, offset = _END64_FORM.unpack_from(found)
    locator_disk, place, disks = _LOCATOR_FORM.unpack(locator)
    if rest != _END64_FORM.size - 12 or disk or first_disk or locator_disk or disks > 1:
        raise ArchiveError(
            "is a zip file with a zip64 end record that readers interpret differently"
        )
    limits = (0xFFFF, 0xFFFF, _MAX32, _MAX32)
    for each, other, limit in zip((here, count, length, offset), usual, limits, strict=True):
        if other not in (each, limit):
            raise ArchiveError("is a zip file with two end records that disagree")
    if here != count:
        raise ArchiveError("is a zip file with two member counts")
    return count, length, offset, place


def _directory_at(file: IO[bytes], size: int, end: int, record: tuple[int, int, int]) -> Directory:
    """Read the directory that ends at `end`. Raises `ArchiveError` if another one can be found."""
    count, length, offset = record
    if length > MAX_ZIP_DIRECTORY_BYTES:
        raise ArchiveError(
            f"has a directory of {length} bytes, more than {MAX_ZIP_DIRECTORY_BYTES >> 20} MiB"
        )
    start = end - length
    prefix = start - offset
    if start < 0 or prefix < 0:
        raise ArchiveError("is not a readable zip file: its directory is damaged")
    if prefix:
        file.seek(offset)
        if file.read(4) == CENTRAL:
            raise ArchiveError("is a zip file with two directories")
    file.seek(start)
    data = file.read(length)
    after = file.read(size - end)
    if data[:4] != (CENTRAL if count else b""):
        raise ArchiveError("is not a readable zip file: its directory is damaged")
    records = after.count(_END) + after.count(_END64) + after.count(_LOCATOR)
    expected = 3 if after.startswith(_END64) else 1
    if records != expected or any(mark in data for mark in (_END, _END64, _LOCATOR)):
        raise ArchiveError("is a zip file with several end records")
    return Directory(data, start, prefix, count)


def read_entries(directory: Directory) -> list[Entry]:
    """Return the entries in order. Raises `ArchiveError` if they do not fill the directory."""
    found: list[Entry] = []
    data, at = directory.data, 0
    while at < len(data):
        name_at = at + _CENTRAL_FORM.size
        if not data.startswith(CENTRAL, at) or name_at > len(data):
            break
        (
            flags,
            method,
            dos_time,
            crc,
            packed,
            size,
            name_size,
            extra_size,
            comment_size,
            disk,
            mode,
            offset,
        ) = _CENTRAL_FORM.unpack_from(data, at)
        extra_at = name_at + name_size
        extra = data[extra_at : extra_at + extra_size]
        if extra:
            size, packed, offset = _resolve(extra, (size, packed, offset))
        if disk:
            raise ArchiveError("is one part of a split zip file")
        offset += directory.prefix
        name = data[name_at:extra_at]
        found.append(Entry(name, flags, method, crc, packed, size, mode, offset, extra, dos_time))
        at = extra_at + extra_size + comment_size
    if at != len(data) or len(found) != directory.members:
        raise ArchiveError("is not a readable zip file: its directory is damaged")
    return found


def _resolve(extra: bytes, values: tuple[int, ...]) -> list[int]:
    """Return numbers; those that are too large for their field come from the extra field (4.5.3).

    What else the extra field has must be one of them: some readers go by it without being asked.
    """
    found = [data for tag, data in extra_fields(extra) if tag == _ZIP64]
    if len(found) > 1 or (found and len(found[0]) % 4):
        raise ArchiveError("is a zip file with two sizes of one member")
    data = found[0] if found else b""
    result = []
    for value in values:
        if value == _MAX32 and data:
            if len(data) < 8:
                raise ArchiveError("is a zip file with a truncated zip64 field")
            value, data = int.from_bytes(data[:8], "little"), data[8:]
        result.append(value)
    while len(data) >= 8:
        if int.from_bytes(data[:8], "little") not in (*result, 0):
            raise ArchiveError("is a zip file with two sizes of one member")
        data = data[8:]
    return result


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each extra field (4.5.1). Raises `ArchiveError` for a damaged one."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if at + 4 + length > len(extra):
            raise ArchiveError("is a zip file with a truncated extra field")
        yield tag, extra[at + 4 : at + 4 + length]
        at += 4 + length


def extended_time(extra: bytes) -> int | None:
    """Return the modification time in the field 0x5455, in seconds of UTC, None if there is none.

    Info-ZIP writes it, and `unzip` goes by it (`proginfo/extrafld.txt`).
    """
    for tag, data in extra_fields(extra):
        if tag == _EXTENDED_TIME and len(data) >= 5 and data[0] & 1:
            return int.from_bytes(data[1:5], "little", signed=True)
    return None


def unicode_paths(extra: bytes) -> Iterator[bytes]:
    """Yield the names in the extra field 0x7075, which `zipfile` uses since Python 3.12."""
    if extra and b"\x75\x70" in extra:
        for tag, data in extra_fields(extra):
            if tag == _UNICODE_PATH:
                yield data[5:]


def check_local(entry: Entry, data: bytes) -> tuple[int, bytes]:
    """Return where the content begins in `data`, and the extra field of the local header there.

    Raises `ArchiveError` if the header differs from the directory. `data` must
    hold the whole of it.
    """
    if not data.startswith(LOCAL) or len(data) < LOCAL_SIZE:
        raise ArchiveError("is damaged: there is no header where the directory puts it")
    _, flags, method, crc, packed, size, name_size, extra_size = _LOCAL_FORM.unpack_from(data)
    extra_at = LOCAL_SIZE + name_size
    start = extra_at + extra_size
    if len(data) < start:
        raise ArchiveError("is damaged: its header is truncated")
    if data[LOCAL_SIZE:extra_at] != entry.raw_name:
        raise ArchiveError("has different names in its header and in the directory")
    extra = data[extra_at:start]
    if extra:
        size, packed = _resolve(extra, (size, packed))
    if (flags ^ entry.flags) & _SAME_FLAGS or method != entry.method:
        raise ArchiveError("has different compression in its header and in the directory")
    expected = (entry.crc, entry.packed_size, entry.size)
    if (crc, packed, size) != expected and not (
        flags & HAS_DESCRIPTOR
        and all(
            value in (0, _MAX32, own)
            for value, own in zip((crc, packed, size), expected, strict=True)
        )
    ):
        raise ArchiveError("has different sizes in its header and in the directory")
    return start, extra


def descriptor_size(entry: Entry, data: bytes) -> int:
    """Return the size of the descriptor (4.3.9) that `data` begins with. Raises `ArchiveError`."""
    crc = entry.crc.to_bytes(4, "little")
    for form in ("<2I", "<2Q"):
        limit = _MAX32 if form == "<2I" else _MAX64
        sizes = struct.pack(form, entry.packed_size & limit, entry.size & limit)
        for record in (DESCRIPTOR + crc + sizes, crc + sizes):
            if data.startswith(record):
                return len(record)
    raise ArchiveError("has no data descriptor that matches the directory")


def may_contain_header(data: bytes) -> bool:
    """Return whether a reader of streams may see a member in `data`, bytes outside the members."""
    at = data.find(LOCAL)
    while 0 <= at <= len(data) - LOCAL_SIZE:
        version, _, method, _, _, _, name_size, _ = _LOCAL_FORM.unpack_from(data, at)
        if version & 0xFF <= _NEWEST_VERSION and method < 100 and 0 < name_size <= 4096:
            return True
        at = data.find(LOCAL, at + 1)
    return False
