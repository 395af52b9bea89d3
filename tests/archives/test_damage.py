"""Archives with flipped bits, and cut short: nothing but a verdict, whatever the damage.

`python -m fuzz --target archives` does more of it, and compiles nothing.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import SOURCE, TAG, hash_member, make_tar, make_zip, timestamp_member
from pycache_guard.archives import is_archive
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import scan_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pycache_guard.findings import Finding

MEMBERS = {
    "m.py": SOURCE,
    TAG: hash_member(),
    "d/n.bin": timestamp_member(),
    "d-1.dist-info/WHEEL": b"Generator: flit 3\n",
    "d-1.dist-info/RECORD": b"a.pyc,,\n",
    "d-1/pyproject.toml": b"[build-system]\n",
    "in.zip": make_zip({"a.pyc": b""}),
}
ARCHIVES = {
    "a.whl": make_zip(MEMBERS),
    "a.tar": make_tar(MEMBERS, mode="w"),
    "a.tar.gz": make_tar(MEMBERS),
    "a.tar.bz2": make_tar(MEMBERS, mode="w:bz2"),
    "a.tar.xz": make_tar(MEMBERS, mode="w:xz"),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Flip one to four bits, or cut off the end."""
    if chance.random() < 0.3:
        return data[: chance.randrange(len(data))]
    broken = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


@pytest.fixture(scope="module")
def comparison() -> Iterator[ArchiveComparer]:
    """Compare with the same compilers throughout."""
    made = ArchiveComparer()
    yield made
    made.close()


@pytest.mark.parametrize("name", ARCHIVES)
def test_damaged_archive_is_reported_or_refused(
    name: str, tmp_path: Path, comparison: ArchiveComparer
) -> None:
    path = tmp_path / name
    path.write_bytes(ARCHIVES[name])
    whole: list[Finding] = scan_archive(str(path), comparison)[0]
    assert len(whole) == 4
    chance = random.Random(name)
    for _ in range(40):
        path.write_bytes(damaged(ARCHIVES[name], chance))
        found, failures = scan_archive(str(path), comparison)
        assert all("\n" not in failure for failure in failures)
        assert found or failures


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.WHL", b"", True),
        ("a.tar.gz", b"", True),
        ("a.docx", b"PK\x03\x04", True),
        ("a.gz", b"\x1f\x8b", False),
        ("whl", b"PK", False),
    ],
)
def test_archive_is_recognized_by_name_or_first_bytes(
    name: str, head: bytes, expected: bool
) -> None:
    assert is_archive(name, head) is expected
