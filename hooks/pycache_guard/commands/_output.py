"""Say on stderr what could not be done."""

from __future__ import annotations

import os
import stat
import sys
from time import monotonic

from pycache_guard import compat
from pycache_guard.commands._print import print_safely
from pycache_guard.findings import sort_findings
from pycache_guard.remedies import NO_COMMAND
from pycache_guard.remedies import translate_for_windows
from pycache_guard.report import TextStyle
from pycache_guard.report import render
from pycache_guard.report.escape import escape_unprintable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Protocol

    from pycache_guard.findings import Finding
    from pycache_guard.report import Summary

    class ReportOptions(Protocol):
        """What the arguments of every command that reports are read into."""

        format: str
        output: str | None
        quiet: bool
        color: str


def print_error(message: str, kind: str = "error") -> None:
    """Write one `error:` line, or one of another kind."""
    if sys.stderr is not None:
        try:  # noqa: SIM105 - contextlib costs 1 ms
            sys.stderr.write(f"{kind}: {escape_unprintable(message)}\n")
        except OSError:  # no one listens; the exit code tells
            pass


#: Seconds before the first word, and between words.
DELAY_SECONDS = 1.0
REDRAW_SECONDS = 0.2


class Progress:
    """A line on stderr that counts commits; nothing where stderr is no terminal."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.count = 0
        self._width = 0
        self._next = monotonic() + DELAY_SECONDS
        self._enabled = sys.stderr is not None and sys.stderr.isatty()

    def add(self, commits: int) -> None:
        """Count, and say so now and then."""
        self.count += commits
        if self._enabled and monotonic() >= self._next:
            self._next = monotonic() + REDRAW_SECONDS
            text = f"{self._command}: {self.count} commits"
            self._width = len(text)
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line as it was."""
        if self._width:
            sys.stderr.write(f"\r{'':{self._width}}\r")
            sys.stderr.flush()
            self._width = 0


class ReportDefaults:
    """The values of a run without arguments."""

    format = "text"
    output: str | None = None
    quiet = False
    color = "auto"


def write_report(
    findings: list[Finding],
    command: str,
    options: ReportOptions | Namespace,
    *,
    summary: Summary | None = None,
    more: Mapping[str, object] | None = None,
    shortcut: str | None = None,
    commit: str | None = None,
) -> int:
    """Write the report where it is wanted; return 1 if there is a finding, else 0.

    `more` is what JSON has beside the findings; `shortcut` and `commit` as in `TextStyle`.
    """
    if compat.WINDOWS:
        findings = [*map(adapt_to_windows, findings)]
    style = TextStyle(options.quiet, has_color(options), shortcut, commit)
    text = render(
        sort_findings(findings), command, options.format, more, summary=summary, style=style
    )
    emit(text + rule_links(findings, options), options.output)
    return 1 if findings else 0


def adapt_to_windows(finding: Finding) -> Finding:
    """Return a finding whose command every shell of Windows reads alike, or that has none and says so."""
    if finding.fix is None:
        return finding
    remedy = translate_for_windows(finding.fix)
    return finding._replace(fix=remedy, hint=finding.hint if remedy else NO_COMMAND)


def text_style(options: ReportOptions | Namespace) -> TextStyle:
    """Return how the options, the environment and the terminal want a text report."""
    return TextStyle(options.quiet, has_color(options))


def has_color(options: ReportOptions | Namespace) -> bool:
    """Return whether to use colour: as `--color` has it, else NO_COLOR and FORCE_COLOR, else at a terminal.

    A file never gets any with `auto`. See https://no-color.org and https://force-color.org.
    """
    if options.color != "auto":
        return bool(options.color == "always")
    if options.output is not None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_at_terminal() and os.environ.get("TERM") != "dumb"


def is_at_terminal() -> bool:
    """Return whether a person reads stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def rule_links(findings: list[Finding], options: ReportOptions | Namespace) -> str:
    """Return where the rules are explained, if a person reads this at a terminal; else nothing.

    Programs and logs get the same report from run to run, and other formats have links of their own.
    """
    is_text_at_terminal = options.format == "text" and options.output is None and is_at_terminal()
    if options.quiet or not is_text_at_terminal:
        return ""
    from pycache_guard.report import text

    return text.pages(findings)


def emit(text: str, output: str | None) -> None:
    """Write a report to the file `output`, or to stdout."""
    if output is None:
        print_safely(text)
    else:
        write_file(text, output)


def write_file(text: str, output: str) -> None:
    """Write to a file as a whole; to a pipe or a device as it is."""
    from pycache_guard.fs.atomic import write_atomic

    data = text.encode("utf-8", "backslashreplace")
    if is_special(output):
        with open(output, "wb") as file:
            file.write(data)
    else:
        write_atomic(output, data)


def is_special(path: str) -> bool:
    """Whether `path` leads to a pipe, a device or a socket."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
