"""`pycache-guard check-dist`: bytecode in wheels, sdists, zips, eggs, zipapps, image archives."""

from __future__ import annotations

import os

from pycache_guard.commands._arguments import ignore_option
from pycache_guard.commands._arguments import non_empty
from pycache_guard.commands._arguments import report_parser
from pycache_guard.commands._output import print_error
from pycache_guard.commands._output import write_report
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import scan_archive
from pycache_guard.report import Summary
from pycache_guard.report import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from pycache_guard.findings import Finding

NAME = "check-dist"
SUMMARY = "find bytecode in wheels, sdists and other archives"
EXAMPLE = "pycache-guard check-dist 'dist/*'"
DOCS_PAGE = "dist.md"
POSITIONALS = "ARCHIVE..."


def main(argv: Sequence[str]) -> int:
    """Return 0 if no bytecode was found, 1 if some was, 2 if an archive could not be judged."""
    parser = report_parser(
        NAME,
        "Find bytecode in archives, by path and by content, without extracting anything.",
    )
    parser.add_argument(
        "archives",
        metavar="ARCHIVE",
        type=non_empty,
        nargs="+",
        help="wheel, sdist, zip, egg, zipapp or image archive, or a glob of them",
    )
    parser.add_argument(
        "--if-any", action="store_true", help="a glob that matches nothing is no failure"
    )
    ignore_option(parser)
    options = parser.parse(argv)
    paths = [
        path for name in options.archives for path in expand_glob(name, may_be_none=options.if_any)
    ]
    found, failures = check_archives([*dict.fromkeys(paths)])
    found = [finding for finding in found if finding.rule.name not in options.ignore]
    summary = Summary(len({*paths}), f"{count(len({*paths}), 'archive')} checked")
    code = write_report(found, NAME, options, summary=None if failures and not found else summary)
    for line in failures:
        print_error(line)
    return 2 if failures else code


def check_archives(paths: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """Return what archives ship, and what could not be judged."""
    found: list[Finding] = []
    failures: list[str] = []
    comparison = ArchiveComparer()
    try:
        for path in paths:
            try:
                findings, unjudged = scan_archive(path, comparison)
            except OSError as error:
                unjudged = [f"{path}: {error.strerror or error}{glob_hint(path, error)}"]
            else:
                found += findings
            failures += unjudged
    finally:
        comparison.close()
    return found, failures


def glob_hint(path: str, error: OSError) -> str:
    """Return what to do about a glob that matches nothing: it stands for itself here."""
    from glob import has_magic

    is_unbuilt = isinstance(error, FileNotFoundError) and has_magic(path)
    return ": build the archives first (`python -m build`)" if is_unbuilt else ""


def expand_glob(archive: str, *, may_be_none: bool) -> Iterator[str]:
    """Yield the files that an argument means: hooks run without a shell, and Windows' expand nothing.

    One that matches nothing is itself a file that is not there: nothing was built, so nothing is
    judged. Where globs `may_be_none`, as for the hook in a repository that has built nothing, it is
    left out.
    """
    if os.path.lexists(archive):
        yield archive
        return
    import glob

    matched = sorted(glob.glob(archive))
    yield from matched
    if not matched and not (may_be_none and glob.has_magic(archive)):
        yield archive
