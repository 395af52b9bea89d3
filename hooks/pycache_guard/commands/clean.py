"""`pycache-guard clean`: remove caches, all of them or the orphans alone; the hook `clean-orphans`."""

from __future__ import annotations

import os

from pycache_guard.clean.result import clean
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
    """Return 0 if everything that was to go is gone, 1 if something stood in the way."""
    if list(argv) in ([], ["--orphans"]):  # as by a hook: parser and voices wait for a need
        result = clean([os.curdir], CleanOptions(orphans=bool(argv)))
        is_silent = not (any(result.counts()) or result.findings or (result.kept and not argv))
        return 0 if is_silent else write_result(result, quiet=bool(argv))
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
        quiet=options.orphans or options.broken,
        options=options,
    )


def write_result(
    result: CleanResult,
    *,
    verbose: bool = False,
    quiet: bool = False,
    options: Namespace | None = None,
) -> int:
    """Write the report where it is wanted; return the exit code."""
    from pycache_guard.commands._output import ReportDefaults
    from pycache_guard.commands._output import emit
    from pycache_guard.commands._output import rule_links
    from pycache_guard.commands._output import text_style
    from pycache_guard.findings import sort_findings
    from pycache_guard.report import render
    from pycache_guard.report.escape import escape_unprintable

    reporting = options or ReportDefaults()
    findings = sort_findings(result.findings)
    if reporting.format == "json":
        from pycache_guard.report import json

        report = json.render(findings, NAME, json_details(result))
    else:
        report = render(findings, NAME, reporting.format, style=text_style(reporting))
    if reporting.format == "text":
        from pycache_guard.clean.result import format_text

        lines = format_text(result, verbose=verbose, quiet=quiet)
        report = "".join(f"{escape_unprintable(line)}\n" for line in lines) + report
    emit(report + rule_links(findings, reporting), reporting.output)
    return 1 if findings else 0


def json_details(result: CleanResult) -> dict[str, object]:
    """Return what JSON has besides findings."""
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
    from pycache_guard.commands._arguments import non_empty
    from pycache_guard.commands._arguments import report_parser

    parser = report_parser(
        NAME,
        "Remove Python's caches below the paths: every __pycache__, and .pyc files beside their"
        " source. What git tracks, and what has no source, is kept.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=non_empty,
        help="directories (default: where you are)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--orphans", action="store_true", help="only caches whose source is gone")
    which.add_argument(
        "--broken",
        action="store_true",
        help="only caches that were cut off or damaged",
    )
    parser.add_argument(
        "--include-tracked", action="store_true", help="remove what git tracks as well"
    )
    parser.add_argument(
        "--include-sourceless",
        action="store_true",
        help="remove NAME.pyc without NAME.py as well",
    )
    parser.add_argument(
        "--prefix",
        action="store_true",
        help="also clean what PYTHONPYCACHEPREFIX holds for PATH",
    )
    parser.add_argument("--verbose", action="store_true", help="name everything, removed or kept")
    return parser.parse(argv)
