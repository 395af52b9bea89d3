"""`pycache-guard lint`: the rules PYC4xx on Python source, without flake8."""

from __future__ import annotations

import gc
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat
from pycache_guard.commands._output import print_error
from pycache_guard.findings import Finding
from pycache_guard.lint import lint_source
from pycache_guard.lint.source import Unparsable

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

    from pycache_guard.python_files import SourceFile

NAME = "lint"
SUMMARY = "find unsafe uses of bytecode in Python source"
EXAMPLE = "pycache-guard lint src tests"
DOCS_PAGE = "lint.md"
POSITIONALS = "[PATH...]"
#: Files that are held in a list at a time.
BATCH_FILES = 4096
#: A process is started for so many files: runners of hooks start several programs themselves.
MIN_FILES_PER_PROCESS = 100
#: Parts of paths in templates (cookiecutter, copier), which need not parse as Python.
TEMPLATE = ("{{", "{%")


def main(argv: Sequence[str]) -> int:
    """Return 0 for no findings, 1 for findings, 2 if a file could not be read, or no file parsed.

    A file that does not parse, among others that do, is a warning: it cannot be imported either, and
    is nearly always a test fixture or a template.
    """
    from pycache_guard import python_files
    from pycache_guard.commands._output import write_report
    from pycache_guard.report import Summary, count
    from pycache_guard.scan import configured_ignores

    options = parse(argv)
    ignored = {*options.ignore, *configured_ignores()}
    sources = (
        python_files.sources_at(options.paths) if options.paths else python_files.tracked_sources()
    )
    checked = check(sources)
    findings = [finding for finding in checked.findings if finding.rule.name not in ignored]
    summary = Summary(checked.parsed, f"{count(checked.parsed, 'Python file')} checked")
    is_error = bool(checked.unreadable) or bool(checked.unparsable and not checked.parsed)
    code = write_report(
        findings, NAME, options, summary=None if is_error and not findings else summary
    )
    for line in checked.unparsable:
        print_error(line, "error" if is_error else "warning")
    for line in checked.unreadable:
        print_error(line)
    return 2 if is_error else code


class Checked(NamedTuple):
    """The result of checking sources."""

    findings: list[Finding]
    #: The number of files that were parsed, or that are templates of other files.
    parsed: int
    #: One line for each file that could not be parsed, and for each that could not be read.
    unparsable: list[str]
    unreadable: list[str]

    def join(self, other: Checked) -> Checked:
        """Return both results as one."""
        return Checked(
            self.findings + other.findings,
            self.parsed + other.parsed,
            self.unparsable + other.unparsable,
            self.unreadable + other.unreadable,
        )


def check(sources: Iterable[SourceFile]) -> Checked:
    """Lint the sources; a file that cannot be read or parsed does not hide the rest.

    They are taken in batches, so that memory does not grow with their number.
    """
    whole = Checked([], 0, [], [])
    every = iter(sources)
    while batch := [*islice(every, BATCH_FILES)]:
        for part in check_batch(batch):
            whole = whole.join(part)
    return whole


def check_batch(batch: Sequence[SourceFile]) -> list[Checked]:
    """Lint the sources of a batch in parts, in as many processes as pay; return the parts in order."""
    processes = min(compat.count_processors(), len(batch) // MIN_FILES_PER_PROCESS)
    if processes < 2 or not compat.HAS_FORK:
        return [check_files(batch)]
    from pycache_guard.commands._forks import decode_findings, encode_findings, run_slices

    def check_slice(part: Sequence[SourceFile]) -> list[object]:
        findings, *rest = check_files(part)
        return [encode_findings(findings), *rest]

    parts = run_slices(check_slice, batch, processes)
    return [Checked(decode_findings(findings), *rest) for findings, *rest in parts]


def check_files(sources: Iterable[SourceFile]) -> Checked:
    """Lint sources, one after the other."""
    findings: list[Finding] = []
    parsed = 0
    unparsable: list[str] = []
    unreadable: list[str] = []
    is_collecting = gc.isenabled()
    for source in sources:
        # A syntax tree is large and without cycles: to search it for them takes a twentieth of the time.
        gc.disable()
        try:
            findings += lint_source(source.read(), source.path)
            parsed += 1
        except Unparsable as failure:
            if any(mark in source.path for mark in TEMPLATE):
                parsed += 1
            else:
                unparsable.append(str(failure))
        except OSError as error:
            unreadable.append(f"{source.path}: {error.strerror or error}")
        finally:
            if is_collecting:
                gc.enable()
    return Checked(findings, parsed, unparsable, unreadable)


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    from pycache_guard.commands._arguments import add_ignore_option, non_empty, report_parser

    parser = report_parser(
        NAME,
        "Find Python source that makes, hides or loads bytecode unsafely: rules PYC4xx.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=non_empty,
        help="files or directories (default: every tracked Python file)",
    )
    add_ignore_option(parser)
    return parser.parse(argv)
