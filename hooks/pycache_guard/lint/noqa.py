"""`# noqa`, as flake8 understands it (flake8.defaults, flake8.style_guide)."""

from __future__ import annotations

import re
import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INLINE = re.compile(r"# noqa(?::\s?(?P<codes>(?:[A-Z]+[0-9]+[,\s]*)+))?", re.IGNORECASE)
#: Codes after it have no effect.
WHOLE_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


class Suppressions:
    """The `# noqa` comments of one source, which is read once for all findings."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._has_comment = any("noqa" in line.lower() for line in lines)
        self._covers_file = self._has_comment and any(map(WHOLE_FILE.match, lines))
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
            self._comments[span] = INLINE.search("".join(self._lines[start - 1 : end]))
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
