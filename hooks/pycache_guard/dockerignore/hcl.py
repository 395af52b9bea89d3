"""Split HCL into tokens, in time that grows with the text.

Specification: hashicorp/hcl, `hclsyntax/scan_tokens.rl`. A string is one token, with the templates in it
and the strings in these. Buildx reads no file in which a string, a comment or a here-document is not
closed, and neither does this module: a search for the end that fails is the last one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.dockerignore.values import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\f]+|#[^\n]*|//[^\n]*)|(?P<comment>/\*)|(?P<newline>\n)"
    r"|(?P<heredoc><<-?(?P<word>\w[\w-]*)\r?\n)"
    r'|(?P<string>")|(?P<mark>[{}\[\]=,])|(?P<other>[^\s{}\[\]=,"#/<]+|.)',
    re.DOTALL,
)
#: What counts in a string, and in a template in it.
_IN_STRING = re.compile(r'(?P<skipped>\\.|\$\$\{|%%\{)|(?P<opened>[$%]\{)|"', re.DOTALL)
_IN_TEMPLATE = re.compile(
    r"(?P<skipped>#[^\n]*|//[^\n]*)|(?P<comment>/\*)|(?P<heredoc><<-?(?P<word>\w[\w-]*)\r?\n)"
    r'|(?P<opened>[{"])|\}'
)


class Token(NamedTuple):
    """A piece of HCL that is neither a comment nor blank."""

    #: `newline`, `heredoc`, `string`, `mark` or `other`.
    kind: str
    text: str
    #: 1-based.
    line: int


def split_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text. Raises `Unreadable`."""
    at, line = 0, 1
    while match := _TOKEN.match(text, at):
        kind = match.lastgroup or ""
        end = _end_of_string(text, match.end(), line) if kind == "string" else _end(match, line)
        if kind not in ("space", "comment"):
            yield Token(kind, text[at:end], line)
        line += text.count("\n", at, end)
        at = end


def _end(match: re.Match[str], line: int) -> int:
    """Return where a token ends that begins with `match`, and is no string."""
    text, at = match.string, match.end()
    if match["comment"]:
        at = text.find("*/", at) + 2
        if at < 2:
            raise Unreadable(line, "a comment is not closed")
    while match["heredoc"]:
        end = text.find("\n", at)
        found = text[at : end if end >= 0 else None]
        if found.strip() == match["word"]:
            return at + len(found)
        if end < 0:
            raise Unreadable(line, "a here-document is not closed")
        at = end + 1
    return at


def _end_of_string(text: str, at: int, line: int) -> int:
    """Return where a string ends whose text begins at `at`."""
    closing = ['"']
    while closing:
        pattern = _IN_STRING if closing[-1] == '"' else _IN_TEMPLATE
        match = pattern.search(text, at)
        if match is None:
            raise Unreadable(line, "a string is not closed")
        at = match.end()
        if match.lastgroup is None:
            closing.pop()
        elif match.lastgroup == "opened":
            closing.append('"' if match[0] == '"' else "}")
        elif pattern is _IN_TEMPLATE:
            at = _end(match, line)
    return at
