"""What is read the short way is what is read the long way."""

from __future__ import annotations

import io
import zipfile

import pytest

from archive_maker import zipped
from pycache_guard.archives.member import Growth
from pycache_guard.archives.zips import Zip

#: Round what is read the short way: 64 bytes, out of the first 1024.
SIZES = [0, 1, 5, 63, 64, 65, 900, 1000, 1100, 70_000]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_the_first_bytes(method: int) -> None:
    members = {f"{size}\u00e9": (bytes(range(256)) * 300)[:size] for size in SIZES}
    data = zipped(members, method=method)
    archive = Zip(io.BytesIO(data), Growth(len(data)))
    for member in archive.members():
        for size in SIZES:
            assert member.read(size) == members[member.name][:size]
