"""From bytes to text and tree: encodings, and what cannot be parsed."""

from __future__ import annotations

import contextlib
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.lint import lint_source, source
from pycache_guard.lint.source import (
    Unparsable,
    check_syntax,
    decode_source,
    lines_of,
    logical_line_ranges,
    parse_source,
)

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
def test_source_of_any_encoding_has_columns_in_characters(data: bytes) -> None:
    (found,) = lint_source(data, "a.py")
    assert (found.column, found.end_column) == (17, 40)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"# only a comment", b"\x0c"])
def test_empty_source_has_no_findings(data: bytes) -> None:
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
    pytest.param(
        b"x = " + b"(" * 300 + b")" * 300,
        f"a.py:1: cannot be parsed by {PYTHON}: too many nested parentheses",
        marks=pytest.mark.skipif(
            sys.implementation.name == "pypy", reason="PyPy parses this source"
        ),
    ),
    pytest.param(
        b"x = " + b"-" * 200_000 + b"1",
        f"a.py: cannot be parsed by {PYTHON}: it is nested too deeply",
        marks=pytest.mark.skipif(
            sys.implementation.name == "pypy", reason="PyPy parses this source"
        ),
    ),
]


@pytest.mark.parametrize(("data", "why"), UNPARSABLE, ids=range(len(UNPARSABLE)))
def test_unparsable_source_is_an_error_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(Unparsable) as raised:
        lint_source(data, "a.py")
    assert str(raised.value).startswith(why)
    assert "\n" not in str(raised.value)


def test_warnings_of_the_source_are_not_shown() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert lint_source(b"x = '\\d'\nif x is 1: assert (x, 'y')\n", "a.py") == []
    assert caught == []


@given(st.binary(max_size=200))
def test_any_bytes_are_linted_or_unparsable(data: bytes) -> None:
    with contextlib.suppress(Unparsable):
        assert {finding.path for finding in lint_source(data, "a.py")} <= {"a.py"}


@given(st.text(alphabet="a'\"\\\r\n\x0b\x0c\x1c\x85\u2028é", max_size=60))
def test_lines_of_splits_as_the_parser(text: str) -> None:
    lines = lines_of(text)
    ends = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(lines) == ends
    assert len(lines) == ends.count("\n") + (not ends.endswith("\n") and ends != "")


def test_decode_source_drops_the_byte_order_mark() -> None:
    assert decode_source(b"\xef\xbb\xbfx", "a.py") == "x"


CALL = "marshal.loads(d[16:])"

#: A comment behind the call, and what is still reported.
BEHIND = [
    ("# noqa", []),
    ("# NoQA", []),
    ("#noqa", ["PYC401"]),
    ("# no qa", ["PYC401"]),
    ("# noqa: PYC401", []),
    ("# noqa:PYC401", []),
    ("# noqa: pyc401", ["PYC401"]),
    ("# noqa: PYC4", []),
    ("# noqa: E501, PYC401", []),
    ("# noqa: E501 PYC401 since it is ours", []),
    ("# noqa: E501,PYC401", []),
    ("# noqa: E501", ["PYC401"]),
    ("# noqa: PYC402", ["PYC401"]),
    ("# noqa : PYC402", []),
    ("# type: ignore # noqa: PYC401", []),
]


@pytest.mark.parametrize(("comment", "codes"), BEHIND)
def test_noqa_at_the_end_of_the_line_suppresses_its_codes(comment: str, codes: list[str]) -> None:
    source = f"import marshal\n{CALL}  {comment}\n"
    assert [f.rule.name for f in lint_source(source.encode(), "a.py")] == codes


@pytest.mark.parametrize(("comment", "codes"), [("# noqa", []), ("# noqa: E5", ["PYC401"] * 2)])
def test_noqa_covers_all_findings_of_the_line(comment: str, codes: list[str]) -> None:
    source = f"import marshal\n{CALL}; {CALL}  {comment}\n"
    assert [f.rule.name for f in lint_source(source.encode(), "a.py")] == codes


#: Where a comment stands in a file, and whether it silences the call.
PLACES = [
    (f"import marshal  # noqa\n{CALL}\n", False),
    (f"import marshal\n# noqa\n{CALL}\n", False),
    (f"import marshal\nx = '# noqa'; {CALL}\n", True),
    # As with flake8: the end of a string of several lines is its line too.
    (f"import marshal\n{CALL}; x = '''\n'''  # noqa\n", True),
    ("import marshal\nmarshal.loads(\n    d[16:]\n)  # noqa\n", False),
    ("import marshal\nmarshal.loads(  # noqa\n    d[16:]\n)\n", True),
    (f"import marshal\nif x:\n    {CALL}  # noqa", True),
    # The whole file.
    (f"import marshal\n{CALL}\n# flake8: noqa\n", True),
    (f"import marshal\n{CALL}\n    # flake8=NOQA\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa: PYC401\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa: E501, PYC4\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa: E501\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa, it is ours\n", True),
    (f"import marshal\n{CALL}\nx = 1  # flake8: noqa\n", False),
]


@pytest.mark.parametrize(("source", "silent"), PLACES)
def test_noqa_of_a_file_or_a_long_string_is_read_as_in_flake8(source: str, silent: bool) -> None:
    assert [f.rule.name for f in lint_source(source.encode(), "a.py")] == ["PYC401"] * (not silent)


@pytest.mark.parametrize("lines", [["x = (\n"], ["if x:\n", "    y\n", "  z\n"]])
def test_logical_line_ranges_of_broken_source_are_empty(lines: list[str]) -> None:
    assert logical_line_ranges(lines) == {}


PARSED = [
    ("", True),
    ("x = 1", True),
    ("\n\n# only a comment", True),
    ("'''text'''\nfrom __future__ import annotations\n", True),
    ("x = 1\nfrom __future__ import annotations\n", True),
    ("nonlocal x\nreturn\n", True),
    ("1 <> 2\n", False),
    ("  x = 1\n", False),
    ("x = (\n", False),
    ("x = 1\n  y\n", False),
    ("'pycache_guard_parses_only'\nx = = 1\n", False),
    ("from __future__ import pycache_guard_parses_only\nx = = 1\n", False),
    ("x = '\ud800'\n", False),
    ("x = '\0'\n", False),
]


@pytest.mark.skipif(not source.stops_after_parsing(), reason="this Python parses into a tree")
def test_unknown_future_feature_is_no_wrong_syntax() -> None:
    """The parser of CPython 3.14 and later refuses it; compilers always did."""
    check_syntax("from __future__ import braces\n", "a.py")


@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize(("text", "is_valid"), PARSED)
def test_syntax_is_checked_as_the_parser_does(
    text: str, is_valid: bool, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a Python that refuses an unknown future feature before it has parsed the rest."""
    if not stops:
        monkeypatch.setattr(source, "stops_after_parsing", lambda: False)
    for check in (check_syntax, parse_source):
        with contextlib.nullcontext() if is_valid else pytest.raises(Unparsable):
            check(text, "a.py")


@given(st.text(alphabet="a=(:)'\"#\\\n \x0cé1", max_size=30))
def test_syntax_of_any_text_is_checked_as_the_parser_does(text: str) -> None:
    answers = []
    for check in (check_syntax, parse_source):
        try:
            check(text, "a.py")
            answers.append("")
        except Unparsable as why:
            answers.append(str(why))
    assert answers[0] == answers[1]


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="asks for CPython's order")
def test_cpython_parses_to_the_end_before_it_refuses_a_feature() -> None:
    source.stops_after_parsing.cache_clear()  # this call is measured
    assert source.stops_after_parsing()
