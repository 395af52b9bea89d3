"""Single edits of code trees, of every era, each field and each type of constant: all are caught."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from bytecode.dump_marshal import dump_marshal
from bytecode.mutate_code import mutate, mutate_value
from helpers.make_pyc import foreign_pyc
from pycache_guard.bytecode.code_object import Code, marshal_format
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.verify.compare import ComparisonResult, compare_code

#: Every so many bytes of instructions are edited, and so many constants; 1 takes minutes.
STRIDE = int(os.environ.get("FORGED_STRIDE", "20"))
TAGS = [*(f"cpython-{n}" for n in (27, *range(36, 40), *range(310, 316))), "pypy39", "pypy311"]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.unmeasured
def test_edited_code_differs(tag: str) -> None:
    honest = read_pyc(foreign_pyc(tag))
    magic = honest.header.magic
    dialect = marshal_format(magic)
    assert dialect is not None
    head, expected = honest.data[: magic.header_length], honest.data[magic.header_length :]
    unedited = read_pyc(head + dump_marshal(honest.code, dialect))
    assert compare_code(unedited, expected, b"no name").result is ComparisonResult.SAME
    expected = dump_marshal(honest.code, dialect)
    counts: Counter[str] = Counter()
    for n, (field, code) in enumerate(mutate(honest.code, STRIDE)):
        if field == "consts" and n % STRIDE:
            continue
        forged = read_pyc(head + dump_marshal(code, dialect))
        comparison = compare_code(forged, expected, b"no name")
        # What no interpreter would read is caught by the reader: then nothing is known, and said.
        assert comparison.result is ComparisonResult.DIFFERENT or (
            comparison.result is ComparisonResult.UNKNOWN and "bad code object" in comparison.reason
        ), (field, code.fields[field])
        counts[field] += 1
    assert sum(counts.values()) > 100
    assert set(counts) == set(honest.code.fields) - {"linetable"}


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.unmeasured
def test_edited_line_table_has_its_own_result(tag: str) -> None:
    honest = read_pyc(foreign_pyc(tag))
    dialect = marshal_format(honest.header.magic)
    assert dialect is not None
    head = honest.data[: honest.header.magic.header_length]
    expected = dump_marshal(honest.code, dialect)
    results: Counter[ComparisonResult] = Counter()
    for table in mutate_value(honest.code.fields["linetable"], 1, is_field=True):
        forged = Code({**honest.code.fields, "linetable": table})
        comparison = compare_code(
            read_pyc(head + dump_marshal(forged, dialect)), expected, b"no name"
        )
        results[comparison.result] += 1
        assert (comparison.result is ComparisonResult.DIFFERENT) == bool(comparison.reason)
    assert set(results) == {ComparisonResult.DIFFERENT, ComparisonResult.LINES_DIFFER}
