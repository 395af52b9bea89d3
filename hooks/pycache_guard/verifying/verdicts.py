"""Put the outcome of a comparison into verdicts."""

from __future__ import annotations

from pycache_guard.bytecode.fit import Fit
from pycache_guard.bytecode.fit import Standing
from pycache_guard.bytecode.fit import fit
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.running import keeps_beside
from pycache_guard.bytecode.siphash import source_hash
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.findings import Rule
from pycache_guard.verifying.apart import flawed
from pycache_guard.verifying.apart import malformed
from pycache_guard.verifying.apart import several_names
from pycache_guard.verifying.apart import tampered
from pycache_guard.verifying.apart import unverifiable
from pycache_guard.verifying.outcome import Result
from pycache_guard.verifying.outcome import place
from pycache_guard.verifying.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.verifying.case import Case
    from pycache_guard.verifying.store import Store

_RUNS = {
    Standing.RUNS: "Python runs it",
    Standing.MAY_RUN: "Python may run it",
}


def judged(case: Case, store: Store) -> list[Verdict]:
    """Return what is wrong with a case that has its outcome. Raises `Failure`."""
    result = case.outcome.result
    fitting = fitted(case)
    if fitting.standing is Standing.STALE and not fitting.only_time:
        return [Verdict(Rule.PYC201, f"stale: {fitting.why}")]
    if case.outcome.exact:
        return []
    pyc = case.pyc or read_pyc(store.read(case.path))
    flaws = flawed(pyc)
    if flaws or result in (Result.SAME, Result.LINES_DIFFER):
        return flaws
    if result is Result.UNKNOWN:
        return malformed(pyc) or [missing(case, pyc)]
    return [differing(case, pyc, fitting)]


def fitted(case: Case) -> Fit:
    """Tell how a file fits its source, by the hash that the file's own interpreter made of it."""

    def hashed(source: bytes, magic: Magic) -> bytes | None:
        return case.digest or source_hash(source, magic)

    return fit(case.header, case.source.source, hashed)


def missing(case: Case, pyc: Pyc) -> Verdict:
    """Judge what no compiler could be asked about, or what was too much for it."""
    magic, outcome = case.header.magic, case.outcome
    if outcome.compiler:
        return unverifiable(
            pyc, f"{outcome.compiler} could not compile its source: {outcome.reason}"
        )
    who = f"{magic.implementation} {magic.version}"
    verdict = unverifiable(pyc, f"there is no {who} here with magic number {magic.number}")
    if verdict.rule is not Rule.PYC205:
        return verdict
    how = f"pycache-guard verify-bytecode --python python{magic.version}"
    return verdict._replace(remedy=how)


def differing(case: Case, pyc: Pyc, fitting: Fit) -> Verdict:
    """Judge what is not what its source compiles to."""
    outcome, source = case.outcome, case.source.path
    more = tampered(pyc)
    if outcome.difference is None:
        words = f"its source does not compile with {outcome.compiler} ({outcome.reason})"
    elif outcome.difference.field == "filename":
        words, more = several_names(file_names(pyc.code)), ""
    else:
        where = outcome.reason or f"{place(outcome.difference)} differs"
        words = f"it is not what {outcome.compiler} compiles {source} to: {where}"
    if fitting.standing is Standing.STALE:
        return Verdict(Rule.PYC201, f"stale: {fitting.why}, and {words}")
    return Verdict(Rule.PYC202, f"{words}. {why_run(case, fitting)}{more}")


def why_run(case: Case, fitting: Fit) -> str:
    """Say when Python runs a file that is not stale.

    Python 3 takes the source beside a legacy `.pyc` first, but in a zip file (`zipimport`).
    """
    if not (case.name.tag or keeps_beside(case.header.magic)):
        if case.name.suffix == ".pyo":
            return "Python 3.5 and later look for no .pyo; earlier ones run it with -O"
        return (
            f"Python runs it where the source is gone, and out of a zip file, because {fitting.why}"
        )
    return f"{_RUNS[fitting.standing]}, because {fitting.why}"
