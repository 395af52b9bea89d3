from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.posix_names import decode_posix_name
from pycache_guard.report.escape import (
    escape_surrogates,
    escape_unprintable,
    is_utf8,
    join_lines,
    quiet_json,
)

TABLE = [
    (b"plain", "plain", "plain"),
    ("größe 你好".encode(), "größe 你好", "größe 你好"),
    (b"\xff", "\\xff", "\\xff"),
    (b"a\nb", "a\\x0ab", "a\nb"),
    (b"\x1b[31m", "\\x1b[31m", "\x1b[31m"),
    (b"a\tb\0", "a\\x09b\\x00", "a\tb\0"),
    (b"::a::b", "\\x3a:a::b", "::a::b"),
    (b"  ::a", "  \\x3a:a", "  ::a"),
    (b"\n::a", "\\x0a::a", "\n::a"),
    (b"a::b", "a::b", "a::b"),
    (b":a", ":a", ":a"),
    (b"a##[b]", "a#\\x23[b]", "a##[b]"),
    (b"###[b]", "#\\x23#[b]", "###[b]"),
    (b"####vso[b]", "#\\x23#\\x23vso[b]", "####vso[b]"),
    (b"a#b", "a#b", "a#b"),
    ("#\u034f#[b]".encode(), "#\\xcd\\x8f#[b]", "#\u034f#[b]"),
    ("\u2764\ufe0f".encode(), "\u2764\ufe0f", "\u2764\ufe0f"),
    ("\u202e\u00a0".encode(), "\\xe2\\x80\\xae\\xc2\\xa0", "\u202e\u00a0"),
]


@pytest.mark.parametrize(("data", "terminal", "format_"), TABLE)
def test_escape_table(data: bytes, terminal: str, format_: str) -> None:
    text = decode_posix_name(data)
    assert escape_unprintable(text) == terminal
    assert escape_surrogates(text) == format_


@given(st.lists(st.text(st.sampled_from("#:a \n\u00a0"), max_size=4)))
def test_lines_are_escaped_one_by_one(lines: list[str]) -> None:
    assert join_lines(lines) == "".join(f"{escape_unprintable(line)}\n" for line in lines)


def test_escape_of_a_lone_surrogate_is_its_utf8_bytes() -> None:
    """A file name of Windows can hold one."""
    assert escape_unprintable("\ud800") == escape_surrogates("\ud800") == "\\xed\\xa0\\x80"


@given(st.text(st.characters(), max_size=20))
def test_escaped_text_is_printable(text: str) -> None:
    assert escape_unprintable(text).isprintable()
    escape_surrogates(text).encode("utf-8")


@given(st.text(st.sampled_from("#[:a \u034f\n"), max_size=9))
def test_escaped_text_has_no_command_of_a_ci_runner(text: str) -> None:
    line = escape_unprintable(text)
    assert "##" not in line
    assert not line.lstrip().startswith("::")
    assert json.loads(quiet_json(json.dumps(text))) == text
    assert "##" not in quiet_json(json.dumps(text))


@given(st.binary(max_size=10))
def test_is_utf8_agrees_with_the_decoder(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert not is_utf8(decode_posix_name(data))
    else:
        assert is_utf8(decode_posix_name(data))
