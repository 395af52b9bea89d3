"""Each kind of damage in the headers of an archive, and what is said about it."""

from __future__ import annotations

import io
import struct

import pytest

from archives.mutations import mend_checksums
from helpers.make_archive import make_tar, make_zip
from pycache_guard.archives import is_layer
from pycache_guard.archives.member import WHOLE, ArchiveError, Growth, Member
from pycache_guard.archives.tars import Tar
from pycache_guard.archives.zips import Zip
from zip_builder import Part, build, end, end64, locator, unicode_path, zip64_field

LAYER = "blobs/sha256/" + "0" * 64
A_TAR = make_tar({"a": b"text"}, mode="w")
END_OF_TAR = bytes(1024)


def zip_members(data: bytes) -> list[tuple[Member, bytes]]:
    """Return every member of a zip file with its content."""
    archive = Zip(io.BytesIO(data), Growth(len(data)))
    return [(member, member.read(WHOLE)) for member in archive.members()]


def tar_members(data: bytes) -> list[tuple[Member, bytes]]:
    """Return every member of a tar file with its content."""
    archive = Tar(io.BytesIO(data), Growth(len(data)))
    return [(member, member.read(WHOLE)) for member in archive.members()]


def tar_entry(name: bytes, content: bytes = b"", kind: bytes = b"0", mtime: bytes = b"0") -> bytes:
    """Return a tar header with a correct checksum, and the blocks of its content."""
    header = struct.pack(
        "100s24s12s12s8sc100s8s247x",
        *(name, b"", b"%011o" % len(content), mtime, b"", kind, b"", b"ustar\00000"),
    )
    return mend_checksums(header) + content + bytes(-len(content) % 512)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x", after: bytes = b"") -> bytes:
    """Return a pax header with records of fewer than 100 bytes, and what follows them."""
    data = b""
    for keyword, value in records:
        rest = b" " + keyword + b"=" + value + b"\n"
        data += b"%d" % (len(rest) + (1 if len(rest) < 9 else 2)) + rest
    return tar_entry(b"pax", data + after, kind)


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        (LAYER, b"\x1f\x8b", True),
        (LAYER, A_TAR[:512], True),
        (LAYER, b"{}", False),
        ("0" * 64, A_TAR[:512], False),
        ("a.tar", A_TAR[:512], False),
    ],
)
def test_layer_is_recognized_by_name_and_first_bytes(
    name: str, head: bytes, expected: bool
) -> None:
    assert is_layer(name, head) is expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (tar_entry(b"a", mtime=b"00000000012"), 10),
        (tar_entry(b"a", mtime=b"tomorrow"), None),
        (pax((b"mtime", b"12.5")) + tar_entry(b"a"), 12.5),
        (pax((b"mtime", b"nan")) + tar_entry(b"a"), None),
    ],
)
def test_tar_time_without_a_number_is_unknown(entries: bytes, expected: float | None) -> None:
    ((member, _),) = tar_members(entries + END_OF_TAR)
    assert member.mtime == expected


# A directory in one member, and its end record in the next: a reader may see a zip file.
LOCAL = Part(b"m").local()
DIRECTORY = Part(b"m").central(0)
ZIP_OVER_TWO = (
    tar_entry(b"a", LOCAL + DIRECTORY)
    + tar_entry(b"b", end(1, len(DIRECTORY), 512 + len(LOCAL)))
    + END_OF_TAR
)
DAMAGED_TARS = {
    "pax without length": (pax(after=b"path=a\n") + A_TAR, "malformed pax header$"),
    "pax with data after its end": (pax((b"a", b"b"), after=b"\0x") + A_TAR, "data after its end"),
    "global path": (pax((b"path", b"b"), kind=b"g") + A_TAR, "has one path for all members"),
    "empty path": (pax((b"path", b"")) + A_TAR, "with a path that is malformed"),
    "path with NUL": (pax((b"path", b"a\0b")) + A_TAR, "with a path that is malformed"),
    "pax without member": (A_TAR[:1024] + pax((b"path", b"b")) + END_OF_TAR, "a missing member"),
    "zip over two members": (ZIP_OVER_TWO, "is a tar file and a zip file"),
    "gzip and zip": (
        make_tar({"a": b"text"}) + make_zip({"a": b""}),
        "is a tar file and a zip file",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED_TARS)
def test_tar_with_damaged_header_is_refused(kind: str) -> None:
    data, message = DAMAGED_TARS[kind]
    with pytest.raises(ArchiveError, match=message):
        tar_members(data)


def zip64(*, here: int = 1, disk: int = 0, place: int | None = None) -> bytes:
    """Return a zip file with a zip64 end record, whose usual one has no counts."""
    body = LOCAL + DIRECTORY
    record = bytearray(end64(1, len(DIRECTORY), len(LOCAL)))
    record[16] = disk
    record[24] = here
    usual = end(0xFFFF, len(DIRECTORY), len(LOCAL))
    return body + bytes(record) + locator(len(body) if place is None else place) + usual


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """Return `data` with other bytes at a place."""
    return data[:at] + value + data[at + len(value) :]


WHOLE_ZIP = build(Part(b"m"))
MARKED = Part(b"m", comment=b"PK\5\6")
TWO_FIELDS = zip64_field(0) + zip64_field(0)
SHORT_FIELD = struct.pack("<2HI", 1, 4, 0)
LONG_EXTRA = struct.pack("<2H", 0x9999, 50) + b"x"
#: The version, and the number of bytes of properties, which are missing.
LZMA_HEAD = b"\x09\x14\x05\x00"

DAMAGED_ZIPS = {
    "end record cut short": (WHOLE_ZIP[:-1], "its end record is truncated"),
    "zip64 record elsewhere": (zip64(place=0), "two possible zip64 end records"),
    "two counts": (LOCAL + DIRECTORY + end(1, len(DIRECTORY), len(LOCAL), here=2), "two member"),
    "zip64 of another disk": (zip64(disk=1), "zip64 end record that readers interpret"),
    "zip64 with two counts": (zip64(here=2), "two member counts"),
    "end record in the directory": (build(MARKED), "several end records"),
    "member of another disk": (patched(WHOLE_ZIP, len(LOCAL) + 34, b"\1"), "a split zip file"),
    "two zip64 fields": (build(Part(b"m", extra=TWO_FIELDS)), "two sizes of one member"),
    "zip64 field of 4 bytes": (
        build(Part(b"m", size=0xFFFFFFFF, extra=SHORT_FIELD)),
        "truncated zip64 field",
    ),
    "extra field cut short": (build(Part(b"m", extra=LONG_EXTRA)), "truncated extra field"),
    "local extra field beyond the member": (
        patched(WHOLE_ZIP, 28, b"\xf0\xff"),
        "its header is truncated",
    ),
    "tar file before it": (build(Part(b"m"), prefix=A_TAR), "is a tar file and a zip file"),
    "gzip file before it": (build(Part(b"m"), prefix=b"\x1f\x8b"), "a compressed file and a zip"),
    "two members in one place": (
        LOCAL + 2 * DIRECTORY + end(2, 2 * len(DIRECTORY), len(LOCAL)),
        "overlaps with another member",
    ),
    "content beyond its place": (
        build(Part(b"m", b"text", packed_size=9, size=9)),
        "overlaps with another member",
    ),
    "descriptor in the content": (
        build(Part(b"m", b"PK\7\x08", flags=8)),
        "contains what looks like a data descriptor",
    ),
    "data after deflated content": (
        build(Part(b"m", b"text", 8, packed=Part(b"", b"text", 8).content() + bytes(70_000))),
        "data after the end of its content",
    ),
    "unknown method": (build(Part(b"m", b"text", 99)), "the unknown method 99"),
    "no LZMA properties": (
        build(Part(b"m", b"text", 14, packed=LZMA_HEAD)),
        "its LZMA properties are damaged",
    ),
    "large LZMA dictionary": (
        build(Part(b"m", b"text", 14, packed=LZMA_HEAD + b"\x5d\xff\xff\xff\xff")),
        "an LZMA dictionary of more than 32 MiB",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED_ZIPS)
def test_zip_with_damaged_header_is_refused(kind: str) -> None:
    data, message = DAMAGED_ZIPS[kind]
    with pytest.raises(ArchiveError, match=message):
        zip_members(data)


HARMLESS_ZIPS = {
    "zip64 record": (zip64(), b""),
    "zeros behind a member": (build(Part(b"m", b"text", gap=bytes(100))), b"text"),
    "deflated content without a byte": (build(Part(b"m", method=8, packed=b"")), b""),
    "number of a field in the content of another": (
        build(Part(b"m", b"text", extra=struct.pack("<2H", 0x9999, 2) + b"\x75\x70")),
        b"text",
    ),
    "signature before the first member": (
        build(Part(b"m", b"text"), prefix=b"PK\3\4" + b"\xff" * 40),
        b"text",
    ),
}


@pytest.mark.parametrize("kind", HARMLESS_ZIPS)
def test_zip_with_unusual_but_clear_header_is_read(kind: str) -> None:
    data, content = HARMLESS_ZIPS[kind]
    ((member, found),) = zip_members(data)
    assert (member.name, member.other_names, found) == ("m", (), content)


def test_name_in_the_second_extra_field_is_another_name() -> None:
    extra = struct.pack("<2H", 0x9999, 0) + unicode_path(b"m", b"m.pyc")
    ((member, _),) = zip_members(build(Part(b"m", extra=extra)))
    assert member.other_names == ("m.pyc",)
