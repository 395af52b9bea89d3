"""`pycache-guard lint`: the rules PYC4xx on Python source, without flake8."""

from __future__ import annotations

from pycache_guard.commands.failures import tell
from pycache_guard.errors import Failure
from pycache_guard.lint import lint_source
from pycache_guard.lint.source import Unparsable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable
    from collections.abc import Sequence

    from pycache_guard.findings import Finding
    from pycache_guard.python_files import Source

NAME = "lint"


def main(argv: Sequence[str]) -> int:
    """Return 0 if nothing was found, 1 if something was, 2 if a source could not be judged."""
    from pycache_guard import python_files
    from pycache_guard.commands.reporting import report

    options = parse(argv)
    sources = python_files.named(options.paths) if options.paths else python_files.tracked()
    findings, failures = judge(sources)
    code = report(findings, NAME, voice=options.format, output=options.output)
    for failure in failures:
        tell(str(failure))
    return 2 if failures else code


def judge(sources: Iterable[Source]) -> tuple[list[Finding], list[Failure]]:
    """Return what is to be said of the sources, and of those that could not be read or parsed."""
    findings: list[Finding] = []
    failures: list[Failure] = []
    for source in sources:
        try:
            findings += lint_source(source.read(), source.path)
        except Unparsable as failure:
            failures.append(failure)
        except OSError as error:
            failures.append(Failure(f"{source.path}: {error.strerror or error}"))
    return findings, failures


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    from pycache_guard.commands.arguments import filled
    from pycache_guard.commands.arguments import reporting_parser

    parser = reporting_parser(
        NAME,
        "Find Python source that makes, hides or loads bytecode unsafely: rules PYC4xx.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=filled,
        help="files or directories (default: every tracked Python file)",
    )
    return parser.read(argv)
