"""`pycache-guard verify-bytecode`: check whether bytecode comes from its sources."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.bytecode.stores import BytecodeStore
    from pycache_guard.report import Summary
    from pycache_guard.verify.check import VerifyResult

NAME = "verify-bytecode"
SUMMARY = "check whether bytecode comes from its source"
EXAMPLE = "pycache-guard verify-bytecode --tracked"
DOCS_PAGE = "verify.md"
POSITIONALS = "[PATH...]"
#: What the hook reports in most repositories.
NO_TRACKED_BYTECODE = "no bytecode file is tracked"


def main(argv: Sequence[str]) -> int:
    """Return 0 if every file is what its source compiles to, 1 if not, 2 if a file cannot be read."""
    if list(argv) == ["--tracked"] and not has_tracked_bytecode():
        from pycache_guard.commands import print_safely

        print_safely(f"OK: {NO_TRACKED_BYTECODE}.\n")
        return 0
    options = parse(argv)
    from pycache_guard.scan import configured_ignores

    ignored = {*options.ignore, *configured_ignores(options.config_from)}
    result = run_verification(make_store(options), options.python)
    return report(result, ignored, options)


def report(result: VerifyResult, ignored: set[str], options: Namespace) -> int:
    """Write findings, failures and what was checked; return the exit code."""
    from pycache_guard.commands._output import print_error, write_report

    findings = [finding for finding in result.findings if finding.rule.name not in ignored]
    summary = summarize(result, options)
    # An OK line means that everything was checked.
    has_ok_line = not result.failures or bool(findings) or options.format != "text"
    if not options.quiet and not (has_ok_line and options.format in ("text", "json")):
        for note in summary.notes:
            print_error(note, "note")
    for failure in result.failures:
        print_error(failure)
    more = {
        "verified": result.verified,
        "lines_differ": sum(map(len, result.lines_differ.values())),
        "other_lines": result.lines_differ,
        "layout_differs": sum(map(len, result.layout_differs.values())),
        "other_layout": result.layout_differs,
        "levels": result.levels,
    }
    code = write_report(
        findings, NAME, options, summary=summary if has_ok_line else None, more=more
    )
    return 2 if result.failures else code


def summarize(result: VerifyResult, options: Namespace) -> Summary:
    """Return what was checked, in numbers, and notes about files that are not simply verified."""
    from pycache_guard.report import Summary, count

    checked, verified = result.checked, result.verified
    if not checked:
        nothing = "no bytecode file found"
        if options.tracked:
            nothing = NO_TRACKED_BYTECODE + " below the given paths" * bool(options.paths)
        return Summary(0, nothing, (*notes(result),))
    text = f"{count(checked, 'bytecode file')} verified"
    if verified != checked:
        text = f"{verified:,} of {text}"
    lines_differ = sum(map(len, result.lines_differ.values()))
    if lines_differ:
        text += f", {count(lines_differ, 'file')} with other line tables"
    layout_differs = sum(map(len, result.layout_differs.values()))
    if layout_differs:
        text += f", {count(layout_differs, 'file')} with the same instructions in another order"
    return Summary(checked, text, (*notes(result),))


def has_tracked_bytecode() -> bool:
    """Return whether the index has anything to verify. In a hook it usually has not."""
    from pycache_guard.git.index import Index
    from pycache_guard.scan import Unread, examine_contents, records_to_check

    named, files, attributes = records_to_check(Index(), "new", Unread())
    contents = examine_contents(files, attributes, Unread())
    return bool(named or contents.held or contents.converted)


def run_verification(store: BytecodeStore, named: Sequence[str]) -> VerifyResult:
    """Verify every file of a store; `named` are the interpreters of `--python`."""
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.verify.check import verify

    compilers = CompilerPool(named)
    try:
        return verify(store, compilers)
    finally:
        compilers.close()


def make_store(options: Namespace) -> BytecodeStore:
    """Return the store of the files that the arguments name."""
    if options.tracked:
        from pycache_guard.git.index import Index
        from pycache_guard.verify.stores import IndexStore

        return IndexStore(Index(), options.paths)
    from pycache_guard.verify.stores import DiskStore

    return DiskStore(options.paths or ["."])


def notes(result: VerifyResult) -> list[str]:
    """Return sentences about files that are neither findings nor simply verified.

    By compiler, the files whose line tables or order of instructions alone differ; by level, the verified files whose names do
    not state their optimization level; and what the store did not check.
    """
    by_level: dict[int, list[str]] = {}
    for path, level in result.levels.items():
        by_level.setdefault(level, []).append(path)
    return [
        *result.notes,
        *(
            f"{show_files(paths, 'differs', 'differ')} only in line tables from what {compiler} compiles,"
            " as with another patch level, and"
            f" {'is' if len(paths) == 1 else 'are'} not counted as verified."
            for compiler, paths in sorted(result.lines_differ.items())
        ),
        *(
            f"{show_files(paths, 'executes', 'execute')} the same instructions as what {compiler} compiles,"
            " but not stored in the same order, as with another patch level, and"
            f" {'is' if len(paths) == 1 else 'are'} not counted as verified."
            for compiler, paths in sorted(result.layout_differs.items())
        ),
        *(
            f"{show_files(paths, 'is', 'are')} what the source compiles to with -{'O' * level}"
            f" (optimization level {level}); the name does not state the level."
            for level, paths in sorted(by_level.items())
        ),
    ]


def show_files(paths: list[str], one: str, many: str) -> str:
    """Return the number of files, the first path, and a verb: `2 files (a.pyc, …) are`."""
    if len(paths) == 1:
        return f"1 file ({paths[0]}) {one}"
    return f"{len(paths):,} files ({paths[0]}, …) {many}"


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    from pycache_guard.commands._arguments import (
        add_config_option,
        add_ignore_option,
        add_python_option,
        non_empty,
        report_parser,
    )

    parser = report_parser(
        NAME,
        "Check that each bytecode file is what its source compiles to. The matching interpreter compiles"
        " the source and never runs it. A file that cannot be compared is a finding.",
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
        help="check tracked files, with the contents in the index",
    )
    add_python_option(parser, "an interpreter")
    add_ignore_option(parser)
    parser.add_argument(
        "--allow-unverifiable",
        dest="ignore",
        action="append_const",
        const="PYC205",
        help="the same as --ignore PYC205: do not report files that cannot be compared",
    )
    add_config_option(parser)
    return parser.parse(argv)
