"""`pycache-guard doctor`: diagnose bytecode caching on this machine and in this repository."""

from __future__ import annotations

import sys

from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.failures import tell
from pycache_guard.commands.reporting import deliver
from pycache_guard.commands.reporting import pages
from pycache_guard.doctor.examination import examined
from pycache_guard.findings import in_order
from pycache_guard.report import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.doctor.fact import Diagnosis

NAME = "doctor"
NO_PROBLEMS = "No problems found.\n"


def main(argv: Sequence[str]) -> int:
    """Return 0 without problems, 1 with some, 2 if something could not be examined."""
    parser = reporting_parser(
        NAME,
        "Report whether and where Python writes bytecode, and whether the caches are usable; whether"
        " this repository ignores, tracks and refuses bytecode. Changes nothing.",
    )
    parser.add_argument(
        "--python", metavar="EXE", help="the interpreter to ask (default: this program's own)"
    )
    parser.add_argument(
        "--time",
        metavar="MODULE",
        action="append",
        default=[],
        help="import it with and without a cache, and compare; repeatable",
    )
    parser.add_argument(
        "--brief", action="store_true", help="problems first, then one line for each fact"
    )
    options = parser.read(argv)
    diagnosis = examined(options.python or sys.executable, options.time)
    more = pages(diagnosis.findings, options)
    deliver(told(diagnosis, options.format, is_brief=options.brief) + more, options.output)
    for failure in dict.fromkeys(diagnosis.failures):
        tell(failure)
    return 2 if diagnosis.failures else 1 if diagnosis.findings else 0


def told(diagnosis: Diagnosis, voice: str, *, is_brief: bool = False) -> str:
    """Return the report."""
    findings = in_order(diagnosis.findings)
    if voice == "json":
        from pycache_guard.report import json

        described = [json.printable(fact._asdict()) for fact in diagnosis.facts]
        return json.render(findings, NAME, {"facts": described})
    report = render(findings, NAME, voice)
    if voice != "text":
        return report
    from pycache_guard.doctor.layout import laid_out
    from pycache_guard.report.escape import shown

    if is_brief:
        brief = laid_out(diagnosis.facts, is_brief=True)
        return f"{report or NO_PROBLEMS}\n" + "".join(f"{shown(line)}\n" for line in brief)
    lines = [*laid_out(diagnosis.facts), "", "PROBLEMS"]
    return "".join(f"{shown(line)}\n" for line in lines) + (report or "  none\n")
