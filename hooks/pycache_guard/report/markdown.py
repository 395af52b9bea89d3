"""Markdown for the job summary of GitHub Actions, with a table of the findings.

This is not one of `FORMATS`: `ci` appends it to the file that the system names.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycache_guard.report import count
from pycache_guard.report.escape import escape_text

if TYPE_CHECKING:
    from pycache_guard.findings import Finding
    from pycache_guard.report import Summary

#: A step may write 1 MiB; nobody reads longer tables.
MAX_ROWS = 100
#: The longest text of a cell.
MAX_CELL_CHARACTERS = 2000
#: Characters that Markdown or HTML would read; a backslash makes each of them plain (GFM, 2.4).
SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~&@:$]")


def render_summary(findings: list[Finding], summary: Summary, *, is_complete: bool) -> str:
    """Return a heading, a table with a row for each finding, and what was checked."""
    lines = [f"### pycache-guard: {describe_result(findings, is_complete=is_complete)}", ""]
    if findings:
        lines += ["| rule | place | problem | to fix |", "| --- | --- | --- | --- |"]
        lines += [format_row(finding) for finding in findings[:MAX_ROWS]]
        lines.append("")
    if len(findings) > MAX_ROWS:
        lines += [f"{count(len(findings) - MAX_ROWS, 'more problem')}: see the log.", ""]
    lines += [escape_markdown(f"{summary.text}."), ""]
    lines += [f"- {escape_markdown(note)}" for note in summary.notes]
    return "\n".join(lines).rstrip("\n") + "\n\n"


def describe_result(findings: list[Finding], *, is_complete: bool) -> str:
    """Return the result in a few words."""
    found = f"{count(len(findings), 'problem')} found" if findings else "no problems found"
    return found if is_complete else f"{found}, and the check is not complete"


def format_row(finding: Finding) -> str:
    """Return the row of a finding. A command is shown as code, so that it can be copied."""
    parts = [finding.path, finding.line]
    place = ":".join(str(part) for part in parts if part is not None)
    fix = format_code(finding.fix) if finding.fix else escape_markdown(finding.hint or "")
    cells = [
        f"[{finding.rule.name}]({finding.rule.docs_url})",
        format_code(place) if place else "",
        escape_markdown(finding.message),
        fix,
    ]
    return f"| {' | '.join(cells)} |"


def escape_markdown(text: str) -> str:
    """Return one line of text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\g<0>", shorten(escape_text(text)))


def format_code(text: str) -> str:
    """Return HTML that shows text as code in a cell, whatever characters it has."""
    shown = shorten(escape_text(text))
    return f"<code>{''.join(map(escape_character, shown))}</code>"


def escape_character(character: str) -> str:
    """Return a character reference for everything that Markdown or HTML could read."""
    return character if character.isalnum() or character in " /" else f"&#{ord(character)};"


def shorten(text: str) -> str:
    """Return a text of at most `MAX_CELL_CHARACTERS`."""
    return text if len(text) <= MAX_CELL_CHARACTERS else f"{text[:MAX_CELL_CHARACTERS]}…"
