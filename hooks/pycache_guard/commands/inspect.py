"""`pycache-guard inspect`: tell what bytecode files are."""

from __future__ import annotations

from pycache_guard.commands.arguments import filled
from pycache_guard.commands.arguments import reporting_parser
from pycache_guard.commands.reporting import complain
from pycache_guard.commands.reporting import deliver
from pycache_guard.commands.reporting import report
from pycache_guard.errors import Failure
from pycache_guard.examining.examine import examine
from pycache_guard.examining.places import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.examining.examine import Facts
    from pycache_guard.findings import Finding

    Examined = list[tuple[Facts, list[Finding]]]

NAME = "inspect"


def main(argv: Sequence[str]) -> int:
    """Return 0 if every file is well-formed, 1 if not, 2 if one cannot be read."""
    options = parse(argv)
    examined: Examined = []
    failures = []
    for argument in options.files:
        try:
            examined.append(examine(place(argument)))
        except Failure as failure:
            failures.append(str(failure))
    complain(failures)
    code = tell(examined, options)
    return 2 if failures else code


def tell(examined: Examined, options: Namespace) -> int:
    """Report facts and findings, each file in its turn for people."""
    findings = [finding for _, found in examined for finding in found]
    if options.format == "text":
        from pycache_guard.examining.as_text import as_text
        from pycache_guard.report.escape import shown

        lines = [
            f"{shown(line)}\n"
            for facts, found in examined
            for line in as_text(facts, found, with_code=options.code)
        ]
        deliver("".join(lines), options.output)
        return 1 if findings else 0
    from pycache_guard.examining.as_json import as_json

    files = [
        as_json(facts, is_well_formed=not found, with_code=options.code)
        for facts, found in examined
    ]
    more = {"files": files}
    return report(findings, NAME, voice=options.format, output=options.output, more=more)


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = reporting_parser(
        NAME,
        "Tell what each file is, from its header and an inert reading of its code: who wrote it, for"
        " which source, and whether Python would run it.",
        "pycache-guard inspect HEAD:pkg/__pycache__/a.cpython-313.pyc",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=filled, help="a path, or REV:PATH in git"
    )
    parser.add_argument("--code", action="store_true", help="add the tree of code objects")
    return parser.parse_args(argv)
