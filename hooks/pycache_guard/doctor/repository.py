"""How the repository stands: ignored, tracked, guarded."""

from __future__ import annotations

from pycache_guard.doctor.fact import Diagnosis
from pycache_guard.doctor.fact import Fact
from pycache_guard.doctor.fact import joined
from pycache_guard.doctor.guards import STAGES
from pycache_guard.doctor.guards import guards
from pycache_guard.doctor.state import paths_of
from pycache_guard.git.hooks import installed
from pycache_guard.git.index import Index
from pycache_guard.ignoring.complete import prove
from pycache_guard.ignoring.docker_complete import Proof
from pycache_guard.survey import judge
from pycache_guard.survey import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding

PROBES = ("cache", "legacy")


def described(top: str) -> Diagnosis:
    """Prove that bytecode is ignored, look for some in the index, and at the hooks."""
    index = Index()
    config = settings(index)
    kinds = config.probes if config else PROBES
    open_ = prove(index, kinds)
    tracked = judge(index)
    builds = in_builds(index, kinds)
    hooks = guards(installed(STAGES), top)
    own = Diagnosis([ignored(open_), in_index(tracked)], [*open_, *tracked])
    return joined([own, builds, hooks])


def ignored(findings: list[Finding]) -> Fact:
    """Tell what the proof of `check-gitignore` said."""
    return Fact(
        "repository",
        "bytecode is ignored",
        "not everywhere" if findings else "yes, wherever Python can put some",
        "Only rules that are tracked count, for they hold for everybody, and yours do not;"
        " to complete them: `pycache-guard check-gitignore --fix`.",
        not findings,
    )


def in_index(findings: list[Finding]) -> Fact:
    """Tell what `forbid-bytecode` said."""
    count = len({finding.path for finding in findings})
    return Fact(
        "repository",
        "bytecode is tracked",
        paths_of(count) if count else "no",
        "A file that is tracked stays so when it is ignored; to untrack: `pycache-guard fix`.",
        count,
    )


def in_builds(index: Index, kinds: Sequence[str]) -> Diagnosis:
    """Tell what the proof of `check-dockerignore` says of each build."""
    proof = Proof(index, kinds)
    builds = proof.builds([])
    findings, failures = proof.each(builds, proof.prove)
    count = f"of {len(builds)} build{'s' * (len(builds) != 1)}"
    fact = Fact(
        "repository",
        "bytecode in a Docker context",
        f"yes, {count}" if findings else f"in none {count}" if builds else "nothing is built",
        "Docker reads .dockerignore only, by rules of its own, and sends what it does not exclude;"
        " to complete it: `pycache-guard check-dockerignore --fix`.",
        {"builds": len(builds), "open": bool(findings)},
    )
    return Diagnosis([fact], findings, failures)
