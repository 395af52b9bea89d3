"""Write reports, and return the exit code."""

from __future__ import annotations

import os
import stat
import sys

from pycache_guard import system
from pycache_guard.commands.printing import say
from pycache_guard.findings import in_order
from pycache_guard.remedies import NO_COMMAND
from pycache_guard.remedies import translate_for_windows
from pycache_guard.report import TextStyle
from pycache_guard.report import render

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


class ReportDefaults:
    """The values of a run without arguments."""

    format = "text"
    output: str | None = None
    quiet = False
    color = "auto"


def report(
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
    if system.WINDOWS:
        findings = [*map(adapt_to_windows, findings)]
    style = TextStyle(options.quiet, has_color(options), shortcut, commit)
    text = render(in_order(findings), command, options.format, more, summary=summary, style=style)
    deliver(text + pages(findings, options), options.output)
    return 1 if findings else 0


def adapt_to_windows(finding: Finding) -> Finding:
    """Return a finding whose command every shell of Windows reads alike, or that has none and says so."""
    if finding.remedy is None:
        return finding
    remedy = translate_for_windows(finding.remedy)
    return finding._replace(remedy=remedy, hint=finding.hint if remedy else NO_COMMAND)


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


def pages(findings: list[Finding], options: ReportOptions | Namespace) -> str:
    """Return where the rules are explained, if a person reads this at a terminal; else nothing.

    Programs and logs get the same report from run to run, and other formats have links of their own.
    """
    is_text_at_terminal = options.format == "text" and options.output is None and is_at_terminal()
    if options.quiet or not is_text_at_terminal:
        return ""
    from pycache_guard.report import text

    return text.pages(findings)


def deliver(text: str, output: str | None) -> None:
    """Write a report to the file `output`, or to stdout."""
    if output is None:
        say(text)
    else:
        write(text, output)


def write(text: str, output: str) -> None:
    """Write to a file as a whole; to a pipe or a device as it is."""
    from pycache_guard.repair import write_whole

    data = text.encode("utf-8", "backslashreplace")
    if is_special(output):
        with open(output, "wb") as file:
            file.write(data)
    else:
        write_whole(output, data)


def is_special(path: str) -> bool:
    """Whether `path` leads to a pipe, a device or a socket."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
