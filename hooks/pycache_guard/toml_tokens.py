"""Split a TOML document into tokens, to find the line of a string and syntax of TOML 1.1.

`tomllib` parses the document, but reports neither. This module replaces `tomlkit`, which would be a
run-time dependency for these two questions. It can be removed when `tomllib` reports positions.
Source: https://toml.io/en/v1.1.0, section "Changes" of the release.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A string that is not closed is a token too, because searching its end from each quote would take too
#: long.
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<newline>\r?\n)
  | (?P<space>[ \t]+)
  | (?P<basic>\"{3}[^"\\]*(?:(?:\\.|\"{1,2}(?!\"))[^"\\]*)*(?:\"{3,5})?
      | "[^"\\\n]*(?:\\.[^"\\\n]*)*"?)
  | (?P<literal>'{3}(?:.*?'{3,5}|.*) | '[^'\n]*'?)
  | (?P<punctuation>[][{}=,])
  | (?P<bare>[^][{}=,\s"'\#]+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)
_NO_SECONDS = re.compile(r"((?:\d{4}-\d\d-\d\d[Tt])?\d\d:\d\d)([Zz]|[+-]\d\d:\d\d)?")
_BLANK = ("comment", "newline", "space")
#: More dots in a key than people write, and a line with more of them.
MAX_KEY_DOTS = 50
_DOTTED_LINE = re.compile(rf"(?m)^(?:[^\n.]*\.){{{MAX_KEY_DOTS + 1}}}")


class Token(NamedTuple):
    """A part of the text. The concatenation of all tokens is the text."""

    #: `comment`, `newline`, `space`, `basic`, `literal`, `punctuation`, `bare` or `other`.
    kind: str
    text: str
    #: 1-based line of its first character.
    line: int


def split_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of `text`, which need not be well-formed TOML."""
    line = 1
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        yield Token(match.lastgroup, match[0], line)
        line += match[0].count("\n")


def has_long_key(text: str) -> bool:
    """Return whether a document has a key of more than `MAX_KEY_DOTS` dots."""
    if not _DOTTED_LINE.search(text):
        return False
    dots = 0
    for token in split_tokens(text):
        if token.kind == "bare":
            dots += token.text.count(".")
        elif token.kind in ("punctuation", "newline"):
            dots = 0
        if dots > MAX_KEY_DOTS:
            return True
    return False


class Newer(NamedTuple):
    """A place with syntax that TOML 1.1 added."""

    line: int
    #: With an article: `a line break in an inline table`.
    syntax: str


def rewrite_as_1_0(text: str) -> tuple[str, list[Newer]]:
    """Return `text` in TOML 1.0, and the places that had syntax of TOML 1.1."""
    tokens = [*split_tokens(text)]
    following = _following_texts(tokens)
    parts: list[str] = []
    changes: list[Newer] = []
    opened: list[str] = []
    for n, token in enumerate(tokens):
        part, syntax = token.text, ""
        inline = opened[-1:] == ["{"]
        if token.text in ("{", "["):
            opened.append(token.text)
        elif token.text in ("}", "]"):
            del opened[-1:]
        elif inline and token.kind == "newline":
            part, syntax = " ", "a line break in an inline table"
        elif inline and token.kind == "comment":
            part, syntax = "", "a comment in an inline table"
        elif inline and token.text == "," and following[n] == "}":
            part, syntax = "", "a comma at the end of an inline table"
        elif token.kind == "basic":
            part = _ESCAPE.sub(_escape_of_1_0, token.text)
            syntax = "an escape sequence `\\e` or `\\xHH`" if part != token.text else ""
        elif token.kind == "bare" and (time := _NO_SECONDS.fullmatch(token.text)):
            part, syntax = f"{time[1]}:00{time[2] or ''}", "a time without seconds"
        parts.append(part)
        if syntax:
            changes.append(Newer(token.line, syntax))
    return "".join(parts), changes


def _following_texts(tokens: list[Token]) -> list[str]:
    """Return the text of the token after each token, blanks left out."""
    found, following = [], ""
    for token in reversed(tokens):
        found.append(following)
        following = following if token.kind in _BLANK else token.text
    return found[::-1]


def _escape_of_1_0(match: re.Match[str]) -> str:
    if match[1] == "e":
        return r"\u001b"
    return rf"\u00{match[1][1:]}" if match[1][0] == "x" and len(match[1]) > 1 else match[0]


def strings_after(text: str, key: str) -> Iterator[Token]:
    """Yield the string tokens that are the value of the key `key`, which may be bare or quoted."""
    before: list[str] = []
    for token in split_tokens(text):
        if token.kind in _BLANK:
            continue
        is_string = token.kind in ("basic", "literal")
        if is_string and before[-1:] == ["="] and before[-2].strip("\"'") == key:
            yield token
        before = [*before[-1:], token.text]
