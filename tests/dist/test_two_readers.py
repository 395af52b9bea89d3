"""Archives in which two readers see different things: M4 to M8 of the audit, and their kin.

Each must be reported, or end with 2: 0 would say that nobody sees bytecode in it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import (
    SOURCE,
    check_archive,
    make_tar,
    make_zip,
    messages,
    special_member,
    timestamp_member,
)
from helpers.make_pyc import WRITER
from zip_builder import Part, build, end, end64, locator, unicode_path, zip64_field

if TYPE_CHECKING:
    from conftest import Run

PYC = timestamp_member()
SHOWN = Part(b"__main__.py", b"print()\n")
HIDDEN = Part(b"__main__.pyc", PYC)
LOCALS = SHOWN.local() + HIDDEN.local()
HIDDEN_AT = len(SHOWN.local())
DIRECTORY, HIDDEN_DIRECTORY = SHOWN.central(0), HIDDEN.central(HIDDEN_AT)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)


def verdict(run: Run, name: str, data: bytes) -> tuple[int, list[str], str]:
    """Return exit code, findings and failures."""
    Path(name).write_bytes(data)
    result = run("check-dist", name)
    return result.code, messages(result.out), result.err


def two_directories(kind: str) -> bytes:
    """Return a zip file with a directory for each of two readers."""
    at = len(LOCALS)
    if kind == "zip64 and usual":
        body = LOCALS + HIDDEN_DIRECTORY + bytes(4)
        start = len(body)
        body += DIRECTORY + end64(1, len(DIRECTORY), start) + locator(start + len(DIRECTORY))
        return body + end(1, len(body) - at, at)
    if kind == "zip64 without locator":
        tail = HIDDEN_DIRECTORY + end64(1, len(HIDDEN_DIRECTORY), at + len(DIRECTORY)) + b"x" * 20
        directory = SHOWN._replace(comment=tail).central(0)
        return LOCALS + directory + end(1, len(directory), at)
    if kind == "locator without zip64":
        directory = SHOWN._replace(comment=b"y" * 56 + locator(0)).central(0)
        return LOCALS + directory + end(1, len(directory), at)
    if kind == "in the comment":
        inner = HIDDEN_DIRECTORY + end(1, len(HIDDEN_DIRECTORY), at)
        return LOCALS + DIRECTORY + end(1, len(DIRECTORY), at, inner)
    if kind == "in the last bytes":
        return LOCALS + DIRECTORY + end(1, len(DIRECTORY), at, b"PK\5\6" + bytes(18))
    if kind == "by offset and by size":
        first = HIDDEN_DIRECTORY + b"\0" * 7
        return LOCALS + first + DIRECTORY + end(1, len(DIRECTORY), at)
    if kind == "zip64 elsewhere":
        body = LOCALS + HIDDEN_DIRECTORY + end64(1, len(HIDDEN_DIRECTORY), at)
        start = len(body)
        body += DIRECTORY + end64(1, len(DIRECTORY), start) + locator(at + len(HIDDEN_DIRECTORY))
        return body + end(1, len(DIRECTORY), start)
    if kind == "two counts":
        both = DIRECTORY + HIDDEN_DIRECTORY
        return LOCALS + both + end(2, len(both), at, here=1)
    if kind == "zip64 with two counts":
        both = DIRECTORY + HIDDEN_DIRECTORY
        body = LOCALS + both + end64(2, len(both), at) + locator(at + len(both))
        return body + end(1, len(both), at)
    if kind in ("zip64 of another disk", "zip64 with two numbers"):
        body = LOCALS + DIRECTORY
        record = bytearray(end64(1, len(DIRECTORY), at))
        record[16 if kind == "zip64 of another disk" else 24] ^= 2
        usual = end(0xFFFF, len(DIRECTORY), at)
        return body + bytes(record) + locator(len(body)) + usual
    if kind == "in the directory":
        directory = SHOWN._replace(comment=b"PK\5\6").central(0)
        return LOCALS + directory + end(1, len(directory), at)
    if kind in ("of another disk", "member of another disk"):
        data = bytearray(LOCALS + DIRECTORY + end(1, len(DIRECTORY), at))
        data[len(data) - 18 if kind == "of another disk" else at + 34] = 1
        return bytes(data)
    if kind == "cut short":
        return LOCALS + DIRECTORY + end(1, len(DIRECTORY), at)[:-1]
    assert kind == "zip64 with more in it"
    body = LOCALS + DIRECTORY
    return (
        body
        + end64(1, len(DIRECTORY), at, bytes(8))
        + locator(len(body))
        + end(1, len(DIRECTORY), at)
    )


KINDS = [
    *("zip64 and usual", "zip64 without locator", "locator without zip64", "in the comment"),
    *("in the last bytes", "by offset and by size", "zip64 elsewhere", "two counts"),
    *("zip64 with two counts", "zip64 with more in it", "zip64 of another disk"),
    *("zip64 with two numbers", "in the directory", "of another disk", "member of another disk"),
    "cut short",
]


@pytest.mark.parametrize("kind", KINDS)
def test_m4_zip_with_two_directories_is_refused(run: Run, kind: str) -> None:
    code, found, errors = verdict(run, "app.pyz", two_directories(kind))
    assert (code, found) == (2, [])
    assert errors.startswith("error: app.pyz: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("prefix", [b"", b"#!/usr/bin/env python3\n", b"MZ" + bytes(999)])
@pytest.mark.parametrize("saturated", [False, True])
def test_valid_zip64_record_is_read(run: Run, prefix: bytes, saturated: bool) -> None:
    """Some writers count its place from the start of the file, others from that of the archive."""
    body = prefix + SHOWN.local()
    at, size = len(body) - len(prefix), len(DIRECTORY)
    usual = end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF) if saturated else end(1, size, at)
    for place in (at + size, len(body) + size):
        data = body + DIRECTORY + end64(1, size, at) + locator(place) + usual
        assert verdict(run, "app.pyz", data) == (0, [], "")


def test_m5_name_in_an_extra_field_is_checked(run: Run) -> None:
    name, other = b"a.txt", b"__main__.pyc"
    forward = unicode_path(name, other)
    wrong_checksum = unicode_path(b"b", other)
    for part in (
        Part(name, PYC[:3], extra=forward, local_extra=forward),
        Part(name, extra=forward),
        Part(name, local_extra=forward),
        Part(name, extra=wrong_checksum),
        Part(name, extra=unicode_path(name, b"a\\__pycache__\\x.pyc\0.txt")),
        Part(other, extra=unicode_path(other, name)),
        Part(b"__main__.pyc\0.txt"),
    ):
        code, found, errors = verdict(run, "a.zip", build(part))
        assert (code, len(found), errors) == (1, 1, "")
        assert "bytecode" in found[0]
    assert check_archive(run, "a.zip", build(Part(name, extra=forward))) == [
        "ships `a.txt`: bytecode, which other readers see as `__main__.pyc`"
    ]
    same = unicode_path(name, name)
    assert check_archive(run, "a.zip", build(Part(name, extra=same, local_extra=same))) == []


MODES = {
    "link": 0o120777,
    "directory": 0o040755,
    "fifo": 0o010644,
    "socket": 0o140644,
    "device": 0o020644,
    "nothing": 0,
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [b"logo.png", b"logo.png/", b"logo.png\\", b"d/__pycache__/"])
def test_m6_content_of_a_special_member_is_checked(run: Run, mode: str, name: bytes) -> None:
    for method in (0, 8):
        part = Part(name, PYC, method=method, mode=MODES[mode])
        code, found, _ = verdict(run, "a.whl", build(part))
        assert code in (1, 2)
        assert len(found) == 1


def test_m6_archive_in_a_special_member_is_checked(run: Run) -> None:
    inner = make_zip({"a.pyc": b""})
    for mode in MODES.values():
        part = Part(b"x", inner, mode=mode)
        assert "ships `x!a.pyc`: bytecode" in verdict(run, "a.whl", build(part))[1]


def tar_of(kind: bytes, data: bytes, **more: str) -> bytes:
    """Return a tar file of one member of that type, whose content stands there."""
    info = tarfile.TarInfo("logo.png")
    info.type, info.size = kind, len(data)
    info.linkname = more.get("linkname", "")
    return info.tobuf() + data + bytes(-len(data) % 512) + bytes(1024)


@pytest.mark.parametrize("kind", [b"Z", b"A", b"D", b"M", b"N", b"V", b"7", b"\0", b"~"])
def test_m6_content_of_an_unknown_type_is_checked(run: Run, kind: bytes) -> None:
    code, found, errors = verdict(run, "a.tar", tar_of(kind, PYC))
    assert (code, len(found), errors) == (1, 1, "")
    assert verdict(run, "a.tar", tar_of(kind, b"text")) == (0, [], "")


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6"])
def test_m6_content_of_a_type_without_content_is_refused(run: Run, kind: bytes) -> None:
    """Tarfile takes the content for the next header; GNU tar skips it."""
    code, _, errors = verdict(run, "a.tar", tar_of(kind, PYC, linkname="x"))
    assert code == 2
    assert "has content that only some readers skip: logo.png" in errors


CLEAN_TAR = make_tar({"a.py": SOURCE}, mode="w")
EVIL_ZIP = make_zip({"a.pyc": PYC})


def gzip_with_extra(data: bytes, extra: bytes) -> bytes:
    """Return a gzip file with a comment of its own: RFC 1952, FCOMMENT."""
    usual = gzip.compress(data)
    return usual[:3] + b"\x10" + usual[4:10] + extra.replace(b"\0", b"\1") + b"\0" + usual[10:]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tar.gz", gzip.compress(CLEAN_TAR) + EVIL_ZIP),
        ("a.tar.gz", gzip.compress(CLEAN_TAR) + gzip.compress(EVIL_ZIP, 0)),
        ("a.tar.bz2", bz2.compress(CLEAN_TAR) + EVIL_ZIP),
        ("a.tar.xz", lzma.compress(CLEAN_TAR) + EVIL_ZIP),
        ("a.tar", CLEAN_TAR + EVIL_ZIP),
        ("a.tar", CLEAN_TAR[:-1024] + EVIL_ZIP),
        ("a", gzip.compress(CLEAN_TAR) + EVIL_ZIP),
        ("a.zip", gzip.compress(make_tar({"a.pyc": PYC}, mode="w")) + make_zip({"a": b""})),
        ("a.zip", make_tar({"a.pyc": PYC}, mode="w") + make_zip({"a": b""})),
        ("a.whl", lzma.compress(make_tar({"a.pyc": PYC}, mode="w")) + make_zip({"a": b""})),
        ("a", make_tar({"a.txt": b""}, mode="w") + make_zip({"a": b""})),
    ],
)
def test_m7_file_that_is_tar_and_zip_is_refused(run: Run, name: str, data: bytes) -> None:
    code, found, errors = verdict(run, name, data)
    assert (code, found) == (2, [])
    assert (
        "a zip file" in errors
        or "has data after its end" in errors
        or "is not a readable tar file" in errors
    )


def test_m7_zip_in_a_tar_member_is_checked_there(run: Run) -> None:
    """`zipfile.is_zipfile` says yes to the whole; what it sees is in one member, and is checked."""
    data = make_tar({"a.py": SOURCE, "b.zip": make_zip({"c": b""})}, mode="w")
    assert zipfile.is_zipfile(io.BytesIO(data))
    assert verdict(run, "a.tar", data) == (0, [], "")
    data = make_tar({"a.py": SOURCE, "b": b"#!\n" + EVIL_ZIP}, mode="w")
    assert check_archive(run, "a.tar", data) == [f"ships `b!a.pyc`: {WRITER} bytecode"]


def test_m7_zip_across_two_tar_members_is_refused(run: Run) -> None:
    """Its directory is in one of them, its end record in the other."""
    inner = HIDDEN.local()
    first = member("a", (inner + HIDDEN.central(0)).ljust(512, b"\0"))
    directory = first.find(b"PK\1\2")
    record = len(first) + 512
    second = member("b", end(1, record - directory, directory))
    code, found, errors = verdict(run, "a.tar", first + second + bytes(1024))
    assert (code, found) == (2, [])
    assert errors.endswith("error: a.tar: is a tar file and a zip file\n")


@pytest.mark.parametrize(
    "prefix", [b"#!/usr/bin/env python3\n", b"\x89PNG\r\n\x1a\n" + bytes(900), b"x", b"MZ" + b"\x90" * 70_000]
)  # fmt: skip
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_m8_nested_zipapp_is_checked(run: Run, prefix: bytes, method: int) -> None:
    """Told by its end, as Python does."""
    tool = prefix + EVIL_ZIP
    expected = [f"ships `w/tool!a.pyc`: {WRITER} bytecode"]
    assert check_archive(run, "a.whl", make_zip({"w/tool": tool}, method=method)) == expected
    assert check_archive(run, "a.tar.gz", make_tar({"w/tool": tool})) == expected
    commented = build(HIDDEN, prefix=prefix, comment=b"c" * 0xFFFF)
    assert len(check_archive(run, "a.whl", make_zip({"w/RECORD": commented}, method=method))) == 1


def test_m8_end_signature_without_directory_is_no_archive(run: Run) -> None:
    """Launchers have the signature among their code."""
    launcher = b"MZ" + bytes(5000) + b"PK\5\6" + b"\x90" * 300
    cut = b"x" * 30 + b"PK\5\6"
    for members in ({"t64.exe": launcher}, {"a.bin": cut}):
        assert verdict(run, "a.whl", make_zip(members)) == (0, [], "")
        assert verdict(run, "a.tar", make_tar(members, mode="w")) == (0, [], "")


def test_m8_zipapp_at_the_third_level_is_refused(run: Run) -> None:
    tool = b"#!x\n" + EVIL_ZIP
    code, found, errors = verdict(run, "a.whl", make_zip({"b.zip": make_zip({"tool": tool})}))
    assert (code, found) == (2, [])
    assert "b.zip!tool: is an archive at the third level, which is not checked" in errors


STORED = Part(b"a.txt", b"text")
DEFLATED = Part(b"a.txt", b"text" * 99, method=8)
PACKED = DEFLATED.content()
DESCRIPTOR = struct.pack("<4s3I", b"PK\7\x08", *DEFLATED.numbers())
STREAMED = DEFLATED._replace(flags=8, descriptor=DESCRIPTOR)


@pytest.mark.parametrize(
    "parts",
    [
        [STORED._replace(local_name=b"a.pyc")],
        [STORED._replace(local_size=0)],
        [STORED._replace(local_packed_size=0)],
        [STORED._replace(crc=1)],
        [DEFLATED._replace(local_method=0)],
        [DEFLATED._replace(local_flags=8)],
        [DEFLATED._replace(flags=8)],
        [DEFLATED._replace(size=3)],
        [DEFLATED._replace(size=4000)],
        [DEFLATED._replace(packed=PACKED + HIDDEN.local())],
        [DEFLATED._replace(packed_size=len(PACKED) - 1)],
        [STREAMED._replace(descriptor=b"")],
        [STREAMED._replace(descriptor=DESCRIPTOR[:-1] + b"x")],
        [STREAMED._replace(descriptor=DESCRIPTOR + b"x")],
        [Part(b"a", DESCRIPTOR, flags=8, descriptor=struct.pack("<4s3I", b"PK\7\x08", zlib.crc32(DESCRIPTOR), 16, 16))],
        [STORED._replace(gap=HIDDEN.local())],
        [STORED._replace(gap=bytes(50) + b"x")],
        [STORED._replace(packed_size=400, local_packed_size=4), STORED],
        [STORED._replace(local_extra=zip64_field(7, 7))],
        [STORED._replace(extra=zip64_field(7))],
        [STORED._replace(extra=zip64_field(4) * 2)],
        [STORED._replace(extra=b"\x01\0\x03\0abc")],
        [STORED._replace(size=0xFFFFFFFF, extra=b"\x01\0\x04\0abcd")],
        [STORED._replace(extra=b"\x99\x99\xff\xff")],
        [STORED._replace(method=99)],
        [Part(b"a", bytes(range(256)) * 999, method=8, local_packed_size=3)],
        [STORED._replace(packed_size=4000, size=4000, crc=1)],
        [Part(b"a", b"x" * 9, method=14, packed=b"\x09\x04\5\0\xff\0\0\1\0x")],
        [Part(b"a", b"x" * 9, method=14, packed=b"\x09\x04\5\0\x5d\xff\xff\xff\xffxx")],
        [Part(b"a", b"x" * 9, method=14, packed=b"\x09\x04\5")],
        [Part(b"a", b"x" * 9, method=12, packed=bz2.compress(b"x" * 9) + b"x" * 70_000)],
        [STORED._replace(local_extra=b"\x99\x99\xff\xff")],
        [STORED._replace(flags=0x2000)._replace(local_flags=0)],
    ],
)  # fmt: skip
def test_zip_with_headers_that_disagree_is_refused(run: Run, parts: list[Part]) -> None:
    """With the local header, with the content, or with what stands between the members."""
    for more in ([], [Part(b"z", b"z")]):
        code, found, errors = verdict(run, "a.whl", build(*parts, *more))
        assert (code, found) == (2, [])
        assert errors


@pytest.mark.parametrize("size", [200, 0xFFFF])
def test_zip_header_that_overlaps_the_next_is_refused(run: Run, size: int) -> None:
    data = bytearray(build(STORED, Part(b"b", b"x" * 300)))
    data[28:30] = size.to_bytes(2, "little")
    code, found, errors = verdict(run, "a.zip", bytes(data))
    assert (code, found) == (2, [])
    assert errors.startswith("error: a.zip: a.txt: is damaged: ")


@pytest.mark.parametrize(
    "part",
    [
        STREAMED,
        STREAMED._replace(descriptor=DESCRIPTOR[4:]),
        STREAMED._replace(local_size=0, local_packed_size=0),
        STREAMED._replace(descriptor=DESCRIPTOR[:8] + struct.pack("<2Q", *DEFLATED.numbers()[1:])),
        STORED._replace(gap=bytes(70_000)),
        STORED._replace(local_extra=zip64_field(4, 4), extra=zip64_field(4)),
        STORED._replace(
            size=0xFFFFFFFF,
            packed_size=0xFFFFFFFF,
            local_extra=zip64_field(4, 4),
            extra=zip64_field(4, 4),
        ),
        STORED._replace(extra=b"\0\0\0"),
        STORED._replace(extra=b"\x99\x99\4\0up\1\1"),
        STORED._replace(local_flags=0x800),
        Part(b"d/", b"", method=8),
        Part(b"\xc3\xa9", b"x", flags=0x800),
        Part(b"\xff", b"x", flags=0x800),
        Part(b"\xff", b"x"),
        Part(b"big", bytes(300_000), method=8),
        Part(b"big", bytes(range(256)) * 999, method=8, local_extra=b"\x99\x99\xf0\xf0" + bytes(0xF0F0)),
        Part(b"empty", method=12, packed=b""),
    ],
)  # fmt: skip
def test_zip_with_unusual_headers_that_agree_is_read(run: Run, part: Part) -> None:
    assert verdict(run, "a.whl", build(part, Part(b"z", b"z"))) == (0, [], "")
    assert verdict(run, "a.whl", build(Part(b"z", b"z"), part, prefix=b"#!x\n")) == (0, [], "")


def test_member_before_the_archive_is_refused(run: Run) -> None:
    """An installer that reads a stream sees it, whatever the directory says."""
    clean = build(STORED)
    for prefix in (
        HIDDEN.local(),
        b"MZ" + bytes(65_530) + HIDDEN.local(),
        b"#!x\n" + HIDDEN.local(),
    ):
        code, found, errors = verdict(run, "a.whl", prefix + clean)
        assert (code, found) == (2, [])
        assert "contains a member that its directory does not list" in errors
    # The signature alone is in many programs.
    assert verdict(run, "a.exe", b"MZ PK\3\4" + b"\xff" * 99 + clean) == (0, [], "")
    absolute = b"#!x\n" + STORED.local()
    data = absolute + STORED.central(4) + end(1, len(STORED.central(4)), len(absolute))
    assert verdict(run, "a.pyz", data) == (0, [], "")


def test_archive_that_begins_with_bytecode_is_refused(run: Run) -> None:
    """`python FILE` runs the bytecode if the archive has no `__main__`."""
    code, _, errors = verdict(run, "a.pyz", PYC + build(STORED))
    assert (code, errors) == (2, "error: a.pyz: begins with bytecode\n")


@pytest.mark.parametrize("tail", [b"x", b"\0", b"\n", HIDDEN.local()])
def test_archive_with_bytes_after_its_end_is_refused(run: Run, tail: bytes) -> None:
    assert verdict(run, "a.zip", build(STORED) + tail)[:2] == (2, [])
    assert verdict(run, "a.tar.gz", gzip.compress(CLEAN_TAR + b"x"))[:2] == (2, [])


def pax(*records: tuple[str, str], kind: bytes = b"x") -> bytes:
    """Return a pax header with these records."""
    body = b""
    for keyword, value in records:
        text = f" {keyword}={value}\n".encode()
        length = len(text) + 2
        length = len(str(length)) + len(text)
        length = len(str(length)) + len(text)
        body += str(length).encode() + text
    return raw_header(kind, body)


def raw_header(kind: bytes, body: bytes) -> bytes:
    """Return a header that precedes a member."""
    info = tarfile.TarInfo("h")
    info.type, info.size = kind, len(body)
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)


def member(name: str, data: bytes = b"", kind: bytes = b"0") -> bytes:
    """Return a member."""
    info = special_member(name, kind)
    info.size = len(data)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


def with_field(block: bytes, at: int, value: bytes) -> bytes:
    """Return a header with another field, and the checksum made anew."""
    block = block[:at] + value + block[at + len(value) :]
    total = sum(block[:148]) + 256 + sum(block[156:512])
    return block[:148] + b"%06o\0 " % total + block[156:]


CACHED = "m.f-1.py311.nbi"
USTAR = with_field(with_field(member(CACHED), 257, b"ustar\x0000"), 345, b"__pycache__")
GNU_TIMES = with_field(member(CACHED), 345, b"__pycache__")


@pytest.mark.parametrize(
    "data",
    [
        pax(("path", "a.pyc")) + member("a.txt"),
        pax(("path", "a.txt")) + member("a.pyc"),
        raw_header(b"L", b"a.pyc\0") + member("a.txt"),
        raw_header(b"L", b"a.txt\0") + member("a.pyc"),
        pax(("path", "a.pyc"), kind=b"X") + member("a.txt"),
        member("a.pyc", kind=b"1"),
        member("a.txt", PYC, kind=b"7"),
        USTAR,
        GNU_TIMES,
        member("a.pyc/", PYC),
        pax(("mtime", "1.5"), ("comment", "x")) + member("x", PYC),
        pax(("comment", "deadbeef"), kind=b"g") + member("x", PYC),
        b"".join([pax(("mtime", "soon")), member("x", PYC)]),
    ],
)
def test_tar_member_is_checked_under_each_of_its_names(run: Run, data: bytes) -> None:
    code, found, errors = verdict(run, "a.tar", data + bytes(1024))
    assert (code, len(found), errors) == (1, 1, "")


@pytest.mark.parametrize(
    "data",
    [
        pax(("size", "600")) + member("a", b"x" * 700),
        pax(("size", "0")) + member("a", b"x" * 700),
        pax(("path", "a.txt"), ("path", "b.txt")) + member("a"),
        pax(("path", "")) + member("a"),
        pax(("path", "a\0b")) + member("a"),
        pax(("path", "a.pyc"), kind=b"g") + member("a"),
        pax(("size", "1"), kind=b"g") + member("a"),
        pax(("path", "a")) + pax(("path", "b")) + member("a"),
        raw_header(b"L", b"a\0") + raw_header(b"L", b"b\0") + member("a"),
        raw_header(b"L", b"a\0") + pax(("path", "b")) + member("a"),
        pax(("path", "b")) + raw_header(b"K", b"a\0") + member("a", kind=b"2"),
        raw_header(b"L", b"a\0b\0") + member("a"),
        raw_header(b"L", b"\0") + member("a"),
        raw_header(b"x", b"99 path=a\n") + member("a"),
        raw_header(b"x", b"09 path=a\n") + member("a"),
        raw_header(b"x", b"10 path=ab") + member("a"),
        raw_header(b"x", b"6 path\n") + member("a"),
        raw_header(b"x", b"9 path=a\n\0\0x") + member("a"),
        raw_header(b"x", b"7 =abc\n") + member("a"),
        pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")) + member("a", PYC),
        pax(("GNU.sparse.name", "a.pyc")) + member("a"),
        pax(("SCHILY.realsize", "1")) + member("a"),
        member("a", b"", kind=b"S"),
        pax(("path", "a")),
        raw_header(b"L", b"a\0"),
        with_field(member("a", b"x" * 20), 124, b"0000000001_0"),
        with_field(member("a", b"x" * 20), 124, b"0o24\0       "),
        with_field(member("a", b"x" * 20), 124, b"24\00000000077"),
        with_field(member("a"), 124, b"\xff" * 12),
        with_field(member("a"), 124, b"-1\0         "),
    ],
)
def test_tar_with_ambiguous_headers_is_refused(run: Run, data: bytes) -> None:
    code, found, errors = verdict(run, "a.tar", member("first") + data + bytes(1024))
    assert (code, found) == (2, [])
    assert errors.startswith("error: a.tar: ")


@pytest.mark.parametrize(
    "data",
    [
        pax(("size", "700")) + member("a", b"x" * 700),
        with_field(member("a", b"x" * 20), 124, b"\x80" + bytes(10) + b"\x14"),
        with_field(member("a", b"x" * 20), 124, b"         24 "),
        with_field(member("a"), 136, b"\xff" * 12),
        raw_header(b"L", b"n" * 300 + b"\0") + raw_header(b"K", b"m" * 300 + b"\0") + member("a", kind=b"2"),
        pax(("linkpath", "b"), ("path", "c")) + member("a", kind=b"2"),
        member("d/", kind=b"\0"),
    ],
)  # fmt: skip
def test_tar_with_usual_headers_is_read(run: Run, data: bytes) -> None:
    assert verdict(run, "a.tar", data + bytes(1024)) == (0, [], "")


def test_tar_with_signed_checksum_is_read(run: Run) -> None:
    """Old tars on machines whose characters have a sign made them; `tarfile` takes both."""
    block = member("\u00e9.pyc")
    signed = sum(byte - 256 * (byte > 127) for byte in block[:148] + block[156:512]) + 256
    assert check_archive(
        run, "a.tar", block[:148] + b"%06o\0 " % signed + block[156:] + bytes(1024)
    ) == ["ships `\u00e9.pyc`: bytecode"]


LAYER = make_tar({"usr/lib/m.pyc": PYC, "usr/lib/w.whl": EVIL_ZIP}, mode="w")
LINK = special_member("usr/l", tarfile.SYMTYPE, "/etc/../../alternatives").tobuf()


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "name", ["blobs/sha256/" + "ab" * 32, "ab" * 32 + "/layer.tar", "ab" * 32 + ".tar.gz"]
)
def test_layers_of_an_image_are_checked(run: Run, name: str, packed: type[bytes]) -> None:
    """A layer is no level of its own; links in it start from the top of the image."""
    members = {"oci-layout": b"{}", "blobs/sha256/" + "0" * 64: b"{}", name: packed(LINK + LAYER)}
    assert check_archive(run, "image.tar", make_tar(members, mode="w")) == [
        f"ships `{name}!usr/lib/m.pyc`: {WRITER} bytecode",
        f"ships `{name}!usr/lib/w.whl!a.pyc`: {WRITER} bytecode",
    ]


def test_archive_at_the_third_level_of_an_image_is_refused(run: Run) -> None:
    layer = "blobs/sha256/" + "ab" * 32
    image = make_tar({layer: make_tar({"a.pyc": b"", "b.zip": EVIL_ZIP}, mode="w")}, mode="w")
    nested = make_tar({layer: make_tar({"x.tar": image}, mode="w")}, mode="w")
    code, found, errors = verdict(run, "i.tar", nested)
    assert (code, found) == (2, [f"ships `{layer}!x.tar!{layer}!a.pyc`: bytecode"])
    assert "b.zip: is an archive at the third level, which is not checked" in errors


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("p/__pycache__/__init__.py", b"", ""),
        ("p/__pycache__/data.json", b"{}", ""),
        ("p/__pycache__/m.cpython-311.pyc", b"", ": bytecode"),
        ("p/__pycache__/m.f-1.py311.nbi", b"x", ": bytecode"),
        ("p/__pycache__/m.py", PYC, f": {WRITER} bytecode under a different name"),
        ("p/__pycache__/tool", b"#!x\n" + EVIL_ZIP, f"!a.pyc`: {WRITER} bytecode"),
    ],
)
def test_source_in_a_cache_directory_is_not_bytecode(
    run: Run, name: str, data: bytes, words: str
) -> None:
    for file, archive in (
        ("a.whl", make_zip({name: data, "d.dist-info/RECORD": f"{name},,\n".encode()})),
        ("a.tar", make_tar({name: data}, mode="w")),
    ):
        found = check_archive(run, file, archive)
        expected = f"ships `{name}{words}" if words[:1] == "!" else f"ships `{name}`{words}"
        assert found == ([expected] if words else [])


def test_link_instead_of_a_cache_directory_is_bytecode(run: Run) -> None:
    link = special_member("p/__pycache__", tarfile.SYMTYPE, "elsewhere").tobuf()
    assert check_archive(run, "a.tar", link + bytes(1024)) == ["ships `p/__pycache__`: bytecode"]
    assert check_archive(run, "a.zip", make_zip({}, links={"p/__pycache__": "elsewhere"})) == [
        "ships `p/__pycache__`: bytecode"
    ]
    assert check_archive(run, "b.zip", make_zip({}, links={"p/__pycache__/m.py": "../m.py"})) == []
