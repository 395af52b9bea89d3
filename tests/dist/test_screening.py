"""Members of a zip file that are passed over: only those of which the usual check reports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from archives.mutations import archives
from helpers.make_archive import timestamp_member
from pycache_guard.archives.member import Growth
from pycache_guard.archives.zip_directory import HAS_DESCRIPTOR
from pycache_guard.archives.zips import Zip
from pycache_guard.dist import scan
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import is_harmless, scan_archive
from zip_builder import Part, build

if TYPE_CHECKING:
    from pathlib import Path

    from pycache_guard.archives.member import Archive


def scan_file(path: Path) -> object:
    """Return what is reported of an archive."""
    comparison = ArchiveComparer()
    try:
        return scan_archive(str(path), comparison)
    finally:
        comparison.close()


def test_report_is_that_of_every_member_checked_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    for name, data in archives(250, seed=22):
        files.append(tmp_path / name)
        files[-1].write_bytes(data)
    screened = [*map(scan_file, files)]

    def take_all(archive: Archive) -> object:
        return archive.members()

    monkeypatch.setattr(scan, "screen_members", take_all)
    assert screened == [*map(scan_file, files)]


TEXT = b"import os\n" * 30

#: A member, and whether it is passed over.
PARTS = [
    (Part(b"a/b.py", TEXT, method=8), True),
    (Part(b"a/b.py", TEXT), True),
    (Part(b"a/b.py"), True),
    (Part("ä.txt".encode(), TEXT, flags=0x800), True),
    (Part(b"a/__pycache__/notes.txt", TEXT), True),
    (Part(b"a/b.py", method=8, packed=b"\x03\0"), False),
    (Part(b"a/b.py", TEXT, method=8, extra=b"\0\0\0\0"), False),
    (Part(b"a/b.py", TEXT, method=8, local_extra=b"\0\0\0\0"), False),
    (Part(b"a/b.py", TEXT, packed=TEXT[4:], packed_size=300, local_extra=b"\0\0\0\0"), False),
    (Part(b"a/b.py", TEXT, method=8, local_name=b"a/c.py"), False),
    (Part(b"a/b.py", TEXT, method=8, local_method=0), False),
    (Part(b"a/b.py", TEXT, method=8, local_size=1), False),
    (Part(b"a/b.py", TEXT, method=8, crc=1), False),
    (Part(b"a/b.py", TEXT, crc=1), False),
    (Part(b"a/b.py", TEXT, method=8, size=1), False),
    (Part(b"a/b.py", TEXT, method=8, packed=b"no deflate"), False),
    (Part(b"a/b.py", TEXT, method=8, gap=b"\0"), False),
    (Part(b"a/b.py", TEXT, method=12, packed=b"x"), False),
    (Part(b"a/b.py", TEXT, flags=1), False),
    (Part(b"a/b.py", TEXT, flags=HAS_DESCRIPTOR), False),
    (Part(b"a/b.py", b"x" * 70_000), False),
    (Part(b"a/b.py", b"x" * 70_000, method=8), False),
    (Part(b"a\\b.py", TEXT), False),
    (Part(b"a\0b.py", TEXT), False),
    (Part(b"a/b", b"/etc", mode=0o120777), False),
    (Part(b"a/", b""), False),
    (Part(b"../b.py", TEXT), False),
    (Part(b"/b.py", TEXT), False),
    (Part(b"a/B.PYC", TEXT), False),
    (Part(b"a/__pycache__/b.cpython-313.pyc", TEXT), False),
    (Part(b"a/b.py", timestamp_member()), False),
    (Part(b"a/b.py", b"PK\5\6"), False),
    (Part(b"a-1.dist-info/RECORD", TEXT), False),
    (Part(b"a/b.zip", TEXT), False),
    (Part(b"x" * 64, TEXT), False),
]


@pytest.mark.parametrize(("part", "is_passed"), PARTS)
def test_only_a_simple_undamaged_file_is_passed_over(
    part: Part, is_passed: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(build(part, Part(b"last.txt", b"x")))
    with path.open("rb") as file:
        members = Zip(file, Growth(1 << 20)).screen_members(is_harmless)
        assert (next(members) is None) == is_passed
