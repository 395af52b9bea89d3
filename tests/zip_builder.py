"""Zip files byte by byte: what `zipfile` would not write."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple


class Part(NamedTuple):
    """A member, with what its headers say of it; `None` stands for the truth."""

    name: bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    #: What the headers say.
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    #: What only the local header says.
    local_name: bytes | None = None
    local_size: int | None = None
    local_packed_size: int | None = None
    local_method: int | None = None
    local_flags: int | None = None
    local_extra: bytes = b""
    extra: bytes = b""
    comment: bytes = b""
    #: What stands in place of the packed content, and after it.
    packed: bytes | None = None
    descriptor: bytes = b""
    gap: bytes = b""

    def content(self) -> bytes:
        """Return the packed content."""
        if self.packed is not None:
            return self.packed
        if self.method == 0:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()

    def numbers(self) -> tuple[int, int, int]:
        """Return checksum, packed size and size."""
        return (
            zlib.crc32(self.data) if self.crc is None else self.crc,
            len(self.content()) if self.packed_size is None else self.packed_size,
            len(self.data) if self.size is None else self.size,
        )

    def local(self) -> bytes:
        """Return the local header, the content, and what follows."""
        crc, packed_size, size = self.numbers()
        name = self.name if self.local_name is None else self.local_name
        header = struct.pack(
            "<4s5H3I2H",
            *(b"PK\3\4", 20, self.flags if self.local_flags is None else self.local_flags),
            *(self.method if self.local_method is None else self.local_method, 0, 0x21, crc),
            packed_size if self.local_packed_size is None else self.local_packed_size,
            size if self.local_size is None else self.local_size,
            *(len(name), len(self.local_extra)),
        )
        return header + name + self.local_extra + self.content() + self.descriptor + self.gap

    def central(self, offset: int) -> bytes:
        """Return the entry of the directory."""
        crc, packed_size, size = self.numbers()
        return (
            struct.pack(
                "<4s6H3I5H2I",
                *(b"PK\1\2", 0x314, 20, self.flags, self.method, 0, 0x21),
                *(crc, packed_size, size, len(self.name), len(self.extra), len(self.comment)),
                *(0, 0, self.mode << 16, offset),
            )
            + self.name
            + self.extra
            + self.comment
        )


def end(count: int, size: int, offset: int, comment: bytes = b"", here: int | None = None) -> bytes:
    """Return the end record."""
    here = count if here is None else here
    return (
        struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, here, count, size, offset, len(comment)) + comment
    )


def end64(count: int, size: int, offset: int, more: bytes = b"") -> bytes:
    """Return the zip64 end record."""
    sizes = (44 + len(more), 45, 45, 0, 0, count, count, size, offset)
    return struct.pack("<4sQ2H2I4Q", b"PK\6\6", *sizes) + more


def locator(offset: int) -> bytes:
    """Return the zip64 locator."""
    return struct.pack("<4sIQI", b"PK\6\7", 0, offset, 1)


def unicode_path(name: bytes, shown: bytes) -> bytes:
    """Return the extra field 0x7075 that gives `name` another name."""
    data = struct.pack("<BI", 1, zlib.crc32(name)) + shown
    return struct.pack("<2H", 0x7075, len(data)) + data


def zip64_field(*values: int) -> bytes:
    """Return the extra field of zip64."""
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def build(*parts: Part, prefix: bytes = b"", comment: bytes = b"") -> bytes:
    """Return a zip file; offsets count from behind the prefix, as in a zipapp."""
    body, directory = prefix, b""
    for part in parts:
        directory += part.central(len(body) - len(prefix))
        body += part.local()
    offset = len(body) - len(prefix)
    return body + directory + end(len(parts), len(directory), offset, comment)
