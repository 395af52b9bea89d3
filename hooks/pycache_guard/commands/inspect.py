"""`pycache-guard inspect`: describe bytecode files."""

from __future__ import annotations

from pycache_guard.commands._arguments import non_empty
from pycache_guard.commands._arguments import report_parser
from pycache_guard.commands._output import emit
from pycache_guard.commands._output import print_error
from pycache_guard.commands._output import write_report
from pycache_guard.errors import Failure
from pycache_guard.inspection.facts import inspect_file
from pycache_guard.inspection.facts import locate
from pycache_guard.inspection.render import to_json
from pycache_guard.inspection.render import to_text
from pycache_guard.report import Summary
from pycache_guard.report import count
from pycache_guard.report.escape import escape_unprintable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.findings import Finding
    from pycache_guard.inspection.facts import PycFacts

NAME = "inspect"
SUMMARY = "describe a bytecode file"
EXAMPLE = "pycache-guard inspect HEAD:pkg/__pycache__/a.cpython-313.pyc"
DOCS_PAGE = "inspect.md"
POSITIONALS = "FILE..."
EXIT_CODES = ("all are well-formed", "one is not", "one cannot be read")


def main(argv: Sequence[str]) -> int:
    """Return 0 if every file is well-formed, 1 if not, 2 if one cannot be read."""
    options = parse(argv)
    facts_of = _render_text if options.format == "text" else _render_json
    descriptions: list[object] = []
    findings = []
    failures = []
    for argument in options.files:
        try:
            facts, found = inspect_file(locate(argument))
        except Failure as failure:
            failures.append(str(failure))
            continue
        findings += found
        # Keep the description, and not the tree of code, which may be large.
        descriptions.append(facts_of(facts, found, with_code=options.code))
    for reason in failures:
        print_error(reason)
    if options.format == "text":
        emit("".join(map(str, descriptions)), options.output)
        code = 1 if findings else 0
    else:
        more = {"files": descriptions}
        summary = Summary(len(descriptions), f"{count(len(descriptions), 'file')} inspected")
        code = write_report(findings, NAME, options, summary=summary, more=more)
    return 2 if failures else code


def _render_text(facts: PycFacts, findings: list[Finding], *, with_code: bool) -> str:
    """Return the description of a file as text."""
    lines = to_text(facts, findings, with_code=with_code)
    return "".join([f"{escape_unprintable(line)}\n" for line in lines])


def _render_json(facts: PycFacts, findings: list[Finding], *, with_code: bool) -> object:
    """Return the element of a file in `files` of the JSON report."""
    return to_json(facts, is_well_formed=not findings, with_code=with_code)


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = report_parser(
        NAME,
        "Describe each file from its header and its code, which is not run: what wrote it, for"
        " which source, and whether Python would run it.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=non_empty, help="a path, or REV:PATH in git"
    )
    parser.add_argument("--code", action="store_true", help="add the tree of code objects")
    return parser.parse(argv)
