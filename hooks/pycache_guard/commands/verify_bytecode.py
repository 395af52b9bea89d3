"""`pycache-guard verify-bytecode`: tell whether bytecode comes from its sources."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.report import Summary
    from pycache_guard.verify.stores import BytecodeStore
    from pycache_guard.verify.verify import VerifyResult

NAME = "verify-bytecode"
SUMMARY = "check whether bytecode comes from its source"
EXAMPLE = "pycache-guard verify-bytecode --tracked"
DOCS_PAGE = "verify.md"
POSITIONALS = "[PATH...]"


def main(argv: Sequence[str]) -> int:
    """Return 0 if every file is what its source compiles to, 1 if not, 2 for one that is unreadable."""
    if list(argv) == ["--tracked"] and not has_tracked_bytecode():
        return 0
    options = parse(argv)
    from pycache_guard.scan import configured_ignores

    ignored = {*options.ignore, *configured_ignores(options.config_from)}
    found = run_verification(make_store(options), options.python)
    findings = [finding for finding in found.findings if finding.rule.name not in ignored]
    from pycache_guard.commands._output import print_error
    from pycache_guard.commands._output import write_report

    for note in line_table_notes(found):
        print_error(note, "note")
    for failure in found.failures:
        print_error(failure)
    more = {
        "verified": found.verified,
        "lines_differ": sum(map(len, found.lines_differ.values())),
        "other_lines": found.lines_differ,
        "levels": found.levels,
    }
    code = write_report(findings, NAME, options, summary=summarize(found), more=more)
    return 2 if found.failures else code


def summarize(found: VerifyResult) -> Summary:
    """Return what was checked, in numbers."""
    from pycache_guard.report import Summary
    from pycache_guard.report import count

    lines_differ = sum(map(len, found.lines_differ.values()))
    text = f"{count(found.verified, 'bytecode file')} verified"
    if lines_differ:
        text += f", {count(lines_differ, 'file')} with other line numbers"
    return Summary(found.verified + lines_differ + len(found.findings), text)


def has_tracked_bytecode() -> bool:
    """Whether there is anything to verify: most often not, where this is a hook."""
    from pycache_guard.git.index import Index
    from pycache_guard.scan import Unread
    from pycache_guard.scan import examined
    from pycache_guard.scan import records_to_check

    named, files, attributes = records_to_check(Index(), "new", Unread())
    contents = examined(files, attributes, Unread())
    return bool(named or contents.held or contents.converted)


def run_verification(where: BytecodeStore, named: Sequence[str]) -> VerifyResult:
    """Verify what is in a store."""
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.verify.verify import verify

    compilers = CompilerPool(named)
    try:
        return verify(where, compilers)
    finally:
        compilers.close()


def make_store(options: Namespace) -> BytecodeStore:
    """Return what the arguments name."""
    if options.tracked:
        from pycache_guard.git.index import Index
        from pycache_guard.verify.stores import IndexStore

        return IndexStore(Index(), options.paths)
    from pycache_guard.verify.stores import DiskStore

    return DiskStore(options.paths or ["."])


def line_table_notes(found: VerifyResult) -> list[str]:
    """Return sentences about files that are no findings, and not simply verified either.

    By compiler, those that differ from what it makes of their sources in line tables alone; by level,
    those whose names do not state that they were compiled with -O or -OO.
    """
    by_level: dict[int, list[str]] = {}
    for path, level in found.levels.items():
        by_level.setdefault(level, []).append(path)
    return [
        *found.notes,
        *(
            f"{count(paths, 'differs', 'differ')} from what {compiler} compiles in line tables alone,"
            f" as with other patch levels, and {'is' if len(paths) == 1 else 'are'} not counted as"
            f" verified: {some(paths)}"
            for compiler, paths in sorted(found.lines_differ.items())
        ),
        *(
            f"{count(paths, 'is', 'are')} what the source compiles to with -{'O' * level} (optimization"
            f" level {level}), which the name does not state: {some(paths)}"
            for level, paths in sorted(by_level.items())
        ),
    ]


def count(paths: list[str], one: str, many: str) -> str:
    """Return the number of files with a verb: `1 file is`."""
    return f"1 file {one}" if len(paths) == 1 else f"{len(paths)} files {many}"


def some(paths: list[str]) -> str:
    """Return the first of some paths."""
    return paths[0] + (", …" if len(paths) > 1 else "")


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    from pycache_guard.commands._arguments import config_option
    from pycache_guard.commands._arguments import ignore_option
    from pycache_guard.commands._arguments import non_empty
    from pycache_guard.commands._arguments import report_parser

    parser = report_parser(
        NAME,
        "Have the matching interpreters compile, never run, the source of each bytecode file, and"
        " compare. What cannot be compared is a finding.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=non_empty,
        help="files or directories (default: the current directory)",
    )
    parser.add_argument(
        "--tracked",
        action="store_true",
        help="only what git tracks, as the index has it",
    )
    parser.add_argument(
        "--python",
        metavar="EXE",
        type=non_empty,
        action="append",
        default=[],
        help="an interpreter to use before those found; repeatable",
    )
    ignore_option(parser)
    parser.add_argument(
        "--allow-unverifiable",
        dest="ignore",
        action="append_const",
        const="PYC205",
        help="the same as --ignore PYC205: do not report files that cannot be compared",
    )
    config_option(parser)
    return parser.parse(argv)
