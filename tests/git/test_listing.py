from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.posix_names import decode_posix_name
from pycache_guard.git.entries import Entry
from pycache_guard.git.listing import iter_blocks, iter_entry_blocks, parse_entry, select_records
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.git.process import Git


class Chunks:
    """A git whose output comes in given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def chunks(self) -> Iterator[bytes]:
        yield from self._pieces


def git(pieces: list[bytes]) -> Git:
    return cast("Git", Chunks(pieces))


RECORD = st.binary(max_size=6).map(lambda data: data.replace(b"\0", b"\t") + b"\0")


@st.composite
def listings(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """Return records, and their bytes cut in any way, no piece being empty."""
    records = draw(st.lists(RECORD, max_size=8))
    whole = b"".join(records)
    cuts = sorted({0, len(whole), *draw(st.lists(st.integers(0, len(whole)), max_size=8))})
    return records, [whole[a:b] for a, b in pairwise(cuts)]


@given(listings())
def test_iter_blocks_ends_each_block_with_a_whole_record(
    listing: tuple[list[bytes], list[bytes]],
) -> None:
    records, pieces = listing
    found = list(iter_blocks(git(pieces)))
    assert b"".join(found) == b"".join(records)
    assert all(block.endswith(b"\0") for block in found)


@given(listings())
def test_select_records_reads_every_record(listing: tuple[list[bytes], list[bytes]]) -> None:
    records = [b"100644 1 0\t" + record for record in listing[0]]
    pieces = [b"".join(records)[n : n + 5] for n in range(0, sum(map(len, records)), 5)]

    def everything(_: bytes) -> bool:
        return True

    found = select_records(git(pieces), everything, everything)
    assert found == [record[:-1] for record in records]


@pytest.mark.parametrize(
    "block",
    [
        *(b"all is well\0", b"\0", b"9" * 79 + b"\tno\0", b"all\tis\0well\n\0"),
        *(b"qqqqqq aa 0\ta\0", b"100644\taa 0\ta\0", b"10064 aa 0\ta\0"),
    ],
)
def test_malformed_record_is_a_failure(block: bytes) -> None:
    with pytest.raises(GitFailure, match="malformed"):
        list(iter_entry_blocks(git([b"100644 aa 0\ta\0", block])))


@pytest.mark.parametrize("pieces", [[b"100644 1 0\ta"], [b"a\0b"], [b"a\0", b"b"]])
def test_truncated_listing_is_a_failure(pieces: list[bytes]) -> None:
    with pytest.raises(GitFailure, match="truncated"):
        list(iter_blocks(git(pieces)))


def test_select_records_reads_only_possible_blocks() -> None:
    seen = []

    def wanted(path: bytes) -> bool:
        seen.append(path)
        return path == b"yes"

    pieces = [b"100644 2 3\tno\0", b"100644 2 3\tyes\000100644 2 3\tother\0"]
    assert select_records(git(pieces), lambda block: b"yes" in block, wanted) == [
        b"100644 2 3\tyes"
    ]
    assert seen == [b"yes", b"other"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"100644 aa 0\ta.py", Entry("100644", "aa", "a.py")),
        (b"120000 aa 2\ta\tb\n", Entry("120000", "aa", "a\tb\n")),
        pytest.param(
            b"100755 blob aa\t\xff",
            Entry("100755", "aa", decode_posix_name(b"\xff")),
            marks=pytest.mark.skipif(sys.platform == "win32", reason="names are UTF-8 there"),
        ),
        (b"160000 commit aa\tsub", Entry("160000", "aa", "sub")),
        (b"100644 aa\ta", Entry("100644", "aa", "a")),
    ],
)
def test_parse_entry_reads_ls_files_and_ls_tree(record: bytes, expected: Entry) -> None:
    assert parse_entry(record) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("100644", True), ("100755", True), ("120000", False), ("160000", False)],
)
def test_is_file_is_true_for_regular_files_only(mode: str, expected: bool) -> None:
    assert Entry(mode, "aa", "a").is_file is expected
