"""`pycache-guard check-bundle`: bytecode that is shipped on purpose."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.bundle.bundles import open_bundles
from pycache_guard.bundle.check import (
    DEFAULT_MODE,
    MODES,
    Expectation,
    Repair,
    check_bundle,
    find_target,
)
from pycache_guard.bundle.judge import State, judge
from pycache_guard.bundle.proof import Compilers
from pycache_guard.bundle.target import is_version, target_of_interpreter, target_of_version
from pycache_guard.bundle.tree import DiskTree
from pycache_guard.commands._arguments import add_ignore_option, non_empty, report_parser
from pycache_guard.commands._output import print_error, write_report
from pycache_guard.errors import Failure
from pycache_guard.report import Summary
from pycache_guard.report.json import path_fields
from pycache_guard.scan import configured_ignores

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from pycache_guard.bundle.bundles import Bundle
    from pycache_guard.bundle.check import BundleResult
    from pycache_guard.bundle.judge import ModuleVerdict, StrayFile
    from pycache_guard.findings import Finding

NAME = "check-bundle"
SUMMARY = "check bytecode that is shipped on purpose"
EXAMPLE = "pycache-guard check-bundle build/ --python 3.13 --expect unchecked-hash"
DOCS_PAGE = "bundle.md"
POSITIONALS = "PATH..."
EXIT_CODES = ("no findings", "findings, or --fix changed a file", "error")


def main(argv: Sequence[str]) -> int:
    """Return 0 for no findings, 1 for findings, 2 if a bundle could not be checked to its end."""
    options = parse(argv)
    ignored = {*options.ignore, *configured_ignores()}
    is_executable = options.python is not None and not is_version(options.python)
    compilers = Compilers([options.python] if is_executable else [])
    results: list[BundleResult] = []
    failures: list[str] = []
    findings: list[Finding] = []
    try:
        target = None
        if is_executable:
            target = target_of_interpreter(options.python, compilers.pool.named_interpreters()[0])
        elif options.python is not None:
            target = target_of_version(options.python)
        expected = Expectation(
            target, options.level, options.expect, options.read_only, options.python
        )
        repair = None
        if options.fix:
            repair = Repair(options.expect or DEFAULT_MODE, options.destination)
        for path in dict.fromkeys(path.replace(os.sep, "/") for path in options.paths):
            try:
                fixed = fix_path(path, expected, repair, compilers) if repair else []
                with open_bundles(path, has_zipimport=options.zipimport) as bundles:
                    for bundle in bundles:
                        check_one(bundle, expected, compilers, results, failures)
                findings += fixed
            except Failure as failure:
                failures.append(str(failure))
            except OSError as error:
                failures.append(f"{path}: {error.strerror or error}")
    finally:
        compilers.close()
    findings += [finding for result in results for finding in result.findings]
    findings = [finding for finding in findings if finding.rule.name not in ignored]
    return report(results, findings, failures, options)


def check_one(
    bundle: Bundle,
    expected: Expectation,
    compilers: Compilers,
    results: list[BundleResult],
    failures: list[str],
) -> None:
    """Check a bundle, and add to the results and failures of the run."""
    try:
        results.append(check_bundle(bundle, expected, compilers))
    except Failure as failure:
        # Where nothing could be read, this is the reason.
        failures += bundle.tree.failures or [str(failure)]
    else:
        failures += bundle.tree.failures


def fix_path(
    path: str, expected: Expectation, repair: Repair, compilers: Compilers
) -> list[Finding]:
    """Repair the directory at a path, and return what was done. Raises `Failure` and `OSError`."""
    os.stat(path)
    if not os.path.isdir(path):
        raise Failure(
            f"{path}: is an archive, which --fix does not change; unpack it, or go to the directory that"
            " it was made of, run `pycache-guard check-bundle --fix DIRECTORY`, and pack it again"
        )
    from pycache_guard.bundle.fix import fix_directory  # 30 ms

    tree = DiskTree(path)
    target = expected.target or find_target(path, tree)
    judgement = judge(tree, target, expected.level)
    done = fix_directory(tree, target, expected.level, judgement, repair, compilers)
    failed = [failure for failure in tree.failures if failure not in DiskTree(path).failures]
    if failed:
        raise Failure("; ".join(dict.fromkeys(failed)))
    return done


def report(
    results: list[BundleResult], findings: list[Finding], failures: list[str], options: Namespace
) -> int:
    """Write findings, failures and what was checked; return the exit code."""
    summary = None
    if results and (findings or not failures or options.format != "text"):
        named = len(results) > 1
        checked = sum(len(result.judgement.modules) for result in results)
        text = "; ".join(
            (f"{result.path}: " if named else "") + result.summarize() for result in results
        )
        summary = Summary(checked, text, tuple(note for result in results for note in result.notes))
    more = details(results) if options.format == "json" else None
    code = write_report(findings, NAME, options, summary=summary, more=more)
    for line in dict.fromkeys(failures):
        print_error(line)
    return 2 if failures else code


def details(results: list[BundleResult]) -> dict[str, object]:
    """Return the keys that only this command's JSON report has."""
    return {
        "bundles": [
            {
                **path_fields(result.path),
                "target": result.target.title,
                "tag": result.target.tag,
                "level": result.level,
                "read_only": result.is_read_only,
                "modules": len(result.judgement.modules),
                **{state.name.lower(): result.number(state) for state in State},
                "other_levels": result.judgement.other_levels,
            }
            for result in results
        ],
        "modules": [
            describe_module(result, module)
            for result in results
            for module in result.judgement.modules
        ],
        "other_bytecode": [
            describe_stray(result, stray) for result in results for stray in result.judgement.strays
        ],
    }


def describe_module(result: BundleResult, module: ModuleVerdict) -> dict[str, object]:
    """Return the element of a module."""
    bytecode = None if module.bytecode is None else result.tree.show(module.bytecode)
    return {
        "bundle": path_fields(result.path)["path"],
        **path_fields(result.tree.show(module.path)),
        "bytecode": path_fields(bytecode)["path"],
        "state": module.state.value,
        "cause": module.cause or None,
        "reason": module.why or None,
        "mode": module.mode or None,
        "rewritten": module.is_compiled and not result.is_read_only,
        "compiled_at_every_start": module.is_compiled and result.is_read_only,
    }


def describe_stray(result: BundleResult, stray: StrayFile) -> dict[str, object]:
    """Return the element of bytecode that belongs to no module of the target."""
    return {
        "bundle": path_fields(result.path)["path"],
        **path_fields(result.tree.show(stray.path)),
        "code": stray.rule.name,
        "cause": stray.cause,
        "reason": stray.why,
    }


def parse(argv: Sequence[str]) -> Namespace:
    """Read the arguments."""
    parser = report_parser(
        NAME,
        "Check whether the target Python will use the bytecode that a bundle ships.",
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        type=non_empty,
        nargs="+",
        help="directory, zip, wheel, tar, zipapp or image archive",
    )
    parser.add_argument(
        "--python",
        metavar="TARGET",
        type=non_empty,
        help="3.13, or an executable (default: what most files are for)",
    )
    parser.add_argument(
        "--level",
        metavar="N",
        type=level,
        default=0,
        help="optimization level: 0 (default), 1 or 2",
    )
    parser.add_argument(
        "--expect",
        metavar="MODE",
        choices=MODES,
        help="timestamp, checked-hash or unchecked-hash",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="Python cannot write into the bundle"
    )
    parser.add_argument(
        "--zipimport", action="store_true", help="Python imports from the zip file itself"
    )
    parser.add_argument("--fix", action="store_true", help="compile what a directory lacks")
    parser.add_argument(
        "--destination", metavar="DIR", type=non_empty, help="path that --fix writes into the code"
    )
    add_ignore_option(parser)
    options = parser.parse(argv)
    if options.destination and not options.fix:
        raise Failure("--destination is for --fix")
    return options


def level(text: str) -> int:
    """Return an optimization level. Raises `Failure`."""
    text = non_empty(text)
    if text not in ("0", "1", "2"):
        raise Failure(f"--level {text}: must be 0, 1 or 2")
    return int(text)
