"""Archives by a seeded generator: each hides bytecode where one reader or another may see it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
from typing import TYPE_CHECKING

from helpers.make_archive import make_tar, make_zip, special_member, timestamp_member
from zip_builder import Part, build, end, end64, locator, unicode_path, zip64_field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYC = timestamp_member()
#: One bit away from bytecode: by name, and by content.
NEAR_NAMES = (b"m.pyb", b"m.pxc", b"m.py", b"__qycache__/m.txt", b"d/m.qyc")
NEAR_CONTENT = PYC[:3] + bytes([PYC[3] ^ 1]) + PYC[4:]
HIDDEN = Part(b"__main__.pyc", PYC)


def archives(number: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of that many archives."""
    for n in range(number):
        chance = random.Random(f"{seed} {n}")
        make = chance.choice(MAKERS)
        suffix, data = make(chance)
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 4))):
            data = flip(chance, data, suffix)
        yield f"{n:05}{suffix}", data


def flip(chance: random.Random, data: bytes, suffix: str) -> bytes:
    """Change a bit, preferably of a header; cut something off; or repeat a part."""
    if not data:
        return data
    kind = chance.random()
    if kind < 0.1:
        at = chance.randrange(len(data))
        return data[:at] + data[at + chance.choice((1, 4, 22, 512)) :]
    if kind < 0.2:
        at, start = chance.randrange(len(data)), chance.randrange(len(data))
        return data[:at] + data[start : start + chance.choice((4, 30, 76, 512))] + data[at:]
    marks = [at for at in range(len(data)) if data.startswith(b"PK", at)]
    near = chance.choice(marks or [0]) if chance.random() < 0.8 else chance.randrange(len(data))
    at = min(near + chance.randrange(80), len(data) - 1)
    broken = bytearray(data)
    broken[at] ^= 1 << chance.randrange(8)
    return (
        mend_checksums(bytes(broken))
        if suffix == ".tar" and chance.random() < 0.8
        else bytes(broken)
    )


def mend_checksums(data: bytes) -> bytes:
    """Make the checksum of each block of a tar file that looks like a header anew."""
    blocks = []
    for at in range(0, len(data), 512):
        block = data[at : at + 512]
        if block[257:262] == b"ustar" and len(block) == 512:
            total = sum(block[:148]) + 256 + sum(block[156:])
            block = block[:148] + b"%06o\0 " % total + block[156:]
        blocks.append(block)
    return b"".join(blocks)


def suffix_of_zip(chance: random.Random) -> str:
    """Return the end of a zip file's name."""
    return chance.choice((".whl", ".zip", ".pyz", ""))


def part(chance: random.Random) -> Part:
    """Return a member, some of whose fields are not what they should be."""
    name = chance.choice(
        (b"a.txt", b"a.py", b"d/", b"l.pyc", *NEAR_NAMES, b"x.txt\0.pyc", b"d\\m.txt")
    )
    data = chance.choice(
        (
            b"text",
            b"text",
            b"",
            b"",
            PYC,
            NEAR_CONTENT,
            make_zip({"a.pyc": PYC}),
            b"#!\n" + build(HIDDEN),
        )
    )
    made = Part(
        name, data, method=chance.choice((0, 8)), mode=chance.choice((0o100644, 0o120777, 0o40755))
    )
    packed = made.content()
    changes: list[dict[str, object]] = [
        {},
        {"local_name": b"m.pyc"},
        {"name": b"m.pyc", "local_name": name},
        {"extra": unicode_path(name, b"m.pyc")},
        {"local_extra": unicode_path(name, b"m.pyc")},
        {"extra": unicode_path(b"other", b"m.pyc")},
        {"local_size": 0},
        {"size": 0},
        {"packed_size": 0},
        {"size": 1 << 20},
        {"local_method": 8 - made.method},
        {"flags": 8},
        {"local_flags": 8},
        {"flags": 8, "descriptor": struct.pack("<4s3I", b"PK\7\x08", *made.numbers())},
        {"packed": packed + HIDDEN.local(), "local_packed_size": len(packed)},
        {"packed": packed + HIDDEN.local()},
        {"gap": HIDDEN.local()},
        {"extra": zip64_field(len(data), len(packed), 0)},
        {"size": 0xFFFFFFFF, "extra": zip64_field(len(data))},
        {"comment": HIDDEN.central(0)},
        {"crc": 1},
        {"method": 12},
        {"flags": 0x800},
        {"flags": 1},
    ]
    if chance.random() < 0.5:
        return made
    return made._replace(**chance.choice(changes))  # type: ignore[arg-type]


def odd_zip(chance: random.Random) -> tuple[str, bytes]:
    """Return a zip file of odd members, in front of which something may stand."""
    parts = [part(chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    prefix = chance.choice((b"", b"", b"", b"", b"#!x\n", HIDDEN.local(), build(HIDDEN), PYC))
    comment = chance.choice((b"", b"", b"", b"c", HIDDEN.central(0) + end(1, 58, 0)))
    return suffix_of_zip(chance), build(*parts, prefix=prefix, comment=comment)


def two_directories(chance: random.Random) -> tuple[str, bytes]:
    """Return a zip file with two directories and up to three end records, in some order."""
    clean = Part(b"a.txt", b"text")
    body = clean.local() + HIDDEN.local()
    shown, hidden = clean.central(0), HIDDEN.central(len(clean.local()))
    first, second = chance.sample((shown, hidden), 2)
    gap = bytes(chance.choice((0, 0, 4, 22, 76)))
    at = len(body)
    middle = at + len(first) + len(gap)
    spans = [(at, len(first)), (middle, len(second)), (at, middle + len(second) - at)]
    body += first + gap + second
    for _ in range(chance.choice((0, 1, 1, 2))):
        offset, size = chance.choice(spans)
        record = len(body)
        body += end64(chance.choice((1, 2)), size, offset)
        if chance.random() < 0.7:
            body += locator(chance.choice((record, at, 0)))
        elif chance.random() < 0.5:
            body += bytes(20)
    offset, size = chance.choice(spans)
    count = chance.choice((1, 1, 2, 0xFFFF))
    more = chance.choice((b"", b"", bytes(9), end(1, *spans[1][::-1])))
    return suffix_of_zip(chance), body + end(count, size, offset, more)


def odd_tar(chance: random.Random) -> tuple[str, bytes]:
    """Return a tar file of odd members, perhaps compressed, with something behind it."""
    data = b"".join(tar_part(chance) for _ in range(chance.choice((1, 2, 3)))) + bytes(1024)
    more = chance.choice((*(b"",) * 6, make_tar({"m.pyc": PYC}, mode="w"), build(HIDDEN), b"x"))
    kinds: list[tuple[str, Callable[[bytes], bytes]]] = [
        (".tar", bytes),
        (".tar", bytes),
        (".tar.gz", gzip.compress),
        (".tar.bz2", bz2.compress),
        (".tar.xz", lzma.compress),
    ]
    suffix, compress = chance.choice(kinds)
    tail = chance.choice((bytes, compress))
    return suffix, compress(data) + tail(more) if more else compress(data)


def tar_part(chance: random.Random) -> bytes:
    """Return a member of a tar file, with what precedes it."""
    data = chance.choice((b"text", b"text", b"", b"", PYC, NEAR_CONTENT, b"#!\n" + build(HIDDEN)))
    kind = chance.choice(
        (b"0", b"0", b"\0", b"1", b"2", b"3", b"5", b"6", b"7", b"Z", b"S", b"D", b"V", b"M")
    )
    name = chance.choice(("a.txt", "m.pyb", "d/", "__qycache__/a", "m.pyc"))
    info = special_member(name, kind, chance.choice(("", "a.txt")))
    info.size = chance.choice((len(data), len(data), 0, 512))
    block = info.tobuf(chance.choice((tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)))
    before = b""
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        before += chance.choice(
            (
                header(b"x", record("path", "m.pyc")),
                header(b"x", record("size", str(len(PYC)))),
                header(b"x", record("GNU.sparse.name", "m.pyc") + record("GNU.sparse.size", "9")),
                header(b"x", record("path", "m.pyc") + record("path", "a.txt")),
                header(b"g", record("path", "m.pyc")),
                header(b"L", b"m.pyc\0"),
                header(b"L", b"a.txt\0.pyc\0"),
                header(b"K", b"m.pyc\0"),
                header(b"g", record("comment", "x")),
            )
        )
    return before + block + data + bytes(-len(data) % 512)


def record(keyword: str, value: str) -> bytes:
    """Return a record of a pax header that is shorter than 100 bytes."""
    text = f" {keyword}={value}\n".encode()
    return b"%d" % (len(text) + 2 if len(text) >= 8 else len(text) + 1) + text


def header(kind: bytes, body: bytes) -> bytes:
    """Return a header that precedes a member."""
    info = tarfile.TarInfo("h")
    info.type, info.size = kind, len(body)
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)


def both(chance: random.Random) -> tuple[str, bytes]:
    """Return a tar and a zip file in one."""
    tar = make_tar({chance.choice(("a.txt", "m.pyc")): chance.choice((PYC, b"text"))}, mode="w")
    suffix, zip_file = two_directories(chance) if chance.random() < 0.3 else odd_zip(chance)
    order = [tar, chance.choice((bytes, gzip.compress))(b"") + zip_file]
    if chance.random() < 0.3:
        order.reverse()
    return chance.choice((".tar", ".tar.gz", suffix)), b"".join(order)


def usual(chance: random.Random) -> tuple[str, bytes]:
    """Return what the standard library writes, with bytecode one bit away."""
    members = {name.decode(): NEAR_CONTENT for name in NEAR_NAMES}
    if chance.random() < 0.5:
        return suffix_of_zip(chance), make_zip(members, method=chance.choice((0, 8, 12, 14)))
    data = io.BytesIO(make_tar(members, mode="w"))
    return ".tar", data.getvalue()


MAKERS = (*(odd_zip,) * 4, *(two_directories,) * 2, *(odd_tar,) * 4, both, *(usual,) * 3)
