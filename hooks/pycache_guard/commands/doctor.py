"""`pycache-guard doctor`: how bytecode stands on this machine and in this repository."""

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


def main(argv: Sequence[str]) -> int:
    """Return 0 if all is well, 1 if something is to be mended, 2 if something cannot be told."""
    parser = reporting_parser(
        NAME,
        "Tell whether bytecode is written, where to, and of what use it is; whether this repository"
        " ignores, tracks and refuses it. Nothing is changed.",
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
    options = parser.read(argv)
    diagnosis = examined(options.python or sys.executable, options.time)
    more = pages(diagnosis.findings, options.format, options.output)
    deliver(told(diagnosis, options.format) + more, options.output)
    for failure in diagnosis.failures:
        tell(failure)
    return 2 if diagnosis.failures else 1 if diagnosis.findings else 0


def told(diagnosis: Diagnosis, voice: str) -> str:
    """Return the report."""
    findings = in_order(diagnosis.findings)
    if voice == "json":
        from pycache_guard.report import json

        facts = [json.printable(fact._asdict()) for fact in diagnosis.facts]
        return json.render(findings, NAME, {"facts": facts})
    report = render(findings, NAME, voice)
    if voice != "text":
        return report
    from pycache_guard.doctor.layout import laid_out
    from pycache_guard.report.escape import shown

    lines = [*laid_out(diagnosis.facts), "", "PROBLEMS"]
    return "".join(f"{shown(line)}\n" for line in lines) + (report or "  none\n")
