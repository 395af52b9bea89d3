"""`pycache-guard inspect`: tell what bytecode files are."""

from __future__ import annotations

from pycache_guard.commands.arguments import filled
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.failures import tell
from pycache_guard.commands.reporting import deliver
from pycache_guard.commands.reporting import report
from pycache_guard.errors import Failure
from pycache_guard.examining.as_json import as_json
from pycache_guard.examining.as_text import as_text
from pycache_guard.examining.examine import examine
from pycache_guard.examining.places import place
from pycache_guard.report.escape import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.examining.examine import Facts
    from pycache_guard.findings import Finding

NAME = "inspect"


def main(argv: Sequence[str]) -> int:
    """Return 0 if every file is well-formed, 1 if not, 2 if one cannot be read."""
    options = parse(argv)
    facts_of = text_of if options.format == "text" else json_of
    told: list[object] = []
    findings = []
    failures = []
    for argument in options.files:
        try:
            facts, found = examine(place(argument))
        except Failure as failure:
            failures.append(str(failure))
            continue
        findings += found
        # What is told is kept, and not the tree of code, which may be large.
        told.append(facts_of(facts, found, with_code=options.code))
    for reason in failures:
        tell(reason)
    if options.format == "text":
        deliver("".join(map(str, told)), options.output)
        code = 1 if findings else 0
    else:
        more = {"files": told}
        code = report(findings, NAME, options, more=more)
    return 2 if failures else code


def text_of(facts: Facts, findings: list[Finding], *, with_code: bool) -> str:
    """Return a file's page."""
    lines = as_text(facts, findings, with_code=with_code)
    return "".join([f"{shown(line)}\n" for line in lines])


def json_of(facts: Facts, findings: list[Finding], *, with_code: bool) -> object:
    """Return a file's element of `files`."""
    return as_json(facts, is_well_formed=not findings, with_code=with_code)


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = reporting_parser(
        NAME,
        "Tell what each file is, from its header and an inert reading of its code: who wrote it, for"
        " which source, and whether Python would run it.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=filled, help="a path, or REV:PATH in git"
    )
    parser.add_argument("--code", action="store_true", help="add the tree of code objects")
    return parser.read(argv)
