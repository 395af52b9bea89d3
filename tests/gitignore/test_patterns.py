"""Text in, text out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.gitignore.patterns import (
    BOM,
    append_patterns,
    detect_utf16_32,
    explain_line,
    lines_about_bytecode,
)

CONTENT = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"*.pyc", b"#", b" ", b"\\", b"\xff", BOM])
).map(b"".join)


@given(CONTENT, st.lists(st.sampled_from([b"__pycache__/", b"*.py[co]"]), unique=True))
def test_append_patterns_keeps_the_content_and_adds_whole_lines(
    content: bytes, patterns: list[bytes]
) -> None:
    new = append_patterns(content, patterns)
    assert new.startswith(content)
    added = new[len(content) :]
    lines = [line.removesuffix(b"\r") for line in added.split(b"\n")]
    assert [line for line in lines if line] == patterns
    assert added.endswith(b"\n") or not added
    before = content.removeprefix(BOM)
    if patterns and before and not before.endswith(b"\n"):
        assert added.startswith((b"\n", b"\r\n"))


def test_append_patterns_of_nothing_changes_nothing() -> None:
    assert append_patterns(b"a\n", []) == b"a\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a", b"a\nx\n"),
        (b"a\nb\r\n", b"a\nb\r\nx\r\n"),
        (b"b\r\na", b"b\r\na\r\nx\r\n"),
        # `a\r\r\n` would be another pattern than `a\r` at the end.
        (b"b\r\na\r", b"b\r\na\r\nx\r\n"),
        (BOM, BOM + b"x\n"),
    ],
)
def test_append_patterns_uses_the_line_ends_of_the_file(content: bytes, expected: bytes) -> None:
    assert append_patterns(content, [b"x"]) == expected


ENCODINGS = [
    ("__pycache__/\n".encode("utf-16-le"), "UTF-16LE"),
    ("__pycache__/\n".encode("utf-16-be"), "UTF-16BE"),
    (b"\xff\xfe" + "größe\n".encode("utf-16-le"), "UTF-16"),
    (b"\xfe\xff" + "größe\n".encode("utf-16-be"), "UTF-16"),
    (b"\xff\xfe\0\0" + "a\n".encode("utf-32-le"), "UTF-32"),
    (b"\0\0\xfe\xff" + "a\n".encode("utf-32-be"), "UTF-32"),
    (b"", None),
    (b"a", None),
    (b"*.pyc\n", None),
    (BOM + b"*.pyc\n", None),
    ("größe\n".encode(), None),
    ("größe\n".encode("latin-1"), None),
    (b"a\0b\n*.pyc\n", None),
    (b"ab\0\0\0\0", None),
]


@pytest.mark.parametrize(("content", "expected"), ENCODINGS)
def test_detect_utf16_32_table(content: bytes, expected: str | None) -> None:
    assert detect_utf16_32(content) == expected
    if expected:
        assert content.decode(expected).strip()


def test_lines_about_bytecode_are_numbered_as_in_git() -> None:
    content = BOM + b"*.pyc\r\n\n# *.pyc\n!*.pyc\npkg\n__pycache__/"
    assert [*lines_about_bytecode(content)] == [(1, b"*.pyc"), (6, b"__pycache__/")]


@pytest.mark.parametrize(
    "line",
    [
        b"__pycache__/",
        b"__pycache__",
        b"*.py[cod]",
        b"*.pyc  ",
        b"**/*.py[co]",
        b"/pkg/__pycache__/",
        b"C#/__pycache__/",
        b"#/../__pycache__",
        b"*$py.class",
        b"m.pyc",
    ],
)
def test_explain_line_of_a_right_line_is_none(line: bytes) -> None:
    assert explain_line(line) is None


@given(st.binary(max_size=20))
def test_explain_line_accepts_any_bytes(line: bytes) -> None:
    why = explain_line(line)
    assert why is None or why.isprintable()
