"""Memory and work have bounds, whatever the bytes: M14 to M16 of the audit, and their kin.

Memory is measured by a limit on the address space of a child, work by what is read of the file.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import (
    CODE,
    SOURCE,
    TAG,
    make_tar,
    make_zip,
    special_member,
    timestamp_member,
)
from helpers.report_parser import CLEAN
from pycache_guard.dist import scan
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import ArchiveScan
from zip_builder import Part, build, end

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run

#: What a run may take beyond that of an empty archive, in bytes.
MOST_MEMORY = 64 << 20

#: Sets the limit when everything that a small run needs is loaded and allocated.
LIMITED = """
import resource, sys
from pycache_guard.cli import main
main(["check-dist", "small.whl"])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(["check-dist", sys.argv[2]]))
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty directory."""
    monkeypatch.chdir(tmp_path)


def limited(name: str, data: bytes) -> tuple[int, str, str]:
    """Return what a run says that may not take more memory than is promised."""
    Path("small.whl").write_bytes(
        make_zip({"m.py": SOURCE, TAG: timestamp_member(), "d.dist-info/RECORD": b""})
    )
    Path(name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(MOST_MEMORY), name],
        capture_output=True,
        text=True,
        check=False,
        # Each thread would have 64 MiB of address space of its own.
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )
    assert "MemoryError" not in done.stderr
    assert "Traceback" not in done.stderr
    _, _, found = done.stdout.partition("before you build the archive\n")
    return done.returncode, found, done.stderr


def packed(name: bytes, data: bytes) -> Part:
    """Return a member that is compressed once, however many names it gets."""
    part = Part(name, data, method=8)
    return part._replace(packed=part.content(), crc=zlib.crc32(data), size=len(data), data=b"")


def sources(name: bytes, size: int, number: int) -> bytes:
    """Return a wheel of that many members of a size, in directories of their own."""
    part = packed(b"", bytes(size))
    return build(*(part._replace(name=b"%05d/%s" % (n, name)) for n in range(number)))


def with_constant(constant: bytes) -> bytes:
    """Return a `.pyc` whose first constant is that one."""
    code = CODE
    number = next(form for form in (b"\xe9\1\0\0\0", b"i\1\0\0\0") if form in code)
    return timestamp_member()[:16] + code.replace(number, constant, 1)


def large_int(size: int) -> bytes:
    """Return a marshalled int of that many bytes."""
    return b"l" + struct.pack("<i", size // 2) + b"\xff\x7f" * (size // 2)


def large_tuple(size: int) -> bytes:
    """Return a marshalled tuple of that many elements."""
    return b"(" + struct.pack("<i", size) + b"N" * size


def records(line: bytes, size: int) -> bytes:
    """Return a wheel whose list of files has that many bytes of one line."""
    return build(packed(b"x-1.dist-info/RECORD", line * (size // len(line))))


LARGE: dict[str, tuple[int, Callable[[], tuple[str, bytes]]]] = {
    "setup.py": (2, lambda: ("a.whl", sources(b"setup.py", 16 << 20, 40))),
    "three setup.py": (0, lambda: ("a.whl", sources(b"setup.py", 16 << 20, 3))),
    "pyproject.toml": (0, lambda: ("a.whl", sources(b"pyproject.toml", 60_000, 900))),
    "a dotted key": (1, lambda: ("a.tar.gz", make_tar({"d/pyproject.toml": b"a." * 30_000 + b"a=1", "a.pyc": b""}))),
    "RECORD": (1, lambda: ("a.whl", records(b"aaaaaa.pyc,,\n", 16 << 20))),
    "RECORD of long paths": (1, lambda: ("a.whl", records(b"\x1b" * 4000 + b".pyc,,\n", 8 << 20))),
    "RECORD without an end": (2, lambda: ("a.whl", records(b"x", 48 << 20))),
    "RECORD in a tar": (1, lambda: ("a.tar.gz", make_tar({"x.dist-info/RECORD": b"a.pyc,,\n" * (2 << 20)}))),
    "one int": (1, lambda: ("a.whl", make_zip({TAG: with_constant(large_int(40 << 20)), "m.py": SOURCE}))),
    "one int that is compared": (1, lambda: ("a.whl", make_zip({TAG: with_constant(large_int(14 << 20)), "m.py": SOURCE}))),
    "one tuple": (1, lambda: ("a.whl", make_zip({TAG: with_constant(large_tuple(14 << 20)), "m.py": SOURCE}))),
    "members": (1, lambda: ("a.whl", make_zip({f"{n}.pyc": b"" for n in range(30_000)}, method=0))),
    "long names": (1, lambda: ("a.whl", build(*(Part(b"%05d" % n + b"\x1b" * 4000 + b".pyc") for n in range(1_200))))),
    "deep names": (1, lambda: ("a.whl", build(*(Part(b"a/" * 1900 + b"%05d.cpython-311.pyc" % n, timestamp_member()) for n in range(1_200))))),
    "failures": (2, lambda: ("a.whl", build(*(Part(b"../" * 500 + b"%05d" % n) for n in range(1_200))))),
    "members of a tar": (1, lambda: ("a.tar.gz", make_tar({f"{n}.pyc": b"" for n in range(20_000)}))),
    "an LZMA dictionary": (2, lambda: ("a.whl", build(Part(b"a", b"x", method=14, packed=b"\x09\x04\5\0\x5d\xff\xff\xff\xff" + bytes(20))))),
    "an xz dictionary": (2, lambda: ("a.tar.xz", lzma.compress(b"x", check=lzma.CHECK_CRC64, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]))),
    "a pax header": (2, lambda: ("a.tar.gz", gzip.compress(header(b"x", 60 << 20) + b"9" * (60 << 20)))),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and limits the address space")
@pytest.mark.parametrize("name", LARGE)
@pytest.mark.unmeasured
def test_m14_large_archive_needs_limited_memory(name: str) -> None:
    if name == "pyproject.toml" and sys.implementation.name == "pypy":
        pytest.skip("PyPy itself needs more than this limit here")
    code, make = LARGE[name]
    file, data = make()
    assert len(data) < 12 << 20
    done = limited(file, data)
    assert done[0] == code, done[2]
    assert len(done[1]) < 8 * scan.MAX_FINDING_CHARS


def test_m14_findings_and_failures_are_limited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_FINDING_COUNT", 3)
    monkeypatch.setattr(scan, "MAX_FAILURE_COUNT", 1)
    members = {f"{n}.pyc": b"" for n in range(5)} | {f"../{n}": b"" for n in range(3)}
    members["d.dist-info/RECORD"] = b"".join(b"x%d.pyc,,\n" % n for n in range(4))
    members["in.zip"] = make_zip({"a.pyc": b"", "../b.pyc": b""})
    Path("a.whl").write_bytes(make_zip(members))
    result = run("check-dist", "a.whl")
    assert result.code == 2
    assert result.out.count("PYC311") == 4
    assert "PYC311 ships, or lists in RECORD, 8 more bytecode files" in result.out
    assert result.err == (
        "error: a.whl: ../0: points outside the archive\n"
        "error: a.whl: 3 more members cannot be checked\n"
    )


def test_m14_candidates_for_sources_are_limited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of `__pycache__`, each directory above may hold the source (PYTHONPYCACHEPREFIX)."""
    source = "a/" * 60 + "m.py"
    name = source[:-3] + ".cpython-311.pyc"
    Path("a.whl").write_bytes(
        make_zip({name: timestamp_member(size=7), source: SOURCE, "m.py": SOURCE})
    )
    assert "`a/a/" in run("check-dist", "a.whl").out.partition("does not match its source")[2]
    monkeypatch.setattr(scan, "MAX_FINDING_CHARS", len(name))
    result = run("check-dist", "a.whl")
    assert (result.code, result.err) == (1, "")
    assert result.out.count("PYC311") == 1


@pytest.mark.parametrize("size", [4096, 4097, 60_000])
def test_overlong_member_name_is_refused(run: Run, size: int) -> None:
    name = "n" * size
    for file, data in (
        ("a.zip", make_zip({name: b""})),
        ("a.tar", make_tar({name: b""}, mode="w")),
    ):
        Path(file).write_bytes(data)
        result = run("check-dist", file)
        if size == 4096:
            assert result == CLEAN
        else:
            where = (
                "a.tar: has a header of"
                if file == "a.tar" and size > 10_000
                else "nnn…: has a name"
            )
            assert result.code == 2
            assert where in result.err


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and count."""
        data = super().read(size)
        self.count += len(data)
        return data


def counted(name: str, data: bytes) -> tuple[int, list[str]]:
    """Return how many bytes of an archive are read, and why it is refused."""
    file = Counted(data)
    comparison = ArchiveComparer()
    screening = ArchiveScan("a", comparison)
    screening.scan(file, name)
    comparison.close()
    return file.count, screening.failures


#: What is read of any archive: its end, and its beginning.
ENDS = 200_000


@pytest.mark.parametrize("names", [2, 50, 2_000])
@pytest.mark.parametrize("nested", [b"a.zip", b"a.tar.gz", b"a.py"])
def test_m15_large_content_under_many_names_is_not_unpacked(names: int, nested: bytes) -> None:
    size = 255 << 20
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(5)) + compressor.flush()
    part = Part(nested, packed=data, size=size, method=8, crc=1)
    body = part.local()
    directory = part.central(0) * names
    whole = body + directory + end(names, len(directory), len(body))
    read, failures = counted("x.zip", whole)
    assert read < ENDS + len(directory)
    (why,) = failures
    assert "decompression bomb" in why or "more than 4 GiB" in why


def test_m15_small_content_under_many_names_is_unpacked_once() -> None:
    """Below the limits of growth, members that overlap are refused."""
    inner = make_zip({"a.txt": bytes(10_000)})
    part = Part(b"a.zip", inner)
    body = part.local()
    directory = part.central(0) * 500
    read, failures = counted("x.zip", body + directory + end(500, len(directory), len(body)))
    assert read < ENDS + len(directory) + 500 * 9000
    assert len(failures) == 1
    assert failures[0] == "a: a.zip: is damaged: it overlaps with another member"


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_m15_nested_archives_share_the_growth_limit(form: str) -> None:
    """Each grows 200-fold at most by itself, and all of them too."""
    inner = make_zip({"a.txt": bytes(30 << 20)})
    members = {f"{n}.zip": inner for n in range(6)}
    whole = make_zip(members) if form == "zip" else make_tar(members)
    failures = counted(f"x.{form}", whole)[1]
    assert failures
    assert all("decompression bomb" in why for why in failures)
    assert counted("x.zip", make_zip({"a.zip": inner}))[1] == []


def header(kind: bytes, size: int) -> bytes:
    """Return a header that says that it is followed by so much."""
    info = special_member("x", kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, b"X", b"L", b"K"])
@pytest.mark.parametrize("size", [(10 << 10) + 1, 80_000, 16 << 20, 1 << 31, 1 << 40])
def test_m16_large_header_is_refused(kind: bytes, size: int) -> None:
    """Whatever `tarfile` does, which reads them by pieces from 3.14.10 on."""
    body = b"9" * min(size, 200_000)
    whole = header(kind, size) + body + bytes(-len(body) % 512) + tarfile.TarInfo("a").tobuf()
    read, failures = counted("a.tar", whole + bytes(1024))
    assert read <= 2 * ENDS
    assert failures == [f"a: has a header of {size} bytes, more than 10 KiB"]


@pytest.mark.parametrize(
    "body", [b"9" * 10_000, b"9" * 10_239 + b" ", b"1" + b"0" * 9_000 + b" a=\n"]
)
def test_m16_digits_without_length_are_refused(body: bytes) -> None:
    """CVE-2024-6232: `tarfile` took quadratic time for them."""
    whole = header(b"x", len(body)) + body + bytes(-len(body) % 512) + bytes(1024)
    assert counted("a.tar", whole)[1] == ["a: has a malformed pax header"]


def test_archive_is_read_at_most_four_times() -> None:
    """To see its members, to look for sources, and to compare."""
    members = {TAG: timestamp_member(), "m.py": SOURCE, "large": os.urandom(3 << 20)}
    members["tool"] = b"#!\n" + make_zip({"b.pyc": b""})
    for name, data in (("a.zip", make_zip(members)), ("a.tar.gz", make_tar(members))):
        read, failures = counted(name, data)
        assert failures == []
        assert read < 4 * len(data) + ENDS
