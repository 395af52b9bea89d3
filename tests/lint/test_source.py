"""From bytes to text and tree: encodings, and what cannot be parsed."""

from __future__ import annotations

import contextlib
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.lint import lint_source
from pycache_guard.lint.source import Unparsable
from pycache_guard.lint.source import decode_source
from pycache_guard.lint.source import lines_of

PYTHON = "Python {}.{}".format(*sys.version_info)
LINE = "import marshal; marshal.loads('ä'[16:])"

READABLE = [
    LINE.encode(),
    b"\xef\xbb\xbf" + LINE.encode(),
    b"# coding: latin-1\n" + LINE.encode("latin-1"),
    b"#!/usr/bin/python\n# -*- coding: cp1252 -*-\n" + LINE.encode("cp1252"),
    b"# vim: set fileencoding=koi8-r :\n" + LINE.replace("ä", "я").encode("koi8-r"),
    b"\xef\xbb\xbf# coding: utf-8\n" + LINE.encode(),
]


@pytest.mark.parametrize("data", READABLE)
def test_encodings(data: bytes) -> None:
    (found,) = lint_source(data, "a.py")
    assert (found.column, found.end_column) == (17, 40)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"# only a comment", b"\x0c"])
def test_nothing_in_it(data: bytes) -> None:
    assert lint_source(data, "a.py") == []


UNPARSABLE = [
    (b"x = \xff", "a.py: cannot be decoded: invalid or missing encoding declaration"),
    (b"x = 1\n\n\ny = '\xff'", "a.py: cannot be decoded: 'utf-8' codec can't decode byte 0xff"),
    (b"# coding: nonesuch\n", "a.py: cannot be decoded: unknown encoding: nonesuch"),
    (b"\xef\xbb\xbf# coding: latin-1\n", "a.py: cannot be decoded: encoding problem: utf-8"),
    (b"# coding: utf-7\nx = '+2AA-'\n", f"a.py: cannot be parsed by {PYTHON}: "),
    (b"# coding: rot13\n", "a.py: cannot be decoded: "),
    (b"print 'python 2'", f"a.py:1: cannot be parsed by {PYTHON}: "),
    (b"x = 1\ndef f(:\n", f"a.py:2: cannot be parsed by {PYTHON}: "),
    (b"x = 'a\0b'", "a.py"),
    (
        b"x = " + b"(" * 300 + b")" * 300,
        f"a.py:1: cannot be parsed by {PYTHON}: too many nested parentheses",
    ),
    (
        b"x = " + b"-" * 200_000 + b"1",
        f"a.py: cannot be parsed by {PYTHON}: it is nested too deeply",
    ),
]


@pytest.mark.parametrize(("data", "why"), UNPARSABLE, ids=range(len(UNPARSABLE)))
def test_what_cannot_be_parsed_is_told(data: bytes, why: str) -> None:
    with pytest.raises(Unparsable) as raised:
        lint_source(data, "a.py")
    assert str(raised.value).startswith(why)
    assert "\n" not in str(raised.value)


def test_warnings_of_the_source_are_its_own() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert lint_source(b"x = '\\d'\nif x is 1: assert (x, 'y')\n", "a.py") == []
    assert caught == []


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(Unparsable):
        assert {finding.path for finding in lint_source(data, "a.py")} <= {"a.py"}


@given(st.text(alphabet="a'\"\\\r\n\x0b\x0c\x1c\x85\u2028é", max_size=60))
def test_lines_are_those_of_the_parser(text: str) -> None:
    lines = lines_of(text)
    ends = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(lines) == ends
    assert len(lines) == ends.count("\n") + (not ends.endswith("\n") and ends != "")


def test_the_byte_order_mark_is_no_text() -> None:
    assert decode_source(b"\xef\xbb\xbfx", "a.py") == "x"
