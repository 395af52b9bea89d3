"""The common part of the commands that check commits."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
import sys

from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from pycache_guard.commands._arguments import Parser
    from pycache_guard.findings import Finding
    from pycache_guard.git.objects import ObjectReader
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.scan import Readable


class CommitsOptions:
    """The parsed arguments; these are the values of a run without arguments."""

    def __init__(self) -> None:
        self.content = "new"
        self.allow: list[str] = []
        self.format = "text"
        self.output: str | None = None
        self.config_from: str | None = None
        self.quiet = False
        self.color = "auto"


def commits_parser(command: str, description: str) -> Parser:
    """Return a parser with the options of every command that checks commits."""
    from pycache_guard.commands._arguments import add_scan_options, report_parser

    parser = report_parser(command, description)
    add_scan_options(parser, "new", "none", meaning="which files to read: new (default) or none")
    return parser


def check_commits(
    command: str,
    revisions: Revisions | None,
    source: Callable[[ObjectReader], Readable],
    options: CommitsOptions | Namespace,
    *,
    is_receiving: bool = False,
) -> int:
    """Check commits, write the report, and return the exit code.

    `source` returns the object that reads the configuration. With `is_receiving`, this is a server that
    has not accepted the commits yet. Raises `Failure`, after the report, for what cannot be checked.
    """
    if options.config_from:
        from pycache_guard.git.tree import Tree

        tree = Tree(options.config_from)

        def source(_: ObjectReader) -> Readable:
            return tree

    if revisions is not None:  # git runs while the rest is imported
        revisions.start(parents=options.content == "none")
    from pycache_guard.scan import Unread

    findings: list[Finding] = []
    unjudged: list[str] = []
    unread = Unread()
    commits = 0
    if revisions is not None:
        from pycache_guard.bytecode.sniff import ARCHIVE_HEAD_LENGTH
        from pycache_guard.git.objects import ObjectReader

        reader = ObjectReader(ARCHIVE_HEAD_LENGTH)
        if revisions.tips:
            reader.start()
        from pycache_guard.commands._output import Progress
        from pycache_guard.history.scan import check_commits

        progress = Progress(command)
        try:
            findings, unjudged = check_commits(
                revisions,
                source,
                reader=reader,
                content=options.content,
                allow=options.allow,
                on_progress=progress.add,
                unread=unread,
                is_receiving=is_receiving,
            )
        except Failure as failure:
            from pycache_guard.git.revisions import add_shallow_hint

            raise add_shallow_hint(failure) from None
        finally:
            progress.clear()
        commits = progress.count
    notes = [f"{unread.sentence()}."] * bool(unread.counts)
    checked = f"{commits:,} commit{'' if commits == 1 else 's'} checked"
    if not findings and not unjudged and options.format == "text" and options.output is None:
        if not options.quiet:
            from pycache_guard.commands import print_success

            print_success(checked, notes)
        return 0
    from pycache_guard.commands._output import write_report
    from pycache_guard.report import Summary

    if any("filter-repo" in (finding.fix or "") for finding in findings):
        from pycache_guard.history.describe import REWRITE_NOTE

        notes.append(REWRITE_NOTE)
    summary = Summary(commits, checked, tuple(notes))
    code = write_report(
        findings,
        command,
        options,
        summary=None if unjudged and not findings else summary,
        more=unread.keys(),
    )
    if unjudged:
        raise Failure("; ".join(unjudged))
    return code


def read_ref_lines() -> bytes:
    """Return all of stdin. Raises `Failure` if stdin is a terminal or closed."""
    if sys.stdin is None or os.isatty(0):
        raise Failure("no ref lines on stdin; git passes them to its hook (githooks(5))")
    return sys.stdin.buffer.read()
