"""`# noqa`, as flake8 understands it (flake8.defaults, flake8.style_guide)."""

from __future__ import annotations

import re
import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CODES = r"(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+)"
INLINE = re.compile(rf"# noqa(?::\s?{CODES})?", re.IGNORECASE)
WHOLE_FILE = re.compile(rf"\s*# flake8[:=]\s*noqa(?P<some>:\s?{CODES})?\s*$", re.IGNORECASE)


def silenced(line: int, code: str, lines: Sequence[str]) -> bool:
    """Whether a comment in the source wants nothing told of `code` in `line` (from 1)."""
    text = "".join(lines)
    if "noqa" not in text.lower():
        return False
    for whole in filter(None, map(WHOLE_FILE.match, lines)):
        if not whole["some"] or names(whole["codes"], code):
            return True
    start, end = physical_lines(lines).get(line, (line, line))
    comment = INLINE.search("".join(lines[start - 1 : end]))
    return comment is not None and (comment["codes"] is None or names(comment["codes"], code))


def names(codes: str, code: str) -> bool:
    """Whether `codes`, as in a comment, names `code` or a beginning of it."""
    return code.startswith(tuple(re.findall(r"[A-Z]+[0-9]+", codes.upper())))


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
