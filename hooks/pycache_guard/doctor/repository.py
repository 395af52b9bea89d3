"""Whether the repository ignores, tracks and refuses bytecode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.bytecode.probes import ProbeChoice, choose_probes
from pycache_guard.dockerignore.check import DockerignoreChecker
from pycache_guard.doctor.guards import STAGES, check_hooks
from pycache_guard.doctor.report import DoctorReport, Fact, merge_reports
from pycache_guard.doctor.state import count_paths
from pycache_guard.errors import Failure
from pycache_guard.git.hooks import configured_hooks, hooks_dir, installed_hooks
from pycache_guard.git.index import Index
from pycache_guard.gitignore.check import check_gitignore
from pycache_guard.scan import load_config, scan_tracked

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.findings import Finding


def describe_repository(top: str) -> DoctorReport:
    """Check the ignore files, the index, Docker builds and the hooks.

    A part that fails is among the failures; the others are reported.
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
        lambda: check_builds(index, probes),
        lambda: check_hooks(installed_hooks(STAGES), top, hooks_dir(), configured_hooks(STAGES)),
    )
    parts = []
    for step in steps:
        try:
            parts.append(step())
        except Failure as failure:
            failures.append(str(failure))
    return merge_reports([*parts, DoctorReport([], [], [*dict.fromkeys(failures)])])


def describe_without_git(top: str) -> DoctorReport:
    """Return the configured hooks, which can be read without git."""
    facts = check_hooks({}, top).facts
    return DoctorReport([fact for fact in facts if fact.name == "configured"], [])


def check_ignored(index: Index, probes: ProbeChoice) -> DoctorReport:
    """Return the result of `check-gitignore`."""
    check = check_gitignore(index, probes)
    return DoctorReport([ignored_fact(check.findings, check.advice)], check.findings)


def check_tracked(index: Index) -> DoctorReport:
    """Return the result of `forbid-bytecode`."""
    findings = scan_tracked(index)
    return DoctorReport([tracked_fact(findings)], findings)


def ignored_fact(findings: list[Finding], advice: str) -> Fact:
    """Return the fact whether bytecode is ignored."""
    return Fact(
        "repository",
        "bytecode is ignored",
        "not everywhere" if findings else "yes, in every directory where Python can write it",
        "Only tracked ignore files count: personal ones do not exist in other clones. To add the missing"
        " lines: `pycache-guard check-gitignore --fix`."
        if findings
        else advice,
        not findings,
    )


def tracked_fact(findings: list[Finding]) -> Fact:
    """Return the fact whether bytecode is tracked."""
    count = len({finding.path for finding in findings})
    return Fact(
        "repository",
        "bytecode is tracked",
        count_paths(count) if count else "no",
        "An ignore file does not untrack files that are already tracked. To untrack them:"
        " `pycache-guard fix`."
        if count
        else "",
        count,
    )


def check_builds(index: Index, probes: ProbeChoice) -> DoctorReport:
    """Return the result of `check-dockerignore` for each build."""
    proof = DockerignoreChecker(index, probes)
    builds = proof.builds([])
    findings, failures = proof.for_each_build(builds, proof.check)
    count = f"({len(builds)} build{'s' * (len(builds) != 1)} checked)"
    fact = Fact(
        "repository",
        "bytecode in a Docker context",
        f"yes {count}" if findings else f"no {count}" if builds else "no Docker build found",
        "Docker reads .dockerignore, not .gitignore, and includes everything else in the build. To add"
        " the missing lines: `pycache-guard check-dockerignore --fix`."
        if findings
        else "",
        {"builds": len(builds), "open": bool(findings)},
    )
    return DoctorReport([fact], findings, failures)
