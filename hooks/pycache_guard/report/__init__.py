"""Render findings as text, JSON and other formats, one module each. A format does not know commands."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.findings import Finding

#: Each has a module of its name with a `render(findings, command) -> str`.
FORMATS = ("text", "json", "github", "gitlab", "sarif", "rdjson", "junit")


class Summary(NamedTuple):
    """What a run checked."""

    #: The number of things checked: index entries, commits, files, directories …
    checked: int
    #: The same in words, without a full stop: `1,204 tracked files checked, 3 new ones read`.
    text: str
    #: Whole sentences: advice, and what was not looked into.
    notes: tuple[str, ...] = ()


class TextStyle(NamedTuple):
    """How a text report is shown."""

    #: Findings only: no line about success, no count, no notes.
    is_quiet: bool = False
    #: With ANSI colours (ECMA-48).
    has_color: bool = False
    #: A command that fixes every PYC001 at once, used instead of more than `MAX_COMMANDS` others.
    shortcut: str | None = None
    #: The command that commits what the run has fixed.
    commit: str | None = None


def render(
    findings: list[Finding],
    command: str,
    format_name: str,
    more: Mapping[str, object] | None = None,
    *,
    summary: Summary | None = None,
    style: TextStyle = TextStyle(),  # noqa: B008 - a tuple cannot be changed
) -> str:
    """Return the report of `command` in one of `FORMATS`; JSON has the keys of `more` as well."""
    if format_name == "text":
        from pycache_guard.report import text

        return text.render(findings, command, summary, style)
    if format_name == "json":
        from pycache_guard.report import json

        return json.render(findings, command, more, summary)
    rendered: str = import_module(f"{__name__}.{format_name}").render(findings, command)
    return rendered


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 file` or `1,204 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
