"""Damaged archives: nothing but a verdict, or words why there is none."""

from __future__ import annotations

import io
import tarfile
import zipfile
from functools import cache
from typing import TYPE_CHECKING

from fuzz.corpus import bytecode
from fuzz.target import Target
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import ArchiveScan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.archives.member import Archive
    from pycache_guard.dist.members import ArchivedPyc

#: The first byte of an input says which name the archive bears.
NAMES = ("a.whl", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.zip", "a.bin")
TOKENS = (
    *(b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"ustar"),
    *(b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"../", b".pyc", b"\xff\xff\xff\xff", bytes(8)),
)


class Uncompared(ArchiveComparer):
    """Compiles nothing: what a compiler is given is not what is tried here."""

    def doubts(
        self, archive: Archive, pairs: Iterable[tuple[ArchivedPyc, str, int]]
    ) -> tuple[dict[str, str], list[str]]:
        """Return nothing, after every member has been read once more."""
        for member in archive.members():
            for _ in member.iter_chunks(64):
                pass
        return {}, []


def scan_archive(data: bytes) -> str:
    """Screen an archive."""
    screening = ArchiveScan("a", Uncompared())
    screening.scan(io.BytesIO(data[1:]), NAMES[data[0] % len(NAMES)] if data else NAMES[0])
    assert all(len(why.splitlines()) == 1 for why in screening.failures)
    found = screening.findings()
    return "failures" if screening.failures else "findings" if found else "nothing"


@cache
def seeds() -> list[bytes]:
    """Return one of each sort, small, with every sort of member that is looked into."""
    members = {
        "m.py": b"x = 1\n",
        "__pycache__/m.cpython-311.pyc": bytecode()[0],
        "n.bin": bytecode()[-1],
        "d-1.dist-info/WHEEL": b"Generator: flit 3\n",
        "d-1.dist-info/RECORD": b"a.pyc,,\n",
        "d-1/pyproject.toml": b"[build-system]\n",
    }
    members["in.zip"] = zipped({"a.pyc": b""}, zipfile.ZIP_STORED)
    zips = [zipped(members, method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    tars = [tarred(members, kind) for kind in ("", "gz", "bz2", "xz")]
    found = [b"\0" + zips[0], b"\5" + zips[1]]
    found += [bytes([n]) + data for n, data in enumerate(tars, start=1)]
    return sorted(found, key=len)


def zipped(members: dict[str, bytes], method: int) -> bytes:
    """Return a zip file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, method)
    return data.getvalue()


def tarred(members: dict[str, bytes], kind: str) -> bytes:
    """Return a tar file, with a link."""
    data = io.BytesIO()
    # typeshed wants one of so many words.
    with tarfile.open(fileobj=data, mode=f"w:{kind}") as file:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("l.pyc")
        link.type, link.linkname = tarfile.SYMTYPE, "../m.pyc"
        file.addfile(link)
    return data.getvalue()


TARGETS = {"archives": Target(scan_archive, seeds, TOKENS)}
