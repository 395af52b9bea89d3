from __future__ import annotations

import pytest

from archive_maker import SOURCE
from archive_maker import hashed
from pycache_guard.archives.member import Member
from pycache_guard.distributions.origin import difference
from pycache_guard.distributions.origin import shipped

#: GraalPy's; how it hashes a source is not known.
UNKNOWN = (21290).to_bytes(2, "little") + b"\r\n\3\0\0\0" + bytes(8)


def member(name: str, data: bytes) -> Member:
    return Member(name, len(data), None, True, False, None, lambda size: iter([data[:size]]))


@pytest.mark.parametrize(
    ("bytecode", "limit", "expected"),
    [
        (hashed(), len(SOURCE), None),
        (hashed(b"other"), len(SOURCE), "has another hash"),
        # What is too large to be read whole is not hashed.
        (hashed(), len(SOURCE) - 1, None),
        (UNKNOWN, len(SOURCE), None),
        (b"no header", len(SOURCE), None),
    ],
)
def test_hashes(bytecode: bytes, limit: int, expected: str | None) -> None:
    found = shipped(member("m.pyc", bytecode), bytecode)
    assert difference(found, member("m.py", SOURCE), limit) == expected
