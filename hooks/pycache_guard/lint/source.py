"""Read a source file: its text, its syntax tree, and its `# noqa` comments as flake8 reads them."""

from __future__ import annotations

import ast
import functools
import io
import re
import sys
import tokenize
import warnings
from typing import TYPE_CHECKING

from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Which Python refuses a source: newer syntax is the likeliest reason.
REFUSED = "cannot be parsed by Python {}.{}".format(*sys.version_info)
NEWER = "newer code needs a newer Python (pre-commit: `language_version`)"


class Unparsable(Failure):
    """A source that this Python cannot read or parse."""


def decode_source(data: bytes, path: str) -> str:
    """Return the text, by byte order mark and encoding cookie (PEP 263), else as UTF-8.

    `path` is for messages. Raises `Unparsable`.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (LookupError, SyntaxError, UnicodeError) as error:
        raise Unparsable(f"{path}: cannot be decoded: {error_message(error)}") from None


def parse_source(text: str, path: str) -> ast.Module:
    """Return the syntax tree of `text`; nothing of it is run.

    Raises `Unparsable` also for what is nested too deeply for the parser, which says so by
    `MemoryError` (3.10) or `RecursionError`, and for a NUL (`ValueError` before 3.12).
    """
    try:
        with warnings.catch_warnings():
            # Of the source, not of ours: `"\d"` and the like.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        place = path if error.lineno is None else f"{path}:{error.lineno}"
        raise Unparsable(f"{place}: {REFUSED}: {error.msg}; {NEWER}") from None
    except (MemoryError, RecursionError):
        raise Unparsable(f"{path}: {REFUSED}: it is nested too deeply") from None
    except ValueError as error:
        raise Unparsable(f"{path}: {REFUSED}: {error_message(error)}") from None


def check_syntax(text: str, path: str) -> None:
    """Raise `Unparsable` for a text that this Python cannot parse.

    CPython parses a source to its end before it refuses a future feature that does not exist, and
    then makes no tree of it: that takes half of the time of `ast.parse`.
    """
    if not (stops_after_parsing() and is_refused_for_feature(text)):
        parse_source(text, path)


#: No Python will have a feature of this name.
NO_FEATURE = "pycache_guard_parses_only"


@functools.cache
def stops_after_parsing() -> bool:
    """Return whether this Python refuses unknown future features, and wrong syntax before them."""
    return is_refused_for_feature("x = 1\n") and not is_refused_for_feature("x = 1\n(\n")


def is_refused_for_feature(text: str) -> bool:
    """Return whether a text, after an import of `NO_FEATURE`, is refused for nothing but that."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(f"from __future__ import {NO_FEATURE}\n{text}", "", "exec", dont_inherit=True)
    except SyntaxError as error:
        return NO_FEATURE in error.msg
    except (MemoryError, RecursionError, ValueError):
        pass
    return False


def error_message(error: Exception) -> str:
    """Return the message of a syntax error without its place, and of any other whole."""
    return error.msg if isinstance(error, SyntaxError) else str(error)


def lines_of(text: str) -> list[str]:
    r"""Split as the parser counts lines, each end made `\n`: form feeds and the like end none."""
    return io.StringIO(text, newline=None).readlines()


#: Both are regular expressions of flake8 (flake8.defaults).
NOQA_COMMENT = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", re.IGNORECASE)
#: A comment for the whole file; codes after it have no effect.
NOQA_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


class Suppressions:
    """The `# noqa` comments of one source, which is read once for all findings (flake8.style_guide)."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._has_comment = any("noqa" in line.lower() for line in lines)
        self._covers_file = self._has_comment and any(map(NOQA_FILE.match, lines))
        is_needed = self._has_comment and not self._covers_file
        self._physical = logical_line_ranges(lines) if is_needed else {}
        #: The comment of each logical line that has been asked for, by its first and last line.
        self._comments: dict[tuple[int, int], re.Match[str] | None] = {}

    def cover(self, line: int, code: str) -> bool:
        """Return whether a comment suppresses `code` in `line` (from 1)."""
        if not self._has_comment or self._covers_file:
            return self._covers_file
        span = self._physical.get(line, (line, line))
        if span not in self._comments:
            start, end = span
            self._comments[span] = NOQA_COMMENT.search("".join(self._lines[start - 1 : end]))
        comment = self._comments[span]
        return comment is not None and (
            comment["codes"] is None or matches_code(comment["codes"], code)
        )


def matches_code(codes: str, code: str) -> bool:
    """Return whether `codes`, as in a comment, has `code` or a prefix of it, case-sensitively."""
    return code.startswith(tuple(filter(None, re.split(r"[,\s]+", codes))))


def logical_line_ranges(lines: Sequence[str]) -> dict[int, tuple[int, int]]:
    """Return, for lines in a string of several lines, the first and last of them.

    Where the tokenizer fails, as flake8 does, every line stands for itself.
    """
    found: dict[int, tuple[int, int]] = {}
    first, last = 0, 0
    try:
        for token in tokenize.generate_tokens(iter(lines).__next__):
            first = first or token.start[0]
            last = max(last, token.end[0])
            if token.type in (tokenize.NL, tokenize.NEWLINE):
                found.update(dict.fromkeys(range(first, last + 1), (first, last)))
                first, last = 0, 0
    except (tokenize.TokenError, SyntaxError):
        return {}
    return found
