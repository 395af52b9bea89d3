"""The parts of the `doctor` report, and its text in 80 columns."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding


class Fact(NamedTuple):
    """One fact, with an explanation."""

    topic: str
    name: str
    #: In words.
    value: str
    #: Whole sentences; empty if there is nothing to explain.
    explanation: str
    #: The value for programs, as JSON types.
    data: object

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of this fact; the explanation has the key `lesson`."""
        fields = self._asdict()
        return {"lesson" if key == "explanation" else key: fields[key] for key in fields}


class DoctorReport(NamedTuple):
    """Facts, problems and failures."""

    facts: list[Fact]
    findings: list[Finding]
    #: The parts that could not be examined, each as an error message.
    failures: Sequence[str] = ()


def merge_reports(parts: list[DoctorReport]) -> DoctorReport:
    """Return one report with the content of several."""
    return DoctorReport(
        [fact for part in parts for fact in part.facts],
        [finding for part in parts for finding in part.findings],
        [failure for part in parts for failure in part.failures],
    )


MAX_LINE_CHARS = 80
#: Facts that are omitted if they have no explanation, because their count is zero.
COUNTS = ("stale", "without a source", "hash-based")
#: Commands are not broken into lines, so that they can be copied.
COMMAND = re.compile("`[^`]+`")


def format_report(facts: Sequence[Fact], *, is_brief: bool = False) -> list[str]:
    """Return the lines: a heading for each topic, and each fact with its explanation.

    With `is_brief` there is only one line for each fact.
    """
    shown = [
        fact
        for fact in facts
        if fact.explanation or fact.topic != "caches" or fact.name not in COUNTS
    ]
    if is_brief:
        return [f"{fact.topic}: {fact.name}: {fact.value}" for fact in shown]
    lines: list[str] = []
    topic = None
    for fact in shown:
        if fact.topic != topic:
            lines += ["", fact.topic.upper()] if lines else [fact.topic.upper()]
            topic = fact.topic
        lines += wrap_text(f"{fact.name}: {fact.value}", "  ", "    ")
        if fact.explanation:
            lines += wrap_text(fact.explanation, "      ", "      ")
    return lines


def wrap_text(text: str, first: str, following: str) -> list[str]:
    """Break a text into lines, but not commands in backticks and long words."""
    lines = textwrap.wrap(
        COMMAND.sub(lambda command: command[0].replace(" ", "\0"), text),
        MAX_LINE_CHARS,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]
