"""Output of git: ref lines of its hooks, and listings with any names."""

from __future__ import annotations

import os
import re
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, cast
from unittest import mock

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.errors import Failure
from pycache_guard.git import revisions
from pycache_guard.git.history import parse_diff_output
from pycache_guard.git.listing import Diff, parse_entry, select_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.git.process import Git
    from pycache_guard.git.revisions import Revisions

OID = rb"(?:[0-9a-f]{40}|[0-9a-f]{64})"
RECEIVED = re.compile(rb"(?P<old>" + OID + rb") (?P<new>" + OID + rb") (?P<name>[^ ]+)", re.DOTALL)
PUSHED = re.compile(rb"(?P<name>.+) (?P<new>" + OID + rb") [^ ]* (?P<old>" + OID + rb")", re.DOTALL)
A, B, ZERO = b"a" * 40, b"b1" * 20, b"0" * 40
TOKENS = (A, B, ZERO, b"c" * 64, b"0" * 64, b" ", b"\n", b"\r\n", b"refs/heads/main", b"(delete)")


def ref_lines(data: bytes) -> str:
    """Read ref lines as both hooks do, and compare each result with a regular expression."""
    with mock.patch.object(revisions, "existing_objects", sorted):
        one = check_reader(partial(revisions.from_pre_receive, data), RECEIVED, data, empty=False)
        two = check_reader(partial(revisions.from_pre_push, data, ""), PUSHED, data, empty=True)
    return f"{one}, {two}"


def check_reader(
    read: partial[Revisions | None], form: re.Pattern[bytes], data: bytes, *, empty: bool
) -> str:
    """Compare the refs that `read` returns with those that `form` matches."""
    try:
        found = read()
    except Failure:
        found, failed = None, True
    else:
        failed = False
    lines = data.split(b"\n")
    rows = [form.fullmatch(line) for line in lines[:-1]]
    good = lines[-1] == b"" and (empty or data != b"")
    good = good and all(row and len(row["old"]) == len(row["new"]) for row in rows)
    assert failed is not good, "valid lines are refused" if failed else "invalid lines are accepted"
    if failed:
        return "refused"
    tips = {row["new"].decode() for row in rows if row and row["new"].strip(b"0")}
    assert tips == (set(found.tips) if found else set())
    return "updates" if tips else "nothing"


class FixedOutput:
    """A git process whose output is given, cut into pieces."""

    def __init__(self, output: bytes, cuts: bytes) -> None:
        places = sorted({0, len(output), *(cut * len(output) // 256 for cut in cuts)})
        self._pieces = [output[a:b] for a, b in pairwise(places)]

    def chunks(self) -> Iterator[bytes]:
        """Yield the pieces."""
        yield from self._pieces


def listings(data: bytes) -> str:
    """Make listings of any paths, cut at any place, and read them back."""
    cuts, _, rest = data.partition(b"\0")
    paths = [path for path in rest.split(b"\0") if path]
    oid = A.decode()
    entries = b"".join(b"100644 %s 0\t%s\0" % (A, path) for path in paths)
    records = select_records(git(entries, cuts), lambda _: True, lambda _: True)
    found = [parse_entry(record) for record in records]
    assert [(e.mode, e.blob, e.path) for e in found] == [
        ("100644", oid, os.fsdecode(path)) for path in paths
    ]
    raw = b"".join(b":000000 100644 %s %s A\0%s\0" % (ZERO, A, path) for path in paths)
    new = [parse_entry(record) for record in Diff(git(raw, cuts)).files_with_new_content()]
    assert [entry.path for entry in new] == [entry.path for entry in found]
    added = list(parse_diff_output([B + b"\0" + raw], bool))
    assert [(commit, parse_entry(record).path) for commit, record in added] == [
        (B.decode(), entry.path) for entry in found
    ]
    return f"{min(len(paths), 3)} paths"


def git(output: bytes, cuts: bytes) -> Git:
    """Return a git process with this output."""
    return cast("Git", FixedOutput(output, cuts))


TARGETS = {
    "reflines": Target(ref_lines, partial(seeds, "reflines"), TOKENS),
    "listings": Target(
        listings, partial(seeds, "listings"), (b"\0", b"\t", b"\n", b":", b"/", b" ", A)
    ),
}
