"""`pycache-guard clean`: remove caches, all of them or the orphans alone; the hook `clean-orphans`."""

from __future__ import annotations

import os

from pycache_guard.cleaning.choice import Mode
from pycache_guard.cleaning.outcome import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.cleaning.outcome import Outcome

NAME = "clean"


def main(argv: Sequence[str]) -> int:
    """Return 0 if everything that was to go is gone, 1 if something stood in the way."""
    if list(argv) in ([], ["--orphans"]):  # as by a hook: parser and voices wait for a need
        result = clean([os.curdir], Mode(orphans=bool(argv)))
        is_silent = not (any(result.counts()) or result.findings or (result.kept and not argv))
        return 0 if is_silent else tell(result, quiet=bool(argv))
    options = parse(argv)
    mode = Mode(
        orphans=options.orphans,
        broken=options.broken,
        include_tracked=options.include_tracked,
        include_sourceless=options.include_sourceless,
        prefix=options.prefix,
    )
    result = clean(options.paths or [os.curdir], mode, dry_run=options.dry_run)
    return tell(
        result,
        verbose=options.verbose,
        quiet=options.orphans or options.broken,
        options=options,
    )


def tell(
    result: Outcome,
    *,
    verbose: bool = False,
    quiet: bool = False,
    options: Namespace | None = None,
) -> int:
    """Write the report where it is wanted; return the exit code."""
    from pycache_guard.commands.reporting import ReportDefaults
    from pycache_guard.commands.reporting import deliver
    from pycache_guard.commands.reporting import pages
    from pycache_guard.commands.reporting import text_style
    from pycache_guard.findings import in_order
    from pycache_guard.report import render
    from pycache_guard.report.escape import shown

    reporting = options or ReportDefaults()
    findings = in_order(result.findings)
    if reporting.format == "json":
        from pycache_guard.report import json

        report = json.render(findings, NAME, details(result))
    else:
        report = render(findings, NAME, reporting.format, style=text_style(reporting))
    if reporting.format == "text":
        from pycache_guard.cleaning.words import text

        lines = text(result, verbose=verbose, quiet=quiet)
        report = "".join(f"{shown(line)}\n" for line in lines) + report
    deliver(report + pages(findings, reporting), reporting.output)
    return 1 if findings else 0


def details(result: Outcome) -> dict[str, object]:
    """Return what JSON has besides findings."""
    from pycache_guard.report.escape import decodable
    from pycache_guard.report.json import place

    return {
        "dry_run": result.dry_run,
        "removed": [place(path) for path in result.removed],
        "kept": [{**place(path), "reason": why.name} for path, why in result.kept],
        "skipped": [{**place(path), "reason": decodable(why)} for path, why in result.skipped],
        "looked_at": {"files": result.files, "directories": result.directories},
    }


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    from pycache_guard.commands.arguments import filled
    from pycache_guard.commands.arguments import reporting_parser

    parser = reporting_parser(
        NAME,
        "Remove Python's caches below the paths: every __pycache__, and .pyc files beside their"
        " source. What git tracks, and what has no source, is kept.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=filled,
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
    return parser.read(argv)
