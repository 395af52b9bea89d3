"""Judge every bytecode file of a store."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.verifying.comparing import Comparing
from pycache_guard.verifying.outcome import Result
from pycache_guard.verifying.screening import screen
from pycache_guard.verifying.verdicts import judged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.compilers.pool import Compilers
    from pycache_guard.verifying.case import Case
    from pycache_guard.verifying.store import Store
    from pycache_guard.verifying.verdict import Verdict


class Verification(NamedTuple):
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


def verify(store: Store, compilers: Compilers) -> Verification:
    """Compare every file of `store` with its source."""
    findings: list[Finding] = []
    lines_differ: dict[str, list[str]] = {}
    levels: dict[str, int] = {}
    verified = 0
    for case in Comparing(store, compilers).run(cases(store, findings)):
        try:
            wrong = judged(case, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        findings += told(case.path, wrong, store)
        if wrong:
            continue
        if case.outcome.result is Result.LINES_DIFFER:
            lines_differ.setdefault(case.outcome.compiler, []).append(case.path)
        else:
            verified += 1
        if case.is_level_open() and case.outcome.level:
            levels[case.path] = case.outcome.level
    return Verification(
        findings, sorted(set(store.failures)), verified, lines_differ, levels, store.notes
    )


def cases(store: Store, findings: list[Finding]) -> Iterator[Case]:
    """Yield what is to be compared; put what is wrong without that into `findings`."""
    for path in store.paths():
        try:
            wrong, case = screen(path, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        findings += told(path, wrong, store)
        if case is not None:
            yield case


def told(path: str, wrong: list[Verdict], store: Store) -> list[Finding]:
    """Put verdicts into findings, with the command that mends."""
    return [
        Finding(path, verdict.rule, verdict.message, verdict.remedy or mended(path, verdict, store))
        for verdict in wrong
    ]


def mended(path: str, verdict: Verdict, store: Store) -> str | None:
    """Return what mends a verdict that does not say: Python writes a file anew that it misses."""
    return None if verdict.rule is Rule.PYC205 else store.removal(path)
