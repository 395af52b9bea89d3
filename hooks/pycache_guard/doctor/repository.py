"""How the repository stands: ignored, tracked, guarded."""

from __future__ import annotations

from pycache_guard.bytecode.probes import ProbeChoice
from pycache_guard.bytecode.probes import choose_probes
from pycache_guard.dockerignore.check import DockerignoreChecker
from pycache_guard.doctor.fact import DoctorReport
from pycache_guard.doctor.fact import Fact
from pycache_guard.doctor.fact import merge
from pycache_guard.doctor.guards import STAGES
from pycache_guard.doctor.guards import check_hooks
from pycache_guard.doctor.state import count_paths
from pycache_guard.errors import Failure
from pycache_guard.git.hooks import configured_hooks
from pycache_guard.git.hooks import hooks_dir
from pycache_guard.git.hooks import installed_hooks
from pycache_guard.git.index import Index
from pycache_guard.gitignore.fix import check_gitignore
from pycache_guard.scan import load_config
from pycache_guard.scan import scan_tracked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.findings import Finding


def describe_repository(top: str) -> DoctorReport:
    """Prove that bytecode is ignored, look for some in the index, and check the hooks.

    What fails is among the failures; the other parts are reported.
    """
    index = Index()
    failures: list[str] = []
    probes = ProbeChoice()
    try:
        config = load_config(index)
        probes = choose_probes(None, config and config.probes, strict=False)
    except Failure as failure:
        failures.append(str(failure))
    steps: tuple[Callable[[], DoctorReport], ...] = (
        lambda: check_ignored(index, probes),
        lambda: check_tracked(index),
        lambda: in_builds(index, probes),
        lambda: check_hooks(installed_hooks(STAGES), top, hooks_dir(), configured_hooks(STAGES)),
    )
    parts = []
    for step in steps:
        try:
            parts.append(step())
        except Failure as failure:
            failures.append(str(failure))
    return merge([*parts, DoctorReport([], [], [*dict.fromkeys(failures)])])


def described_without_git(top: str) -> DoctorReport:
    """Return what the files of the work tree tell of hooks: which are configured."""
    facts = check_hooks({}, top).facts
    return DoctorReport([fact for fact in facts if fact.name == "configured"], [])


def check_ignored(index: Index, probes: ProbeChoice) -> DoctorReport:
    """Return what the proof of `check-gitignore` finds."""
    check = check_gitignore(index, probes)
    return DoctorReport([ignored(check.findings, check.advice)], check.findings)


def check_tracked(index: Index) -> DoctorReport:
    """Return what `forbid-bytecode` finds."""
    findings = scan_tracked(index)
    return DoctorReport([in_index(findings)], findings)


def ignored(findings: list[Finding], advice: str) -> Fact:
    """Return whether bytecode is ignored."""
    return Fact(
        "repository",
        "bytecode is ignored",
        "not everywhere" if findings else "yes, wherever Python can put some",
        "Only tracked ignore files count: your own excludes do not protect others. To add the missing"
        " lines: `pycache-guard check-gitignore --fix`."
        if findings
        else advice,
        not findings,
    )


def in_index(findings: list[Finding]) -> Fact:
    """Return whether bytecode is tracked."""
    count = len({finding.path for finding in findings})
    return Fact(
        "repository",
        "bytecode is tracked",
        count_paths(count) if count else "no",
        "A tracked file stays tracked when it is ignored. To untrack it: `pycache-guard fix`."
        if count
        else "",
        count,
    )


def in_builds(index: Index, probes: ProbeChoice) -> DoctorReport:
    """Return what the proof of `check-dockerignore` finds for each build."""
    proof = DockerignoreChecker(index, probes)
    builds = proof.builds([])
    findings, failures = proof.for_each_build(builds, proof.check)
    count = f"of {len(builds)} build{'s' * (len(builds) != 1)}"
    fact = Fact(
        "repository",
        "bytecode in a Docker context",
        f"yes, {count}" if findings else f"in none {count}" if builds else "nothing is built",
        "Docker reads .dockerignore, not .gitignore, and sends what it does not exclude. To add the"
        " missing lines: `pycache-guard check-dockerignore --fix`."
        if findings
        else "",
        {"builds": len(builds), "open": bool(findings)},
    )
    return DoctorReport([fact], findings, failures)
