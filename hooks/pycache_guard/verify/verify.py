"""Check every bytecode file of a store."""

from __future__ import annotations

from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.verify.compare import Comparer
from pycache_guard.verify.compare import ComparisonResult
from pycache_guard.verify.verdicts import check_comparison
from pycache_guard.verify.verdicts import check_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.verify.compare import Target
    from pycache_guard.verify.stores import BytecodeStore
    from pycache_guard.verify.verdicts import Verdict


class VerifyResult:
    """The findings of a run, and its counts."""

    def __init__(self, store: BytecodeStore) -> None:
        self.findings: list[Finding] = []
        #: What could not be read, each with its path.
        self.failures: list[str] = store.failures
        #: Sentences about what the store did not check.
        self.notes: list[str] = store.notes
        #: The number of files that could be read.
        self.checked = 0
        #: The number of files that are exactly what their sources compile to.
        self.verified = 0
        #: By compiler, the files whose line tables alone differ from those of the compiler.
        self.lines_differ: dict[str, list[str]] = {}
        #: The optimization level of verified files whose names do not state it, if it is not 0.
        self.levels: dict[str, int] = {}


def verify(store: BytecodeStore, compilers: CompilerPool) -> VerifyResult:
    """Compare every file of `store` with its source."""
    result = VerifyResult(store)
    for target in Comparer(store, compilers).compare_all(iter_targets(store, result)):
        try:
            verdicts = check_comparison(target, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        result.checked += 1
        result.findings += to_findings(target.path, verdicts, store)
        if verdicts:
            continue
        if target.outcome.result is ComparisonResult.LINES_DIFFER:
            result.lines_differ.setdefault(target.outcome.compiler, []).append(target.path)
        else:
            result.verified += 1
        if target.is_level_open() and target.outcome.level:
            result.levels[target.path] = target.outcome.level
    result.failures = sorted(set(store.failures))
    return result


def iter_targets(store: BytecodeStore, result: VerifyResult) -> Iterator[Target]:
    """Yield the files to compare. Findings that need no comparison go into `result`."""
    for path in store.paths():
        try:
            verdicts, target = check_header(path, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        result.findings += to_findings(path, verdicts, store)
        if target is None:
            result.checked += 1
        else:
            yield target


def to_findings(path: str, verdicts: list[Verdict], store: BytecodeStore) -> list[Finding]:
    """Return verdicts as findings, with the commands that fix them.

    The file is removed unless the verdict has a command of its own: Python writes a missing cache again.
    """
    return [
        Finding(
            path,
            verdict.rule,
            verdict.message,
            verdict.remedy or (None if verdict.rule is Rule.PYC205 else store.remove_command(path)),
        )
        for verdict in verdicts
    ]
