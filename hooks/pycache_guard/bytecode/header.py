"""The header before the code: magic, flags, and what connects the file with its source."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode import magic as magics

if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.magic import Magic

#: Bits of the flags (PEP 552). CHECK_SOURCE without HASH_BASED is read as a timestamp, and written
#: by nobody.
HASH_BASED = 0b01
CHECK_SOURCE = 0b10

_U32 = 0xFFFF_FFFF

#: marshal's TYPE_CODE, without and with FLAG_REF.
_CODE_TYPES = (b"c", b"\xe3")
#: pytest before 6.2 wrote magic, time and size, whatever header its Python had (pytest-dev/pytest#8014).
_EARLY_PYTEST_LENGTH = 12


class InvalidHeader(ValueError):
    """Python refuses this header; the message is that of `_classify_pyc` in importlib."""


class Timestamp(NamedTuple):
    """The modification time of the source and, since CPython 3.3, its size: the low 32 bits of each."""

    mtime: int
    source_size: int | None

    def has_mtime(self, mtime: float) -> bool:
        """Return whether `mtime`, as in `os.stat`, matches."""
        return int(mtime) & _U32 == self.mtime

    def has_size(self, size: int) -> bool:
        """Return whether `size` matches. Any size matches a header without one."""
        return self.source_size is None or size & _U32 == self.source_size


class SourceHash(NamedTuple):
    """A hash of the source (PEP 552)."""

    #: 8 bytes.
    digest: bytes
    #: Whether Python compares it with the source, unless an option prevents that.
    checked: bool


class Header(NamedTuple):
    """A well-formed header."""

    magic: Magic
    #: 0 where the format has none.
    flags: int
    #: None for formats without it: Jython, MicroPython.
    validation: Timestamp | SourceHash | None

    @property
    def has_unwritten_flags(self) -> bool:
        """Return whether Python accepts these flags but never writes them."""
        return self.flags == CHECK_SOURCE


def parse_header(data: bytes, name: CacheName | None = None) -> Header:
    """Read the header at the start of `data`.

    `name` is the file's, if it is known: early versions of pytest wrote a header of their own, and
    `magic.header_length` of the result is its length. Raises `InvalidHeader`: unknown magic, too few
    bytes, or unknown flags.
    """
    magic = magics.identify_magic(data)
    if magic is None:
        raise InvalidHeader(f"bad magic number: {data[: magics.LENGTH]!r}")
    if name is not None and name.pytest:
        length = _find_pytest_header_length(data, name.pytest, magic.header_length)
        magic = magic._replace(header_length=length)
    if len(data) < magic.header_length:
        raise InvalidHeader("reached EOF while reading pyc header")
    if magic.header_length == 16:
        return _pep552_header(magic, data)
    if magic.header_length == 12:
        return Header(magic, 0, Timestamp(*struct.unpack_from("<II", data, 4)))
    if magic.header_length == 8:
        (mtime,) = struct.unpack_from("<I", data, 4)
        return Header(magic, 0, Timestamp(mtime, None))
    return Header(magic, 0, None)


def _pep552_header(magic: Magic, data: bytes) -> Header:
    flags, mtime, size = struct.unpack_from("<III", data, 4)
    if flags & ~(HASH_BASED | CHECK_SOURCE):
        raise InvalidHeader(f"invalid flags {flags}")
    if flags & HASH_BASED:
        return Header(magic, flags, SourceHash(data[8:16], bool(flags & CHECK_SOURCE)))
    return Header(magic, flags, Timestamp(mtime, size))


def _find_pytest_header_length(data: bytes, version: str, usual: int) -> int:
    """Return the length of a header that pytest wrote: where a module's code begins.

    If none begins, as in a truncated file, the length is that of the version.
    """
    is_early = version == "PYTEST" or _release(version) < (6, 2)
    lengths = (_EARLY_PYTEST_LENGTH, usual) if is_early else (usual, _EARLY_PYTEST_LENGTH)
    for length in lengths:
        # A module takes no arguments.
        if data[length : length + 1] in _CODE_TYPES and data[length + 1 : length + 5] == bytes(4):
            return length
    return lengths[0]


def _release(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version, without a suffix after the digits."""
    parts = version.split(".")[:2]
    return tuple([int(part) for part in parts if part.isascii() and part.isdigit()])
