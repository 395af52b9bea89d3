"""`pycache-guard clean`: remove all caches, or only orphans; the hook `clean-orphans`."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.clean.result import clean, format_text
from pycache_guard.clean.select import CleanOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.clean.result import CleanResult

NAME = "clean"
SUMMARY = "remove caches from the disk"
EXAMPLE = "pycache-guard clean --dry-run"
DOCS_PAGE = "clean.md"
POSITIONALS = "[PATH...]"
EXIT_CODES = ("success", "some files could not be removed", "error")


def main(argv: Sequence[str]) -> int:
    """Return 0 on success, 1 if a file could not be removed or a directory could not be read."""
    if list(argv) in ([], ["--orphans"]):  # Parser and report are imported only if needed.
        is_hook = bool(argv)
        result = clean([os.curdir], CleanOptions(orphans=is_hook))
        if result.findings or result.kept:
            return write_result(result, is_hook=is_hook)
        from pycache_guard.commands import print_safely

        print_safely("".join(f"{line}\n" for line in format_text(result, is_hook=is_hook)))
        return 0
    options = parse(argv)
    mode = CleanOptions(
        orphans=options.orphans,
        broken=options.broken,
        include_tracked=options.include_tracked,
        include_sourceless=options.include_sourceless,
        prefix=options.prefix,
    )
    result = clean(options.paths or [os.curdir], mode, dry_run=options.dry_run)
    return write_result(
        result,
        verbose=options.verbose,
        is_hook=options.orphans or options.broken,
        options=options,
    )


def write_result(
    result: CleanResult,
    *,
    verbose: bool = False,
    is_hook: bool = False,
    options: Namespace | None = None,
) -> int:
    """Write the report to stdout or `--output`; return the exit code.

    A hook (`--orphans`, `--broken`) prints nothing about kept files or if there is nothing to remove.
    """
    from pycache_guard.clean.result import format_checked
    from pycache_guard.commands._output import ReportDefaults, emit, rule_links, text_style
    from pycache_guard.findings import sort_findings
    from pycache_guard.report import Summary, render
    from pycache_guard.report.escape import join_lines

    reporting = options or ReportDefaults()
    findings = sort_findings(result.findings)
    style = text_style(reporting)
    if reporting.format != "text":
        summary = Summary(result.files, format_checked(result))
        details = json_details(result)
        report = render(findings, NAME, reporting.format, details, summary=summary)
    elif style.is_quiet:
        report = render(findings, NAME, "text", style=style)
    else:
        lines = format_text(result, verbose=verbose, is_hook=is_hook)
        report = join_lines(lines) + render(findings, NAME, "text", style=style)
    emit(report + rule_links(findings, reporting), reporting.output)
    return 1 if findings else 0


def json_details(result: CleanResult) -> dict[str, object]:
    """Return the JSON keys of `clean` besides `findings`."""
    from pycache_guard.report.escape import escape_surrogates
    from pycache_guard.report.json import path_fields

    return {
        "dry_run": result.dry_run,
        "removed": [path_fields(path) for path in result.removed],
        "kept": [{**path_fields(path), "reason": why.name} for path, why in result.kept],
        "skipped": [
            {**path_fields(path), "reason": escape_surrogates(why)} for path, why in result.skipped
        ],
        "looked_at": {"files": result.files, "directories": result.directories},
    }


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    from pycache_guard.commands._arguments import non_empty, report_parser

    parser = report_parser(
        NAME,
        "Remove Python caches below the paths: every __pycache__, and .pyc files next to their"
        " source. Tracked files, and .pyc files without a source, are kept.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=non_empty,
        help="directories to clean (default: the current directory)",
    )
    parser.add_argument("--dry-run", action="store_true", help="list the files, remove nothing")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--orphans", action="store_true", help="only caches whose source does not exist"
    )
    which.add_argument(
        "--broken",
        action="store_true",
        help="only cut off or damaged caches",
    )
    parser.add_argument("--include-tracked", action="store_true", help="also remove tracked files")
    parser.add_argument(
        "--include-sourceless",
        action="store_true",
        help="also remove NAME.pyc without NAME.py",
    )
    parser.add_argument(
        "--prefix",
        action="store_true",
        help="also clean PATH below PYTHONPYCACHEPREFIX",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="list every removed, kept and skipped path"
    )
    return parser.parse(argv)
