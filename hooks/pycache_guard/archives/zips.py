"""Zip files: wheels, eggs, zipapps."""

from __future__ import annotations

import lzma
import posixpath
import stat
import struct
import zipfile
import zlib
from typing import cast

from pycache_guard.archives.member import LARGEST_READ
from pycache_guard.archives.member import MOST_MEMBERS
from pycache_guard.archives.member import PIECE
from pycache_guard.archives.member import Member
from pycache_guard.archives.member import Unjudgeable
from pycache_guard.archives.member import check_growth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

#: What `zipfile` and its decompressors raise on bytes that are no zip file.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)

#: General purpose flags, bits 0 and 11 (APPNOTE 4.4.4).
_ENCRYPTED = 0x1
_UTF8 = 0x800

#: The lengths of a local header, and of what may stand behind the directory, the longer form; so much of a file holds one, a name, and the start of the content;
#: and what is no more than that start.
_LOCAL = 30
_END = 56
_NEAR = 1024
_SMALL = 64

#: Linux: PATH_MAX.
_LONGEST_PATH = 4096


class Guarded:
    """A file of which nobody reads more at once than is sane: `zipfile` reads a directory whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable
        self.close = file.close

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        if size > LARGEST_READ:
            raise Unjudgeable(
                f"has a directory of {size} bytes, more than {LARGEST_READ >> 20} MiB"
            )
        return self._file.read(size)


class Zip:
    """The members as the central directory has them, which is what installers go by."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the directory. Raises `Unjudgeable` where it is broken."""
        self._file = file
        try:
            self._zip = zipfile.ZipFile(cast("IO[bytes]", Guarded(file)))
        except DAMAGE as error:
            raise Unjudgeable(f"is no zip file that can be read: {words(error)}") from None
        # The directory was read last. An overlong comment in it would hide the entries behind.
        count = entries(file.read(_END))
        if count not in (len(self._zip.infolist()), len(self._zip.infolist()) & 0xFFFF):
            raise Unjudgeable("is no zip file that can be read: its directory is damaged")

    def members(self) -> Iterator[Member]:
        """Yield every member. Raises `Unjudgeable`."""
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise Unjudgeable(f"has {len(infos)} members, more than {MOST_MEMBERS}")
        for info in infos:
            yield self._member(info)
        sizes = [(info.compress_size, info.file_size) for info in infos]
        check_growth(sum(taken for taken, _ in sizes), sum(given for _, given in sizes))

    def _member(self, info: zipfile.ZipInfo) -> Member:
        name = info.filename.replace("\\", "/")
        is_directory = name.endswith("/")  # ZipInfo.is_dir() wants a name that is not empty
        is_link = stat.S_ISLNK(info.external_attr >> 16)
        return Member(
            name,
            info.file_size,
            None,
            not is_directory and not is_link,
            is_directory,
            self._target(info, name) if is_link else None,
            lambda size: self._pieces(info, size),
        )

    def _target(self, info: zipfile.ZipInfo, name: str) -> str:
        target = b"".join(self._pieces(info, _LONGEST_PATH)).decode("utf-8", "surrogateescape")
        return posixpath.join(posixpath.dirname(name), target)

    def _head(self, info: zipfile.ZipInfo, size: int) -> bytes | None:
        """Return the first bytes of a usual member, `None` of any other: a fifth of the time.

        A local header has its lengths at 26 (APPNOTE 4.3.7).
        """
        self._file.seek(info.header_offset)
        data = self._file.read(_NEAR)
        if not data.startswith(b"PK\x03\x04"):
            return None
        name_length, extra_length = struct.unpack_from("<HH", data, 26)
        name = data[_LOCAL : _LOCAL + name_length]
        if name != info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437"):
            return None
        content = data[_LOCAL + name_length + extra_length :][: info.compress_size]
        if info.compress_type == zipfile.ZIP_DEFLATED:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, size)
        elif info.compress_type != zipfile.ZIP_STORED:
            return None
        return content[:size] if len(content) >= min(size, info.file_size) else None

    def _pieces(self, info: zipfile.ZipInfo, size: int) -> Iterator[bytes]:
        if info.flag_bits & _ENCRYPTED:
            raise Unjudgeable("is encrypted")
        try:
            if size <= _SMALL and (head := self._head(info, size)) is not None:
                yield head
                return
            with self._zip.open(info) as member:
                while size and (piece := member.read(min(size, PIECE))):
                    yield piece
                    size -= len(piece)
        except DAMAGE as error:
            raise Unjudgeable(f"is damaged: {words(error)}") from None


def entries(end: bytes) -> int | None:
    """Return how many entries a directory has by the record behind it (APPNOTE 4.3.14, 4.3.16)."""
    if end.startswith(b"PK\x06\x06"):
        return int.from_bytes(end[32:40], "little")
    return int.from_bytes(end[10:12], "little") if end.startswith(b"PK\x05\x06") else None


def words(error: BaseException) -> str:
    """Return what an exception says, in one line, or else its name."""
    return " ".join(str(error).split()) or type(error).__name__
