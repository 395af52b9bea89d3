"""Single edits of code trees, of every era, each field and each type of constant: all are caught."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from bytecode.forgeries import edits
from bytecode.forgeries import others
from bytecode.marshal_writer import written
from pycache_guard.bytecode.code_layouts import dialect_of
from pycache_guard.bytecode.code_tree import Code
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.verifying.comparing import compared
from pycache_guard.verifying.outcome import Result
from pycs import foreign

#: Every so many bytes of instructions are edited, and so many constants; 1 takes minutes.
STRIDE = int(os.environ.get("FORGED_STRIDE", "20"))
TAGS = [*(f"cpython-{n}" for n in (27, *range(36, 40), *range(310, 316))), "pypy39"]


@pytest.mark.parametrize("tag", TAGS)
def test_every_edit_is_caught(tag: str) -> None:
    honest = read_pyc(foreign(tag))
    magic = honest.header.magic
    dialect = dialect_of(magic)
    assert dialect is not None
    head, expected = honest.data[: magic.header_length], honest.data[magic.header_length :]
    unedited = read_pyc(head + written(honest.code, dialect))
    assert compared(unedited, expected, b"no name").result is Result.SAME
    expected = written(honest.code, dialect)
    counts: Counter[str] = Counter()
    for n, (field, code) in enumerate(edits(honest.code, STRIDE)):
        if field == "consts" and n % STRIDE:
            continue
        forged = read_pyc(head + written(code, dialect))
        outcome = compared(forged, expected, b"no name")
        # What no interpreter would read is caught by the reader: then nothing is known, and said.
        assert outcome.result is Result.DIFFERENT or (
            outcome.result is Result.UNKNOWN and "bad code object" in outcome.reason
        ), (field, code.fields[field])
        counts[field] += 1
    assert sum(counts.values()) > 100
    assert set(counts) == set(honest.code.fields) - {"linetable"}


@pytest.mark.parametrize("tag", TAGS)
def test_every_edit_of_a_line_table_is_counted_apart(tag: str) -> None:
    honest = read_pyc(foreign(tag))
    dialect = dialect_of(honest.header.magic)
    assert dialect is not None
    head = honest.data[: honest.header.magic.header_length]
    expected = written(honest.code, dialect)
    results: Counter[Result] = Counter()
    for table in others(honest.code.fields["linetable"], 1, is_field=True):
        forged = Code({**honest.code.fields, "linetable": table})
        outcome = compared(read_pyc(head + written(forged, dialect)), expected, b"no name")
        results[outcome.result] += 1
        assert (outcome.result is Result.DIFFERENT) == bool(outcome.reason)
    assert set(results) == {Result.DIFFERENT, Result.LINES_DIFFER}
