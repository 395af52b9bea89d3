"""Judge every bytecode file of a store."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.verify.compare import Comparer
from pycache_guard.verify.compare import ComparisonResult
from pycache_guard.verify.judge import check_header
from pycache_guard.verify.judge import judge_comparison

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.verify.compare import Target
    from pycache_guard.verify.judge import Verdict
    from pycache_guard.verify.stores import BytecodeStore


class VerifyResult(NamedTuple):
    """What came of it."""

    findings: list[Finding]
    #: What could not be read, each with its path.
    failures: list[str]
    #: How many files are exactly what their sources compile to.
    verified: int
    #: By compiler, the files that differ from what it makes of their sources in line tables alone.
    lines_differ: dict[str, list[str]]
    #: The optimization level of verified files whose names leave it open, where it is not 0.
    levels: dict[str, int]
    #: What the store did not look at.
    notes: list[str]


def verify(store: BytecodeStore, compilers: CompilerPool) -> VerifyResult:
    """Compare every file of `store` with its source."""
    findings: list[Finding] = []
    lines_differ: dict[str, list[str]] = {}
    levels: dict[str, int] = {}
    verified = 0
    for case in Comparer(store, compilers).compare_all(iter_targets(store, findings)):
        try:
            wrong = judge_comparison(case, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        findings += to_findings(case.path, wrong, store)
        if wrong:
            continue
        if case.outcome.result is ComparisonResult.LINES_DIFFER:
            lines_differ.setdefault(case.outcome.compiler, []).append(case.path)
        else:
            verified += 1
        if case.is_level_open() and case.outcome.level:
            levels[case.path] = case.outcome.level
    return VerifyResult(
        findings, sorted(set(store.failures)), verified, lines_differ, levels, store.notes
    )


def iter_targets(store: BytecodeStore, findings: list[Finding]) -> Iterator[Target]:
    """Yield what is to be compared; put what is wrong without that into `findings`."""
    for path in store.paths():
        try:
            wrong, case = check_header(path, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        findings += to_findings(path, wrong, store)
        if case is not None:
            yield case


def to_findings(path: str, wrong: list[Verdict], store: BytecodeStore) -> list[Finding]:
    """Put verdicts into findings, with the command that mends."""
    return [
        Finding(
            path,
            verdict.rule,
            verdict.message,
            verdict.remedy or _fix_command(path, verdict, store),
        )
        for verdict in wrong
    ]


def _fix_command(path: str, verdict: Verdict, store: BytecodeStore) -> str | None:
    """Return what mends a verdict that does not say: Python writes a file anew that it misses."""
    return None if verdict.rule is Rule.PYC205 else store.remove_command(path)
