"""Check that bytecode is ignored; what only a gap needs is imported when there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.probes import describe_advice
from pycache_guard.gitignore.fast_proof import prove_ignored

if TYPE_CHECKING:
    from pycache_guard.bytecode.probes import ProbeChoice
    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index


class IgnoreCheck(NamedTuple):
    """The result of `check-gitignore`."""

    findings: list[Finding]
    #: The number of directories checked, including the top and one that does not exist.
    directories: int
    #: One sentence about recommended lines; empty if there are findings.
    advice: str = ""


def check_gitignore(index: Index, probes: ProbeChoice) -> IgnoreCheck:
    """Check that bytecode is ignored by the rules in the index.

    Recommended lines are advice only if nothing required is missing.
    """
    proof = prove_ignored(index, index.list_entries(), lambda: probes)
    if proof is not None:
        return IgnoreCheck([], proof.directories, describe_advice(proof.advised))
    from pycache_guard.gitignore.fix import find_gaps

    return find_gaps(index, probes)
