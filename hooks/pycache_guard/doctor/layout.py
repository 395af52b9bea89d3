"""The examination for people, in 80 columns."""

from __future__ import annotations

import textwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.doctor.fact import Fact

WIDTH = 80


def laid_out(facts: Sequence[Fact]) -> list[str]:
    """Return the lines: a heading for each topic, each fact with what it teaches below it."""
    lines: list[str] = []
    topic = None
    for fact in facts:
        if fact.topic != topic:
            lines += ["", fact.topic.upper()] if lines else [fact.topic.upper()]
            topic = fact.topic
        lines += wrapped(f"{fact.name}: {fact.value}", "  ", "    ")
        lines += wrapped(fact.lesson, "      ", "      ")
    return lines


def wrapped(text: str, first: str, following: str) -> list[str]:
    """Break a text into lines; a path or a command that is longer than a line is not broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
