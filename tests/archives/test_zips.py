"""What is read the short way is what is read the long way, and where readers see a directory."""

from __future__ import annotations

import io
import zipfile

import pytest

from helpers.make_archive import make_zip
from pycache_guard.archives.member import Growth
from pycache_guard.archives.zip_directory import has_directory
from pycache_guard.archives.zips import Zip
from zip_builder import Part, build, end, end64, locator

#: Round what is read the short way: 64 bytes, out of the first 1024.
SIZES = [0, 1, 5, 63, 64, 65, 900, 1000, 1100, 70_000]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_member_returns_the_requested_number_of_bytes(method: int) -> None:
    members = {f"{size}\u00e9": (bytes(range(256)) * 300)[:size] for size in SIZES}
    data = make_zip(members, method=method)
    archive = Zip(io.BytesIO(data), Growth(len(data)))
    for member in archive.members():
        for size in SIZES:
            assert member.read(size) == members[member.name][:size]


def test_directory_is_found_wherever_a_reader_finds_one() -> None:
    part = Part(b"a.pyc")
    directory, at = part.central(0), len(part.local())
    body = part.local() + directory
    size = len(directory)
    for data, expected in (
        (body + end(1, size, at), True),
        (b"#!x\n" + body + end(1, size, at), True),
        # The last end record is false, or cut short; an earlier one has a comment up to the end.
        (body + end(1, size, at, b"PK\5\6" + b"\xff" * 40), True),
        (body + end(1, size, at, b"PK\5\6"), True),
        (body + end(1, size, at, b"PK\5\6") + b"x", False),
        (body + end64(1, size, at) + locator(at) + end(1, 0, 0xFFFFFFFF), True),
        (body + end64(1, size, at) + bytes(20) + end(1, 0, 0xFFFFFFFF), True),
        (body + bytes(7) + end(1, 0, at), True),
        (body + end(1, size + 1, at + 1), False),
        (build(), False),
        (b"", False),
    ):
        assert has_directory(io.BytesIO(data)) is expected
