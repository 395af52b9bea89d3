"""Archives with flipped bits, and cut short: nothing but a verdict, whatever the damage.

`python -m fuzz --target archives` does more of it, and compiles nothing.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from archive_maker import SOURCE
from archive_maker import TAG
from archive_maker import hashed
from archive_maker import tarred
from archive_maker import timed
from archive_maker import zipped
from pycache_guard.archives.kinds import is_archive
from pycache_guard.distributions.comparison import Comparison
from pycache_guard.distributions.screening import screened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.findings import Finding

MEMBERS = {
    "m.py": SOURCE,
    TAG: hashed(),
    "d/n.bin": timed(),
    "d-1.dist-info/WHEEL": b"Generator: flit 3\n",
    "d-1.dist-info/RECORD": b"a.pyc,,\n",
    "d-1/pyproject.toml": b"[build-system]\n",
    "in.zip": zipped({"a.pyc": b""}),
}
ARCHIVES = {
    "a.whl": zipped(MEMBERS),
    "a.tar": tarred(MEMBERS, mode="w"),
    "a.tar.gz": tarred(MEMBERS),
    "a.tar.bz2": tarred(MEMBERS, mode="w:bz2"),
    "a.tar.xz": tarred(MEMBERS, mode="w:xz"),
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
def comparison() -> Iterator[Comparison]:
    """Compare with the same compilers throughout."""
    made = Comparison()
    yield made
    made.close()


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_verdict_whatever_the_damage(name: str, tmp_path: Path, comparison: Comparison) -> None:
    path = tmp_path / name
    path.write_bytes(ARCHIVES[name])
    whole: list[Finding] = screened(str(path), comparison)[0]
    assert len(whole) == 4
    chance = random.Random(name)
    for _ in range(40):
        path.write_bytes(damaged(ARCHIVES[name], chance))
        found, failures = screened(str(path), comparison)
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
def test_what_is_an_archive(name: str, head: bytes, expected: bool) -> None:
    assert is_archive(name, head) is expected
