"""`pycache-guard doctor`: diagnose bytecode caching on this machine, and here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pycache_guard.commands._arguments import non_empty, report_parser
from pycache_guard.commands._output import emit, print_error, rule_links, text_style
from pycache_guard.doctor.diagnose import diagnose
from pycache_guard.findings import sort_findings
from pycache_guard.report import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.doctor.report import DoctorReport
    from pycache_guard.report import TextStyle

NAME = "doctor"
SUMMARY = "diagnose bytecode caching on this machine, and here"
EXAMPLE = "pycache-guard doctor --time PACKAGE"
DOCS_PAGE = "doctor.md"
EXIT_CODES = ("no problems", "problems found", "error")
NO_PROBLEMS = "No problems found.\n"


def main(argv: Sequence[str]) -> int:
    """Return 0 without problems, 1 with problems, 2 if something could not be examined."""
    parser = report_parser(
        NAME,
        "Report whether and where Python writes bytecode, and whether the caches are usable; whether"
        " this repository ignores, tracks and refuses bytecode. Changes nothing. Exit codes: 0 no"
        " problems; 1 problems found; 2 error.",
    )
    parser.add_argument(
        "--python",
        metavar="EXE",
        type=non_empty,
        help="the interpreter to examine (default: the one that runs pycache-guard)",
    )
    parser.add_argument(
        "--time",
        metavar="MODULE",
        type=non_empty,
        action="append",
        default=[],
        help="measure the import of MODULE with and without a cache; repeatable",
    )
    parser.add_argument(
        "--brief", action="store_true", help="problems first, then one line for each fact"
    )
    options = parser.parse(argv)
    diagnosis = diagnose(options.python or sys.executable, options.time)
    more = rule_links(diagnosis.findings, options)
    style = text_style(options)
    report = render_report(diagnosis, options.format, style, is_brief=options.brief)
    emit(report + more, options.output)
    for failure in dict.fromkeys(diagnosis.failures):
        print_error(failure)
    return 2 if diagnosis.failures else 1 if diagnosis.findings else 0


def render_report(
    diagnosis: DoctorReport, format_name: str, style: TextStyle, *, is_brief: bool = False
) -> str:
    """Return the report in a format: facts and findings as text and JSON, else findings only."""
    findings = sort_findings(diagnosis.findings)
    if format_name == "json":
        from pycache_guard.report import json

        described = [json.escape_strings(fact.to_dict()) for fact in diagnosis.facts]
        return json.render(findings, NAME, {"facts": described})
    report = render(findings, NAME, format_name, style=style)
    if format_name != "text" or style.is_quiet:
        return report
    from pycache_guard.doctor.report import format_report
    from pycache_guard.report.escape import join_lines

    if is_brief:
        brief = format_report(diagnosis.facts, is_brief=True)
        return f"{report or NO_PROBLEMS}\n{join_lines(brief)}"
    lines = [*format_report(diagnosis.facts), "", "PROBLEMS"]
    return join_lines(lines) + (report or "  none\n")
