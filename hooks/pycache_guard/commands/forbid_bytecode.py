"""`pycache-guard forbid-bytecode`: check the files that the next commit, or a commit, contains.

# hot path: see tests/test_budgets.py

Arguments, rules and report formats are imported only where they are needed.
"""

from __future__ import annotations

from pycache_guard.git.index import Index, current_index
from pycache_guard.git.process import GitFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.findings import Finding
    from pycache_guard.git.tree import Tree
    from pycache_guard.scan import Unread

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
    """Return 0 if there are no findings, else 1."""
    options = parse(argv) if argv else ForbidOptions()
    index = current_index()
    from pycache_guard.scan import Unread

    unread = Unread()
    try:
        findings = _scan(index, options, options.content, unread)
    except GitFailure:
        # A blob is missing, most likely: findings by path are reported anyway.
        _report(_scan(Index(), options, "none", Unread()), options, Unread())
        raise
    commit = None
    if options.fix:
        from pycache_guard.untrack import commit_command, untrack_findings

        findings = untrack_findings(Index(), findings)
        if any(finding.is_fixed for finding in findings):
            commit = commit_command(Index())
    return _report(findings, options, unread, commit)


def _scan(
    index: Index, options: ForbidOptions | Namespace, content: str, unread: Unread
) -> list[Finding]:
    """Return the findings; count files that are not looked into in `unread`."""
    from pycache_guard.scan import scan_tracked

    source: Index | Tree = index
    files = None
    if options.config_from:
        from pycache_guard.git.tree import RevisionFiles

        files = RevisionFiles(options.config_from)
    if options.tree:
        from pycache_guard.git.tree import Tree

        source = Tree(options.tree)
    return scan_tracked(
        source,
        staged=options.staged,
        content=content,
        allow=options.allow,
        config_from=files,
        unread=unread,
    )


def _report(
    findings: list[Finding],
    options: ForbidOptions | Namespace,
    unread: Unread,
    commit: str | None = None,
) -> int:
    """Write the report; a text report without findings imports no report format."""
    checked = describe_coverage(unread, options)
    if not findings and options.format == "text" and options.output is None:
        if not options.quiet:
            from pycache_guard.commands import print_success

            print_success(checked, [f"{unread.sentence()}."] * bool(unread.counts))
        return 0
    from pycache_guard.commands._output import write_report
    from pycache_guard.report import Summary

    summary = Summary(unread.entries, checked, (f"{unread.sentence()}.",) if unread.counts else ())
    return write_report(
        findings,
        NAME,
        options,
        summary=summary,
        more={**unread.keys(), **({"commit_command": commit} if options.fix else {})},
        shortcut=fix_all_command(options),
        commit=commit,
    )


def fix_all_command(options: ForbidOptions | Namespace) -> str | None:
    """Return the command that untracks all bytecode found by path, or None for a tree.

    `fix` reads the configuration and the whole index: with other allow entries, or for a part of the
    index, it would untrack more than the report shows.
    """
    from pycache_guard.remedies import program, shell_quote

    if options.tree:
        return None
    words = [shell_quote(f"--allow={glob}") for glob in options.allow]
    if options.config_from:
        words.append(shell_quote(f"--config-from={options.config_from}"))
    if options.staged:
        words.append("--staged")
    return " ".join([program(), NAME, "--fix", *words]) if words else f"{program()} fix"


def describe_coverage(unread: Unread, options: ForbidOptions | Namespace) -> str:
    """Return the number of files checked and read, as the start of a sentence."""
    kind = "changed" if options.staged else "tracked"
    where = f" in {options.tree}" if options.tree else ""
    files = f"{unread.entries:,} {kind} file{'' if unread.entries == 1 else 's'}{where} checked"
    if options.staged or options.content != "new":
        return f"{files}, {unread.read:,} read"
    return f"{files}, {unread.read:,} new {'one' if unread.read == 1 else 'ones'} read"


def parse(argv: Sequence[str]) -> Namespace:
    """Parse the arguments; a run without arguments does not need the parser."""
    from pycache_guard.commands._arguments import add_scan_options, non_empty, report_parser

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
        "--fix", action="store_true", help="untrack bytecode found by its path; files stay on disk"
    )
    options = parser.parse(argv)
    if options.fix and options.tree:
        parser.error("--fix changes the index: it does not go with --tree")
    return options
