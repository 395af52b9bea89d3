"""`# noqa`, as flake8 understands it (flake8.defaults, flake8.style_guide)."""

from __future__ import annotations

import re
import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INLINE = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", re.IGNORECASE)
#: Codes behind it change nothing.
WHOLE_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


def silenced(line: int, code: str, lines: Sequence[str]) -> bool:
    """Whether a comment in the source wants nothing told of `code` in `line` (from 1)."""
    text = "".join(lines)
    if "noqa" not in text.lower():
        return False
    if any(map(WHOLE_FILE.match, lines)):
        return True
    start, end = physical_lines(lines).get(line, (line, line))
    comment = INLINE.search("".join(lines[start - 1 : end]))
    return comment is not None and (comment["codes"] is None or names(comment["codes"], code))


def names(codes: str, code: str) -> bool:
    """Whether `codes`, as in a comment, names `code` or a beginning of it, in its very letters."""
    return code.startswith(tuple(filter(None, re.split(r"[,\s]+", codes))))


def physical_lines(lines: Sequence[str]) -> dict[int, tuple[int, int]]:
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
