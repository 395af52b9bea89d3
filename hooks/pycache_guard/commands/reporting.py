"""Tell findings, and answer with the exit code."""

from __future__ import annotations

import os
import stat
import sys

from pycache_guard import system
from pycache_guard.findings import in_order
from pycache_guard.remedies import NO_COMMAND
from pycache_guard.remedies import translate_for_windows
from pycache_guard.report import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.findings import Finding


def report(
    findings: list[Finding],
    command: str,
    *,
    voice: str = "text",
    output: str | None = None,
    more: Mapping[str, object] | None = None,
) -> int:
    """Write the report where it is wanted; return 1 if there is anything to say, else 0.

    `more` is what the command has to say to programs beside its findings.
    """
    if system.WINDOWS:
        findings = [*map(adapt_to_windows, findings)]
    text = render(in_order(findings), command, voice, more)
    deliver(text + pages(findings, voice, output), output)
    return 1 if findings else 0


def adapt_to_windows(finding: Finding) -> Finding:
    """Return a finding whose command every shell of Windows reads alike, or that has none and says so."""
    if finding.remedy is None:
        return finding
    remedy = translate_for_windows(finding.remedy)
    message = finding.message if remedy else f"{finding.message}; {NO_COMMAND}"
    return finding._replace(remedy=remedy, message=message)


def pages(findings: list[Finding], voice: str, output: str | None) -> str:
    """Return where the rules are explained, if a person reads this at a terminal; else nothing.

    Programs and logs get the same report from run to run, and voices of their own have links.
    """
    is_read_at_once = output is None and sys.stdout is not None and sys.stdout.isatty()
    if voice != "text" or not is_read_at_once:
        return ""
    from pycache_guard.report import text

    return text.pages(findings)


def deliver(text: str, output: str | None) -> None:
    """Write a report to the file `output`, or to stdout."""
    if output is None:
        say(text)
    else:
        write(text, output)


def say(text: str) -> None:
    """Write to stdout whatever its encoding; a reader who has gone away is no failure."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
