"""`pycache-guard forbid-bytecode`: judge what the next commit, or a commit, contains.

What a clean run imports is guarded by tests/startup_test.py: arguments, rules and voices wait until
there is something to parse or to say.
"""

from __future__ import annotations

from pycache_guard.git.index import Index
from pycache_guard.git.process import GitFailure
from pycache_guard.scan import Unread
from pycache_guard.scan import scan_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.findings import Finding
    from pycache_guard.git.tree import Tree

NAME = "forbid-bytecode"
SUMMARY = "check every entry of the index, or of a commit's tree"
EXAMPLE = "pycache-guard forbid-bytecode --fix"
DOCS_PAGE = "commands.md"
EXIT_CODES = ("no findings", "findings, or files were changed", "error")


class ForbidOptions:
    """The values of a run without arguments."""

    staged = False
    tree: str | None = None
    content = "new"
    allow: Sequence[str] = ()
    fix = False
    format = "text"
    output: str | None = None
    config_from: str | None = None
    quiet = False
    color = "auto"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was."""
    options = parse(argv) if argv else ForbidOptions()
    unread = Unread()
    try:
        findings = _scan(options, options.content, unread)
    except GitFailure:
        # A content that is not here, most likely: what is found by path is reported anyway.
        _report(_scan(options, "none", Unread()), options, Unread())
        raise
    if options.fix:
        from pycache_guard.untrack import untrack_findings

        findings = untrack_findings(Index(), findings)
    return _report(findings, options, unread)


def _scan(options: ForbidOptions | Namespace, content: str, unread: Unread) -> list[Finding]:
    """Judge what is meant; count in `unread` what is not looked into."""
    source: Index | Tree = Index()
    if options.tree:
        from pycache_guard.git.tree import Tree

        source = Tree(options.tree)
    return scan_tracked(
        source,
        staged=options.staged,
        content=content,
        allow=options.allow,
        config_from=options.config_from,
        unread=unread,
    )


def _report(findings: list[Finding], options: ForbidOptions | Namespace, unread: Unread) -> int:
    """Report; a text report without findings is one line and imports nothing for it."""
    checked = describe_coverage(unread, options)
    if not findings and options.format == "text" and options.output is None:
        if not options.quiet:
            from pycache_guard.commands._print import print_safely

            notes = f"{unread.sentence()}.\n" if unread.counts else ""
            print_safely(f"OK: {checked}.\n{notes}")
        return 0
    from pycache_guard.commands._output import write_report
    from pycache_guard.remedies import program
    from pycache_guard.report import Summary

    summary = Summary(unread.entries, checked, (f"{unread.sentence()}.",) if unread.counts else ())
    shortcut = None if options.tree else f"{program()} fix"
    return write_report(
        findings, NAME, options, summary=summary, more=unread.keys(), shortcut=shortcut
    )


def describe_coverage(unread: Unread, options: ForbidOptions | Namespace) -> str:
    """Return what was checked, in words and numbers."""
    kind = "changed" if options.staged else f"{options.tree}'s" if options.tree else "tracked"
    files = f"{unread.entries:,} {kind} {'file' if unread.entries == 1 else 'files'} checked"
    if options.content == "new" and not options.staged:
        return f"{files}, {unread.read:,} new {'one' if unread.read == 1 else 'ones'} read"
    return f"{files}, {unread.read:,} read"


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments; a hook without any does without the parser."""
    from pycache_guard.commands._arguments import add_scan_options
    from pycache_guard.commands._arguments import non_empty
    from pycache_guard.commands._arguments import report_parser

    parser = report_parser(
        NAME,
        "Refuse tracked bytecode: by path everywhere, by content where the content is new.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="only what differs from HEAD")
    what.add_argument(
        "--tree", metavar="REV", type=non_empty, help="a commit's tree instead of the index"
    )
    add_scan_options(
        parser,
        "new",
        "all",
        "none",
        meaning="look into files: new since HEAD (default), all, or none",
    )
    parser.add_argument(
        "--fix", action="store_true", help="untrack what was found by path; files stay on disk"
    )
    options = parser.parse(argv)
    if options.fix and options.tree:
        parser.error("--fix changes the index: it does not go with --tree")
    return options
