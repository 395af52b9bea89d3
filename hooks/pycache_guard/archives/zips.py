"""Zip files: wheels, eggs, zipapps."""

from __future__ import annotations

import posixpath
import stat
import zlib
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

from pycache_guard.archives.member import CHUNK_BYTES, MAX_MEMBER_COUNT, ArchiveError, Member
from pycache_guard.archives.streams import (
    bzip2,
    deflate,
    error_text,
    find_decompressor,
    read_errors,
    zstandard,
)
from pycache_guard.archives.tars import BLOCK_BYTES, is_header
from pycache_guard.archives.zip_directory import (
    DESCRIPTOR,
    ENCRYPTED,
    HAS_DESCRIPTOR,
    LOCAL_SIZE,
    UTF8,
    Entry,
    check_local,
    descriptor_size,
    extended_time,
    may_contain_header,
    read_directory,
    read_entries,
    unicode_paths,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from pycache_guard.archives.member import Growth
    from pycache_guard.archives.streams import Decompressor

#: APPNOTE 4.4.5.
_STORED, _DEFLATED, _BZIP2, _LZMA, _ZSTD = 0, 8, 12, 14, 93

#: Linux: PATH_MAX.
_MAX_PATH_BYTES = 4096
#: Content of up to this many bytes is read together with its header, whose extra field has usually
#: no more than the second number.
_MAX_NEAR_BYTES = 8192
_USUAL_EXTRA_BYTES = 32
_MAX_DESCRIPTOR_BYTES = 24
#: Maximum size of an LZMA dictionary; `xz -8` uses this size.
_MAX_DICTIONARY_BYTES = 32 << 20


OVERLAP = "is damaged: it overlaps with another member"


class Zip:
    """Reads a zip file; members are yielded in the order of the file, as readers of streams see them."""

    def __init__(self, file: IO[bytes], growth: Growth) -> None:
        """Read the directory, and count the sizes in it. Raises `ArchiveError`."""
        self._file = file
        self._directory = read_directory(file)
        if self._directory.members > MAX_MEMBER_COUNT:
            raise ArchiveError(
                f"has {self._directory.members} members, more than {MAX_MEMBER_COUNT}"
            )
        self._entries = read_entries(self._directory)
        self._entries.sort(key=attrgetter("offset"))
        growth.add(sum(entry.size for entry in self._entries))
        self._check_lead()

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `ArchiveError` for bytes that belong to no member or to two."""
        for entry, end in self._places():
            packed = Packed(self._file, entry, end)
            yield _make_member(entry, packed)
            packed.check_room()

    def screen_members(self, is_harmless: Callable[[str, bytes], bool]) -> Iterator[Member | None]:
        """Yield as `members` does, but None for an undamaged file whose name and content are harmless.

        It is for archives of many small files: such a member costs half as much as another.
        """
        for entry, end in self._places():
            content = _read_small(self._file, entry, end)
            if content is not None and is_harmless(_text(entry.raw_name, entry.flags), content):
                yield None
            else:
                packed = Packed(self._file, entry, end)
                yield _make_member(entry, packed)
                packed.check_room()

    def _places(self) -> Iterator[tuple[Entry, int]]:
        """Return each entry with the place where the next one, or the directory, begins."""
        ends = [*(entry.offset for entry in self._entries), self._directory.start][1:]
        return zip(self._entries, ends, strict=bool(self._entries))

    def _check_lead(self) -> None:
        """Check the bytes before the first member: a shebang line, or a program that unpacks itself.

        Raises `ArchiveError` if other readers see an archive there.
        """
        end = self._entries[0].offset if self._entries else self._directory.start
        self._file.seek(0)
        block = self._file.read(min(BLOCK_BYTES, max(end, 0) + BLOCK_BYTES))
        if is_header(block):
            raise ArchiveError("is a tar file and a zip file")
        if end and find_decompressor(block):
            raise ArchiveError("is a compressed file and a zip file")
        self._file.seek(0)
        kept = b""
        while end > 0 and (piece := self._file.read(min(end, CHUNK_BYTES))):
            end -= len(piece)
            kept += piece
            if may_contain_header(kept):
                raise ArchiveError("contains a member that its directory does not list")
            kept = kept[-LOCAL_SIZE:]


def _read_small(file: IO[bytes], entry: Entry, end: int) -> bytes | None:
    """Return the content of a small file, None unless it is as simple as nearly every one.

    Its header has nothing but what the directory has, its content fills the place up to `end`, and
    the checksum is that of the directory.
    """
    name, size = entry.raw_name, entry.size
    start = LOCAL_SIZE + len(name)
    room = start + entry.packed_size
    if (
        entry.extra
        or entry.flags & ~UTF8
        or size > CHUNK_BYTES
        or end - entry.offset != room
        or room > CHUNK_BYTES
        or b"\\" in name
        or b"\0" in name
        or stat.S_ISLNK(entry.mode >> 16)
    ):
        return None
    file.seek(entry.offset)
    data = file.read(room)
    try:
        if check_local(entry, data)[0] != start:
            return None
    except ArchiveError:
        return None
    packed = data[start:]
    if entry.method == _DEFLATED:
        return _inflate(entry, packed)
    is_well = entry.method == _STORED and (len(packed), zlib.crc32(packed)) == (size, entry.crc)
    return packed if is_well else None


def _inflate(entry: Entry, packed: bytes) -> bytes | None:
    """Return the content of an undamaged member that is not empty, else None."""
    if not entry.size:
        return None
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = decompressor.decompress(packed, entry.size + 1)
    except zlib.error:
        return None
    is_well = decompressor.eof and not decompressor.unused_data
    return data if is_well and (len(data), zlib.crc32(data)) == (entry.size, entry.crc) else None


def _make_member(entry: Entry, packed: Packed) -> Member:
    """Return the member that a directory entry describes."""
    name, *others = _names(entry, packed)
    extra = packed.extra or entry.extra
    is_directory = name.endswith("/")
    return Member(
        name,
        entry.size,
        None,
        not is_directory or entry.size + entry.packed_size > 0,
        is_directory,
        _target(packed, name) if stat.S_ISLNK(entry.mode >> 16) else None,
        packed.iter_chunks,
        tuple(others),
        entry.dos_time,
        extended_time(extra) if extra else None,
        entry.method,
    )


def _names(entry: Entry, packed: Packed) -> list[str]:
    """Return the name of a member, and the names that other readers give it.

    `zipfile` ends a name at a NUL; Windows and pip take a backslash for `/`.
    """
    name = _text(entry.raw_name, entry.flags)
    paths: list[bytes] = []
    for extra in (entry.extra, packed.extra):
        if extra:
            paths += unicode_paths(extra)
    if not paths and "\0" not in name and "\\" not in name:
        return [name]
    found = [name, *(_text(path, UTF8) for path in paths)]
    found = [form for each in found for form in (each.partition("\0")[0], each)]
    return [*dict.fromkeys(form for each in found for form in (each.replace("\\", "/"), each))]


def _text(name: bytes, flags: int) -> str:
    if name.isascii():
        return name.decode("ascii")
    return name.decode("utf-8", "surrogateescape") if flags & UTF8 else name.decode("cp437")


def _target(packed: Packed, name: str) -> str | None:
    """Return the target of a link, None if it cannot be read, which is reported elsewhere."""
    try:
        target = b"".join(packed.iter_chunks(_MAX_PATH_BYTES)).decode("utf-8", "surrogateescape")
    except ArchiveError:
        return None
    return posixpath.join(posixpath.dirname(name), target)


class Packed:
    """The bytes of one member in the file: its local header, its content, and its descriptor."""

    __slots__ = ("_content_end", "_end", "_entry", "_file", "_near", "_start", "_why", "extra")

    def __init__(self, file: IO[bytes], entry: Entry, end: int) -> None:
        """Read the local header. `end` is where the next one, or the directory, begins."""
        self._file = file
        self._entry = entry
        self._end = end
        #: Why the content cannot be read.
        self._why: ArchiveError | None = None
        #: The extra field of the local header.
        self.extra = b""
        room = end - entry.offset
        if room < LOCAL_SIZE + len(entry.raw_name):
            self._why = ArchiveError(OVERLAP)
            return
        file.seek(entry.offset)
        near = (
            LOCAL_SIZE
            + len(entry.raw_name)
            + _USUAL_EXTRA_BYTES
            + min(entry.packed_size, _MAX_NEAR_BYTES)
        )
        self._near = file.read(min(near, room))
        extra_size = int.from_bytes(self._near[28:30], "little")
        if extra_size > _USUAL_EXTRA_BYTES:
            self._near += file.read(min(extra_size, room - len(self._near)))
        try:
            self._start, self.extra = check_local(entry, self._near)
        except ArchiveError as why:
            self._why = why
            return
        self._content_end = entry.offset + self._start + entry.packed_size
        if self._content_end > end:
            self._why = ArchiveError(OVERLAP)

    def check_room(self) -> None:
        """Raise `ArchiveError` if there are other bytes before the next member."""
        if self._why:
            return
        entry = self._entry
        room = self._end - self._content_end
        if room == 0 and not entry.flags & HAS_DESCRIPTOR:
            return
        rest = self._read_at(self._content_end, min(room, _MAX_DESCRIPTOR_BYTES))
        if entry.flags & HAS_DESCRIPTOR:
            try:
                rest = rest[descriptor_size(entry, rest) :]
            except ArchiveError as why:
                raise ArchiveError(f"{_text(entry.raw_name, entry.flags)}: {why}") from None
        at = self._end - room + min(room, _MAX_DESCRIPTOR_BYTES)
        while not rest.strip(b"\0") and at < self._end:
            rest = self._read_at(at, min(self._end - at, CHUNK_BYTES))
            at += len(rest)
        if rest.strip(b"\0"):
            raise ArchiveError("contains bytes that belong to no member")

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        """Return an iterator over up to `size` first bytes; at the end, it compares the checksum.

        Raises `ArchiveError`, as the iterator does.
        """
        if self._why:
            raise self._why
        if self._entry.flags & ENCRYPTED:
            raise ArchiveError("is encrypted")
        whole = self._whole()
        return self._iter_first(size) if whole is None else iter((whole[:size],))

    def _iter_first(self, size: int) -> Iterator[bytes]:
        try:
            for piece in self._iter_checked():
                if len(piece) >= size:
                    yield piece[:size]
                    return
                size -= len(piece)
                yield piece
        except read_errors() as error:
            raise ArchiveError(f"is damaged: {error_text(error)}") from None

    def _whole(self) -> bytes | None:
        """Return the content of a small undamaged member, or None: a fast path for the usual case."""
        entry = self._entry
        end = self._start + entry.packed_size
        if entry.method != _DEFLATED or end > len(self._near) or entry.size > CHUNK_BYTES:
            return None
        return _inflate(entry, self._near[self._start : end])

    def _iter_checked(self) -> Iterator[bytes]:
        crc = total = 0
        for piece in self._iter_unpacked():
            total += len(piece)
            if total > self._entry.size:
                raise ArchiveError("is damaged: it is larger than the directory says")
            crc = zlib.crc32(piece, crc)
            if piece:
                yield piece
        if (total, crc) != (self._entry.size, self._entry.crc):
            raise ArchiveError("is damaged: its size or checksum differs from the directory")

    def _iter_unpacked(self) -> Iterator[bytes]:
        """Return an iterator over the unpacked content, without a check of its size."""
        if self._entry.method == _STORED:
            return self._iter_stored()
        if self._entry.packed_size == 0 == self._entry.size:
            return iter(())
        return self._iter_decompressed(_decompressor(self._entry.method, self._iter_packed()))

    def _iter_stored(self) -> Iterator[bytes]:
        kept = b""
        for piece in self._iter_packed():
            # A reader of streams stops at the first descriptor.
            if self._entry.flags & HAS_DESCRIPTOR:
                kept = kept[-3:] + piece
                if DESCRIPTOR in kept:
                    raise ArchiveError(
                        "has two possible ends: it contains what looks like a data descriptor"
                    )
            yield piece

    def _iter_decompressed(self, start: tuple[Decompressor, Iterator[bytes]]) -> Iterator[bytes]:
        decompressor, raw = start
        for data in raw:
            if decompressor.eof:
                raise ArchiveError("is damaged: there is data after the end of its content")
            yield decompressor.decompress(data, CHUNK_BYTES)
            while not decompressor.needs_input and not decompressor.eof:
                yield decompressor.decompress(b"", CHUNK_BYTES)
        # LZMA does not need an end marker.
        is_open = not decompressor.eof and self._entry.method != _LZMA
        if is_open or decompressor.unused_data:
            raise ArchiveError("is damaged: its content ends before or after its place")

    def _iter_packed(self) -> Iterator[bytes]:
        """Yield the packed bytes."""
        at = self._entry.offset + self._start
        piece = self._near[self._start : self._start + self._entry.packed_size]
        if piece:
            yield piece
        at += len(piece)
        while piece := self._read_at(at, max(0, min(self._content_end - at, CHUNK_BYTES))):
            yield piece
            at += len(piece)

    def _read_at(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)


def _decompressor(method: int, raw: Iterator[bytes]) -> tuple[Decompressor, Iterator[bytes]]:
    """Return the decompressor of a method, and the input that is left for it. Raises `ArchiveError`."""
    plain: dict[int, Callable[[], Decompressor]] = {
        _DEFLATED: deflate,
        _BZIP2: bzip2,
        _ZSTD: zstandard,
    }
    if method in plain:
        return plain[method](), raw
    if method != _LZMA:
        raise ArchiveError(f"is compressed with the unknown method {method}")
    first = b""
    while len(first) < 9 and (piece := next(raw, b"")):
        first += piece
    return _lzma(first), chain([first[9:]], raw)


def _lzma(head: bytes) -> Decompressor:
    """Return the LZMA decompressor for the 9 bytes of properties (APPNOTE 5.8.8)."""
    import lzma

    if len(head) < 9 or head[2:4] != b"\5\0" or head[4] >= 225:
        raise ValueError("its LZMA properties are damaged")
    position_bits, rest = divmod(head[4], 45)
    literal_position, literal_context = divmod(rest, 9)
    dictionary = int.from_bytes(head[5:9], "little")
    if dictionary > _MAX_DICTIONARY_BYTES:
        raise ArchiveError(f"has an LZMA dictionary of more than {_MAX_DICTIONARY_BYTES >> 20} MiB")
    options = {
        "id": lzma.FILTER_LZMA1,
        "pb": position_bits,
        "lp": literal_position,
        "lc": literal_context,
        "dict_size": max(dictionary, 4096),
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])
