from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import SOURCE, hash_member
from pycache_guard.archives.member import Member
from pycache_guard.dist import members
from pycache_guard.dist.members import SourceHasher, read_pyc_member, source_mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator

#: GraalPy's; how it hashes a source is not known.
UNKNOWN = (21290).to_bytes(2, "little") + b"\r\n\3\0\0\0" + bytes(8)


def member(name: str, data: bytes) -> Member:
    return Member(name, len(data), None, True, False, None, lambda size: iter([data[:size]]))


@pytest.mark.parametrize(
    ("bytecode", "limit", "expected"),
    [
        (hash_member(), len(SOURCE), None),
        (hash_member(b"other"), len(SOURCE), "has a different hash"),
        # What is too large is not hashed.
        (hash_member(b"other"), len(SOURCE) - 1, None),
        (UNKNOWN, len(SOURCE), None),
        (b"no header", len(SOURCE), None),
    ],
)
@pytest.mark.parametrize("name", ["MAX_HASHED_BYTES", "MAX_HASHED_SOURCE_BYTES"])
def test_hash_mismatch_within_the_limits_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, bytecode: bytes, limit: int, expected: str | None
) -> None:
    monkeypatch.setattr(members, name, limit)
    found = read_pyc_member(member("m.pyc", bytecode), bytecode)
    source = member("m.py", SOURCE)
    assert source_mismatch(found, source, SourceHasher().hash_function(source)) == expected


def test_hash_of_one_source_and_magic_is_computed_once() -> None:
    """Else a thousand files of one source would have it read and hashed a thousand times."""
    found = read_pyc_member(member("m.pyc", hash_member()), hash_member())
    assert found.header is not None
    reads = []

    def pieces(size: int) -> Iterator[bytes]:
        reads.append(size)
        yield SOURCE

    source = member("m.py", SOURCE)._replace(iter_chunks=pieces)
    hasher = SourceHasher()
    hash_for = hasher.hash_function(source)
    assert len({hash_for(found.header.magic) for _ in range(1000)}) == 1
    older = found.header.magic._replace(data=b"\x55\r\r\n")
    assert hash_for(older) != hash_for(found.header.magic)
    assert len(reads) == 1
