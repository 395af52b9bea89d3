from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.report.escape import decodable
from pycache_guard.report.escape import is_utf8
from pycache_guard.report.escape import shown

TABLE = [
    (b"plain", "plain", "plain"),
    ("größe 你好".encode(), "größe 你好", "größe 你好"),
    (b"\xff", "\\xff", "\\xff"),
    (b"a\nb", "a\\x0ab", "a\nb"),
    (b"\x1b[31m", "\\x1b[31m", "\x1b[31m"),
    (b"a\tb\0", "a\\x09b\\x00", "a\tb\0"),
    ("\u202e\u00a0".encode(), "\\xe2\\x80\\xae\\xc2\\xa0", "\u202e\u00a0"),
]


@pytest.mark.parametrize(("data", "terminal", "format_"), TABLE)
def test_table(data: bytes, terminal: str, format_: str) -> None:
    text = os.fsdecode(data)
    assert shown(text) == terminal
    assert decodable(text) == format_


def test_a_lone_surrogate_that_is_no_byte() -> None:
    """A file name of Windows can hold one."""
    assert shown("\ud800") == decodable("\ud800") == "\\xed\\xa0\\x80"


@given(st.text(st.characters(), max_size=20))
def test_anything_can_be_printed(text: str) -> None:
    assert shown(text).isprintable()
    decodable(text).encode("utf-8")


@given(st.binary(max_size=10))
def test_is_utf8(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert not is_utf8(os.fsdecode(data))
    else:
        assert is_utf8(os.fsdecode(data))
