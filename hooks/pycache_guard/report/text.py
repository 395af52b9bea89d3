"""Render the text report: one line per finding, the commands that fix them, a line about the run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.remedies import program
from pycache_guard.report import Summary, TextStyle, count
from pycache_guard.report.escape import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.findings import Finding

#: More findings of one rule in one directory than this are one line.
MAX_LINES_PER_DIRECTORY = 10

#: More commands than this are not shown.
MAX_COMMANDS = 10

#: Commands whose findings an allow entry can cover.
_ALLOW_COMMANDS = ("forbid-bytecode", "fix", "check-history", "pre-push", "ci")

#: SGR sequences (ECMA-48): bold, red, dim, and the end of each.
_BOLD, _RED, _DIM, _END = "\033[1m", "\033[31;1m", "\033[2m", "\033[0m"


def render(
    findings: list[Finding],
    command: str,
    summary: Summary | None = None,
    style: TextStyle = TextStyle(),  # noqa: B008 - a tuple cannot be changed
) -> str:
    """Return the findings, then the commands, then the summary.

    Without findings the report is one line; it is empty if quiet or without a `summary`.
    """
    paint = _Paint(has_color=style.has_color)
    blocks = [[_line(place, code, message, paint) for place, code, message in _rows(findings)]]
    blocks.append(_commands(findings, style.shortcut))
    if (
        not style.is_quiet
        and command in _ALLOW_COMMANDS
        and any(f.rule in (Rule.PYC001, Rule.PYC002) and not f.is_fixed for f in findings)
    ):
        blocks[-1].append(
            "To keep a file on purpose, add it to `allow` in pyproject.toml:"
            f" {program()} explain PYC001"
        )
    if style.commit:
        blocks.append(["Now commit:", f"    {escape_unprintable(style.commit)}"])
    if summary is not None and not style.is_quiet:
        blocks.append([*_summary(findings, summary, paint)])
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def rule_links(findings: list[Finding]) -> str:
    """Return the address of the page of each rule in `findings`."""
    rules = sorted({finding.rule for finding in findings}, key=lambda rule: rule.name)
    return (
        "".join(["\n", *(f"About {rule.name}: {rule.docs_url}\n" for rule in rules)])
        if rules
        else ""
    )


def _rows(findings: list[Finding]) -> Iterator[tuple[str, str, str]]:
    """Yield place, code and message of each line: of a finding, or of many in one directory.

    A finding at a line of a file keeps a line of its own: nobody could find it otherwise.
    """
    groups: dict[tuple[Rule, str], list[Finding]] = {}
    for finding in findings:
        if finding.path is not None and finding.line is None and finding.commit is None:
            groups.setdefault((finding.rule, _group_place(finding)), []).append(finding)
    grouped = {key: group for key, group in groups.items() if len(group) > MAX_LINES_PER_DIRECTORY}
    shown: set[tuple[str | None, str | None]] = set()
    for finding in findings:
        key = (finding.rule, _group_place(finding))
        group = grouped.get(key)
        if group is None or finding.line is not None or finding.commit is not None:
            # The findings of one archive have one hint, which is long.
            is_shown = finding.line is None and (finding.path, finding.hint) in shown
            shown.add((finding.path, finding.hint))
            yield _row(finding._replace(hint=None) if is_shown else finding)
        elif finding is group[0]:
            yield key[1], finding.rule.name, _group_message(group)


def _group_place(finding: Finding) -> str:
    """Return the directory of a file, or the archive of a member: both contain what was found."""
    path = finding.path or ""
    return path if finding.rule is Rule.PYC311 else f"{os.path.dirname(path) or '.'}/"


def _group_message(group: list[Finding]) -> str:
    """Return one message for findings of one rule in one directory."""
    first = group[0]
    messages = {f.message for f in group}
    if messages == {"bytecode is tracked"}:
        return f"{len(group):,} bytecode files are tracked"
    if len(messages) == 1:
        return f"{len(group):,} files: {first.message}"
    if first.rule is Rule.PYC311:
        hint = f"; {first.hint}" if first.hint else ""
        return f"{len(group):,} findings, the first: {first.message}{hint}"
    name = os.path.basename(first.path or "")
    return f"{len(group):,} findings, the first is {name}: {first.message}"


def _row(finding: Finding) -> tuple[str, str, str]:
    parts = [finding.path, finding.line, finding.column]
    place = ":".join(str(part) for part in parts if part is not None)
    return place, finding.rule.name, finding.message + (f"; {finding.hint}" if finding.hint else "")


def _line(place: str, code: str, message: str, paint: _Paint) -> str:
    start = f"{paint(_BOLD, escape_unprintable(place))}: " if place else ""
    return f"{start}{paint(_RED, code)} {escape_unprintable(message)}"


def _commands(findings: list[Finding], shortcut: str | None) -> list[str]:
    """Return the commands, under their heading, and how many are not shown."""
    commands = [*dict.fromkeys(finding.fix for finding in findings if finding.fix)]
    by_path = [f for f in findings if f.rule is Rule.PYC001 and f.fix and not f.is_kept]
    if shortcut and max(len(commands), len(by_path)) > MAX_COMMANDS:
        covered = {f.fix for f in by_path}
        commands = [shortcut, *(command for command in commands if command not in covered)]
    if not commands:
        return []
    lines = [
        "To fix:",
        *(f"    {escape_unprintable(command)}" for command in commands[:MAX_COMMANDS]),
    ]
    left = len(commands) - MAX_COMMANDS
    if left > 0:
        lines.append(f"{count(left, 'more command')}: see `--format json`.")
    return lines


def _summary(findings: list[Finding], summary: Summary, paint: _Paint) -> Iterator[str]:
    if findings and all(finding.is_fixed for finding in findings):
        yield f"Done: {escape_unprintable(summary.text)}."
    elif findings:
        yield f"Found {count(len(findings), 'problem')} ({escape_unprintable(summary.text)})."
    else:
        yield f"OK: {escape_unprintable(summary.text)}."
    for note in summary.notes:
        yield paint(_DIM, escape_unprintable(note))


class _Paint:
    """Adds colour to text, or leaves it as it is."""

    def __init__(self, *, has_color: bool) -> None:
        self._has_color = has_color

    def __call__(self, start: str, text: str) -> str:
        return f"{start}{text}{_END}" if self._has_color else text
