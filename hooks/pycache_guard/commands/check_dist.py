"""`pycache-guard check-dist`: bytecode in wheels, sdists, zips, eggs, zipapps, image archives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.commands._arguments import add_ignore_option, non_empty, report_parser
from pycache_guard.commands._output import print_error, write_report
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import scan_archive
from pycache_guard.report import Summary, count
from pycache_guard.scan import configured_ignores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycache_guard.findings import Finding

NAME = "check-dist"
SUMMARY = "find bytecode in wheels, sdists and other archives"
EXAMPLE = "pycache-guard check-dist 'dist/*'"
DOCS_PAGE = "dist.md"
POSITIONALS = "ARCHIVE..."


def main(argv: Sequence[str]) -> int:
    """Return 0 for no findings, 1 for findings, 2 if an archive could not be checked to its end."""
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
        "--if-any", action="store_true", help="exit with 0 if a glob matches no file"
    )
    add_ignore_option(parser)
    options = parser.parse(argv)
    paths = [
        path for name in options.archives for path in expand_glob(name, may_be_none=options.if_any)
    ]
    ignored = {*options.ignore, *configured_ignores()}
    checked = check_archives([*dict.fromkeys(paths)])
    findings = [finding for finding in checked.findings if finding.rule.name not in ignored]
    is_clean = not findings and not checked.failures
    summary = checked.summarize() if findings or is_clean else None
    code = write_report(findings, NAME, options, summary=summary)
    for line in checked.failures:
        print_error(line)
    return 2 if checked.failures else code


class CheckedArchives(NamedTuple):
    """The result of `check_archives`."""

    findings: list[Finding]
    #: One line for each archive, or member of one, that could not be checked.
    failures: list[str]
    #: The numbers of archives that were checked to their end, and of all others.
    complete: int
    incomplete: int

    def summarize(self) -> Summary:
        """Return what was checked, and how many archives were not checked to their end."""
        text = f"{count(self.complete, 'archive')} checked"
        if self.incomplete:
            text += f", {self.incomplete:,} not checked to the end"
        return Summary(self.complete, text)


def check_archives(paths: Sequence[str]) -> CheckedArchives:
    """Check archives; one that cannot be read does not hide the others."""
    found: list[Finding] = []
    failures: list[str] = []
    incomplete = 0
    comparison = ArchiveComparer()
    try:
        for path in paths:
            try:
                findings, unchecked = scan_archive(path, comparison)
            except OSError as error:
                unchecked = [f"{path}: {error.strerror or error}{glob_hint(path)}"]
            else:
                found += findings
            failures += unchecked
            incomplete += bool(unchecked)
    finally:
        comparison.close()
    return CheckedArchives(found, failures, len(paths) - incomplete, incomplete)


def glob_hint(path: str) -> str:
    """Return what to do about `path` if it is a glob that matches no file; else an empty string.

    Windows reports a `*` in a name as an invalid name, not as a missing file.
    """
    from glob import has_magic

    is_unbuilt = has_magic(path) and not os.path.lexists(path)
    return ": build the archives first (`python -m build`)" if is_unbuilt else ""


def expand_glob(archive: str, *, may_be_none: bool) -> Iterator[str]:
    """Yield the files that an argument names, with `/` on every system.

    Hooks run without a shell, and Windows shells expand no globs. A glob that matches no file is
    yielded as it is, so that reading it fails, unless `may_be_none`: the hook runs in repositories
    that have built nothing.
    """
    if os.path.lexists(archive):
        yield archive.replace(os.sep, "/")
        return
    import glob

    matched = sorted(glob.glob(archive))
    yield from (path.replace(os.sep, "/") for path in matched)
    if not matched and not (may_be_none and glob.has_magic(archive)):
        yield archive
