"""Read the first bytes of blobs directly from pack files, without unpacking whole blobs.

`git cat-file` unpacks a whole blob, however few of its bytes are wanted. Most blobs in a pack are
deltas, and most deltas begin with a copy of the first bytes of another blob, so that a few bytes of each
delta are enough. gitformat-pack(5) describes packs and their indexes.

Git must be asked in every other case: first bytes that come from the middle of another blob, an object in no
pack, a file that is damaged or of another version. It must also be asked if there are two copies of a blob,
because they can differ in a repository that was copied and not fetched, and git chooses one. If the
rest of a blob is damaged, git cannot read it at all, but its first bytes are answered here.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_left
from contextlib import ExitStack
from mmap import ACCESS_READ, mmap
from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Maximum number of packs; each has two mapped files. `git gc` leaves one or two.
MAX_PACKS = 4
#: First bytes that are computed of each blob: more than are asked for, because the first bytes of a
#: delta may come from later ones of its base.
HEAD_BYTES = 512
#: Bytes that are read of the header of an object, which may contain the id of a base.
HEADER_BYTES = 64
#: Bytes that are read after the header: `HEAD_BYTES` even if they could not be compressed.
COMPRESSED_BYTES = HEAD_BYTES + 128
#: Bytes of a delta that are unpacked first: two sizes and an instruction. For most deltas they are enough.
FIRST_DELTA_BYTES = 32
#: Bytes of a delta that are unpacked after these, which is usually enough for `HEAD_BYTES` of the blob.
DELTA_BYTES = HEAD_BYTES + 128
#: Maximum number of copies and insertions that are followed in a delta.
MAX_INSTRUCTIONS = 64
#: Maximum number of deltas that lead to a blob. Git makes 50, and made 250 with `git gc --aggressive`; packs
#: of others can have more.
MAX_DEPTH = 250
#: Maximum number of blobs that are remembered for the deltas that are based on them.
MAX_REMEMBERED_COUNT = 50_000
#: Number of objects that may be read for each blob that is asked for, and once in addition. Git's own history
#: needs 1.1 for each. A pack that needs more was made to cost time.
MAX_READS_PER_BLOB = 4
MAX_MORE_READS = 20_000
#: Most ids are no farther than this from their expected position, because ids are evenly distributed.
NEAR = 64

#: The types of objects that are blobs or deltas. Only the last base of a delta shows what it is.
BLOB, OFFSET_DELTA, NAMED_DELTA = 3, 6, 7
#: The start of an index of version 2.
INDEX_START = b"\xfftOc\0\0\0\2"
#: Then come 256 numbers: how many ids begin with at most this byte.
COUNTS_FORMAT = ">256I"
IDS_AT = len(INDEX_START) + 4 * 256
#: The bit of a byte that says that a number goes on in the next byte.
GOES_ON = 0x80
#: The bit of the first byte of a copy. Without it the byte is the number of new bytes that follow.
IS_COPY = 0x80
#: For each value of the other bits of a copy: by how many bits each byte that follows is shifted. Four of
#: them are the beginning in the base, three the size.
SHIFTS = [[8 * n for n in range(7) if bits >> n & 1] for bits in range(IS_COPY)]
#: The usual copies from the start of the base: the number of bytes that follow and are the size.
COPIES_FROM_START = {IS_COPY | 0x10: 1, IS_COPY | 0x30: 2, IS_COPY | 0x70: 3}
#: A copy of size 0 has this size.
LONGEST_COPY = 0x10000


class Head(NamedTuple):
    """The size of a blob, and as many of its first bytes as are known."""

    size: int
    data: bytes


class Delta(NamedTuple):
    """A blob that is stored as its difference from a base, an object of the same pack."""

    base_offset: int
    #: Where its compressed instructions are in the pack.
    start: int


class PackReader:
    """Reads blobs of which the only copy is in a pack of one directory of objects."""

    def __init__(self, objects: str, id_length: int) -> None:
        """Open all packs in `objects`, git's directory of objects, if that is possible.

        `id_length` is the number of bytes of an object id: 20 for SHA-1, 32 for SHA-256. No blob is
        answered if there are too many packs, if one cannot be read, or if there may be more objects in
        alternates (gitrepository-layout(5)).
        """
        self._objects = objects
        self._files = ExitStack()
        self._packs: list[Pack] = []
        #: The directories of objects that are in no pack, by the first byte of their ids.
        self._loose: frozenset[str] = frozenset()
        #: How many objects may still be read.
        self._reads_left = MAX_MORE_READS
        names = find_packs(objects)
        if 0 < len(names) <= MAX_PACKS and not has_alternates(objects):
            self._open(names, id_length)

    def _open(self, names: Sequence[str], id_length: int) -> None:
        with ExitStack() as files:
            packs = [open_pack(name, id_length, files) for name in names]
            usable = [pack for pack in packs if pack]
            if len(usable) == len(packs):
                self._loose = frozenset(os.listdir(self._objects))
                self._packs = usable
                self._files = files.pop_all()

    def read_head(self, oid: str) -> Head | None:
        """Return the size of a blob, and as many of its first bytes as are known; None if git must be asked."""
        name = bytes.fromhex(oid)
        places = [(pack, offset) for pack in self._packs if (offset := pack.find(name))]
        if len(places) != 1 or self._reads_left < 0 or self._is_loose(oid):
            return None
        ((pack, offset),) = places
        before = pack.reads
        head = pack.read_head(offset, MAX_REMEMBERED_COUNT // len(self._packs))
        self._reads_left += MAX_READS_PER_BLOB - (pack.reads - before)
        return head

    def _is_loose(self, oid: str) -> bool:
        return oid[:2] in self._loose and os.path.lexists(f"{self._objects}/{oid[:2]}/{oid[2:]}")

    def close(self) -> None:
        """Close all files."""
        self._files.close()


def find_packs(objects: str) -> list[str]:
    """Return the paths, without their suffix, of the packs in a directory of objects that have an index."""
    try:
        with os.scandir(f"{objects}/pack") as entries:
            return sorted(e.path.removesuffix(".idx") for e in entries if e.name.endswith(".idx"))
    except OSError:
        return []


def has_alternates(objects: str) -> bool:
    """Return whether git may read objects of other directories too."""
    return "GIT_ALTERNATE_OBJECT_DIRECTORIES" in os.environ or os.path.lexists(
        f"{objects}/info/alternates"
    )


def open_pack(name: str, id_length: int, files: ExitStack) -> Pack | None:
    """Open a pack and its index by their path without a suffix; return None if they cannot be used.

    They are closed with `files`.
    """
    try:
        pack = files.enter_context(map_file(f"{name}.pack"))
        index = files.enter_context(map_file(f"{name}.idx"))
    except (OSError, ValueError):  # ValueError: an empty file has no map
        return None
    end = len(pack) - id_length
    if index[: len(INDEX_START)] != INDEX_START or len(index) < IDS_AT:
        return None
    counts = (0, *unpack_from(COUNTS_FORMAT, index, len(INDEX_START)))
    # Of each object an id, a checksum and an offset; then the checksums of the pack and of the index.
    is_whole = len(index) >= IDS_AT + counts[-1] * (id_length + 8) + 2 * id_length
    belongs_to_pack = index[-2 * id_length : -id_length] == pack[end:]
    is_usable = is_whole and belongs_to_pack and sorted(counts) == [*counts]
    return Pack(pack, end, index, counts, id_length) if is_usable else None


def map_file(path: str) -> mmap:
    """Map a file, which must not be empty. Raises `OSError` and `ValueError`.

    As with git, the process ends (SIGBUS) if the file is shortened while it is read.
    """
    # To open a named pipe would otherwise wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | compat.O_NONBLOCK)
    try:
        return mmap(descriptor, 0, access=ACCESS_READ)
    finally:
        os.close(descriptor)


class Pack:
    """A pack and its index."""

    def __init__(
        self, data: mmap, end: int, index: mmap, counts: Sequence[int], id_length: int
    ) -> None:
        self._data = data
        #: Where the objects end.
        self._end = end
        self._index = index
        self._counts = counts
        self._id_length = id_length
        self._offsets_at = IDS_AT + counts[-1] * (id_length + 4)
        #: What was read, by offset; None if git must be asked.
        self._heads: dict[int, Head | None] = {}
        #: The number of objects that were read.
        self.reads = 0

    def find(self, name: bytes) -> int:
        """Return the offset of the object with the id `name`; 0 if there is none, and -1 if there are two."""
        length = self._id_length
        first, end = self._counts[name[0]], self._counts[name[0] + 1]
        expected = first + ((end - first) * int.from_bytes(name[1:4], "big") >> 24)
        near = max(first, expected - NEAR)
        ids = self._index[IDS_AT + near * length : IDS_AT + min(end, expected + NEAR) * length]
        at = ids.find(name)
        if 0 < at < len(ids) - length and not at % length:  # what is next to it is in `ids` too
            position = near + at // length
            are_two = ids.startswith(name, at + length)
        else:
            position = bisect_left(range(end), name, first, key=self._id_at)
            if position == end or self._id_at(position) != name:
                return 0
            are_two = self._id_at(position + 1) == name
        return -1 if are_two else self._offset_at(position)

    def _offset_at(self, position: int) -> int:
        at = self._offsets_at + 4 * position
        offset = int.from_bytes(self._index[at : at + 4], "big")
        if offset >> 31:  # a position among the offsets of eight bytes, which follow
            at = self._offsets_at + 4 * self._counts[-1] + 8 * (offset & 0x7FFFFFFF)
            offset = int.from_bytes(self._index[at : at + 8], "big")
        return offset

    def _id_at(self, position: int) -> bytes:
        at = IDS_AT + position * self._id_length
        return self._index[at : at + self._id_length]

    def read_head(self, offset: int, max_remembered: int) -> Head | None:
        """Return size and known first bytes of the blob at an offset; None if git must be asked.

        About `max_remembered` blobs are remembered.
        """
        heads = self._heads
        if len(heads) >= max_remembered:
            heads.clear()
        deltas: list[tuple[int, int]] = []
        while offset not in heads:
            found = self._read_object(offset) if len(deltas) <= MAX_DEPTH else None
            if isinstance(found, Delta):
                deltas.append((offset, found.start))
                offset = found.base_offset
            else:
                heads[offset] = found
        head = heads[offset]
        for offset, start in reversed(deltas):
            head = heads[offset] = head and apply_delta(head, self._compressed_at(start))
        return head

    def _read_object(self, offset: int) -> Head | Delta | None:
        """Return the blob or the delta at an offset; None for anything else, and for damaged data."""
        self.reads += 1
        if not 0 < offset < self._end:
            return None
        data = self._data[offset : offset + HEADER_BYTES]
        try:
            byte = data[0]
            kind, size = byte >> 4 & 7, byte & 15
            at, shift = 1, 4
            while byte & GOES_ON:
                byte = data[at]
                size |= (byte & ~GOES_ON) << shift
                at, shift = at + 1, shift + 7
            if kind == BLOB:
                compressed = self._compressed_at(offset + at)
                return Head(size, zlib.decompressobj().decompress(compressed, HEAD_BYTES))
            if kind == OFFSET_DELTA:
                distance, at = read_distance(data, at)
                return Delta(offset - distance, offset + at)
            if kind == NAMED_DELTA:
                end = at + self._id_length
                return Delta(self.find(data[at:end]), offset + end)
        except (IndexError, zlib.error):
            pass
        return None

    def _compressed_at(self, start: int) -> bytes:
        return self._data[start : start + COMPRESSED_BYTES]


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number whose lowest bits come first, and where it ends. Raises `IndexError`."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & ~GOES_ON) << shift
        if byte < GOES_ON:
            return value, at
        shift += 7


def read_distance(data: bytes, at: int) -> tuple[int, int]:
    """Return a number whose highest bits come first, and where it ends. Raises `IndexError`.

    One is added for each byte that goes on, so that every number has one form only.
    """
    value = data[at] & ~GOES_ON
    while data[at] & GOES_ON:
        at += 1
        value = (value + 1) << 7 | data[at] & ~GOES_ON
    return value, at + 1


def apply_delta(base: Head, compressed: bytes) -> Head | None:
    """Return what a compressed delta makes of `base`, as far as that is known.

    Returns None if the delta is damaged, or is not one for `base`.
    """
    try:
        stream = zlib.decompressobj()
        delta = stream.decompress(compressed, FIRST_DELTA_BYTES)
        base_size, at = read_number(delta, 0)
        size, at = read_number(delta, at)
        if base_size != base.size:
            return None
        if HEAD_BYTES <= count_copied_from_start(delta, at) <= size:
            return Head(size, base.data)
        if stream.unconsumed_tail:
            delta += stream.decompress(stream.unconsumed_tail, DELTA_BYTES)
        return Head(size, follow_delta(base.data, delta, at, min(size, HEAD_BYTES)))
    except (IndexError, zlib.error):
        return None


def count_copied_from_start(delta: bytes, at: int) -> int:
    """Return how many bytes the instruction at a place copies from the start of the base, 0 if none.

    The answer is also 0 for what is rare: an instruction that is cut, or a size with a zero byte. Raises
    `IndexError` if there is no instruction.
    """
    length = COPIES_FROM_START.get(delta[at], 0)
    count = delta[at + 1 : at + 1 + length]
    return int.from_bytes(count, "little") if len(count) == length else 0


def follow_delta(base: bytes, delta: bytes, at: int, wanted: int) -> bytes:
    """Return up to `wanted` bytes that the instructions at a place of a delta make.

    `base` has the bytes of the base that are known; the answer ends at the first byte that is not. Raises
    `IndexError`.
    """
    data = b""
    for _ in range(MAX_INSTRUCTIONS):
        if len(data) >= wanted:
            break
        code = delta[at]
        at += 1
        if code & IS_COPY:
            place = 0
            for shift in SHIFTS[code & ~IS_COPY]:
                place |= delta[at] << shift
                at += 1
            begin, count = place & 0xFFFFFFFF, place >> 32 or LONGEST_COPY
            part = base[begin : begin + count]
        else:
            count = code
            part = delta[at : at + count]
            at += count
        data = data + part if data else part
        if len(part) < count or not count:  # the rest is not known
            break
    return data[:wanted]
