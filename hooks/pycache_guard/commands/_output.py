"""Write reports, errors and progress.

# hot path: see tests/test_budgets.py

A push imports this for its progress line, so that a report and its formats are imported only where one
is written.
"""

from __future__ import annotations

import os
import stat
import sys
from time import monotonic

from pycache_guard import compat
from pycache_guard.commands import print_safely

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Protocol

    from pycache_guard.findings import Finding
    from pycache_guard.report import Summary, TextStyle

    class ReportOptions(Protocol):
        """The arguments of every command that writes a report."""

        format: str
        output: str | None
        quiet: bool
        color: str


def print_error(message: str, kind: str = "error") -> None:
    """Write one `error:` line, or one of another kind."""
    if sys.stderr is not None:
        from pycache_guard.report.escape import escape_unprintable

        try:  # noqa: SIM105 - contextlib costs 1 ms
            sys.stderr.write(f"{kind}: {escape_unprintable(message)}\n")
        except OSError:  # stderr is gone; the exit code is enough
            pass


#: Seconds before the first line is drawn, and between two of them.
DELAY_SECONDS = 1.0
REDRAW_SECONDS = 0.2


class Progress:
    """A line on stderr that counts commits; it is drawn only on a terminal."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.count = 0
        self._width = 0
        self._next = monotonic() + DELAY_SECONDS
        self._enabled = sys.stderr is not None and sys.stderr.isatty()

    def add(self, commits: int) -> None:
        """Add to the count, and redraw the line at most every `REDRAW_SECONDS`."""
        self.count += commits
        if self._enabled and monotonic() >= self._next:
            self._next = monotonic() + REDRAW_SECONDS
            text = f"{self._command}: {self.count} commits"
            self._width = len(text)
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Erase the line."""
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
    """Write the report to stdout or to `--output`; return 1 if there is a finding, else 0.

    `more` has additional keys of the JSON report; `shortcut` and `commit` are those of `TextStyle`.
    """
    from pycache_guard.findings import sort_findings
    from pycache_guard.report import TextStyle, render

    if compat.WINDOWS:
        findings = [*map(adapt_to_windows, findings)]
    style = TextStyle(options.quiet, has_color(options), shortcut, commit)
    text = render(
        sort_findings(findings), command, options.format, more, summary=summary, style=style
    )
    emit(text + rule_links(findings, options), options.output)
    return 1 if findings else 0


def adapt_to_windows(finding: Finding) -> Finding:
    """Return a finding whose command means the same in every Windows shell, or a hint instead of it."""
    if finding.fix is None:
        return finding
    from pycache_guard.remedies import NO_COMMAND, translate_for_windows

    command = translate_for_windows(finding.fix)
    return finding._replace(fix=command, hint=finding.hint if command else NO_COMMAND)


def text_style(options: ReportOptions | Namespace) -> TextStyle:
    """Return the style of a text report, from the options, the environment and the terminal."""
    from pycache_guard.report import TextStyle

    return TextStyle(options.quiet, has_color(options))


def has_color(options: ReportOptions | Namespace) -> bool:
    """Return whether to use colour: `--color` decides, then NO_COLOR, FORCE_COLOR and the terminal.

    With `auto`, a file never has colours. See https://no-color.org and https://force-color.org.
    """
    if options.color != "auto":
        return bool(options.color == "always")
    if options.output is not None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_at_terminal() and os.environ.get("TERM") != "dumb"


def is_at_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def rule_links(findings: list[Finding], options: ReportOptions | Namespace) -> str:
    """Return the addresses of the rule pages if the report goes to a terminal, else an empty string.

    Other formats have links of their own.
    """
    is_text_at_terminal = options.format == "text" and options.output is None and is_at_terminal()
    if options.quiet or not is_text_at_terminal:
        return ""
    from pycache_guard.report import text

    return text.rule_links(findings)


def emit(text: str, output: str | None) -> None:
    """Write a report to the file `output`, or to stdout."""
    if output is None:
        print_safely(text)
    else:
        write_file(text, output)


def write_file(text: str, output: str) -> None:
    """Replace a regular file atomically; write directly to a pipe or a device."""
    from pycache_guard.fs.atomic import write_atomic

    data = text.encode("utf-8", "backslashreplace")
    if is_special(output):
        with open(output, "wb") as file:
            file.write(data)
    else:
        write_atomic(output, data)


def is_special(path: str) -> bool:
    """Return whether `path` leads to a pipe, a device or a socket."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
