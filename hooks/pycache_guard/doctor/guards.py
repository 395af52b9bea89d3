"""Which hooks keep bytecode out, and at which stages."""

from __future__ import annotations

import os
import shutil

from pycache_guard.doctor.fact import DoctorReport
from pycache_guard.doctor.fact import Fact
from pycache_guard.doctor.hook_configurations import LEFTHOOK_FILES
from pycache_guard.doctor.hook_configurations import RUNNER_FILES
from pycache_guard.doctor.hook_configurations import Configurations
from pycache_guard.doctor.hook_scripts import Scripts
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.doctor.hook_scripts import Verdict

#: The stages at which bytecode can enter, or leave.
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")
RUNNERS = ("pre-commit", "prek")
UNGUARDED = "no hook keeps bytecode out of the next commit"

#: What makes git itself run the program, without a runner. The directory may not exist yet.
GIT_HOOK_COMMAND = (
    '(cd "$(git rev-parse --show-toplevel)" && hooks=$(git rev-parse --git-path hooks) '
    '&& mkdir -p "$hooks" '
    "&& printf '#!/bin/sh\\nexec pycache-guard forbid-bytecode\\n' > \"$hooks/pre-commit\" "
    '&& chmod +x "$hooks/pre-commit")'
)


def check_hooks(
    scripts: Mapping[str, bytes], top: str, directory: str | None = None
) -> DoctorReport:
    """Check the hooks that are installed, and the configurations of their runners.

    `scripts` are the hooks that git runs, by stage; `directory` is where they are.
    """
    configurations = Configurations(top)
    reader = Scripts(top, directory, configurations)
    verdicts = {stage: reader.check_hook(stage, script) for stage, script in scripts.items()}
    guarded = {stage: verdict for stage, verdict in verdicts.items() if verdict.is_guard}
    configured = _list_configured(configurations)
    facts = [
        Fact(
            "hooks",
            "configured",
            "; ".join(configured) or "none",
            "forbid-bytecode refuses a commit that contains bytecode; check-history checks every"
            " commit that is pushed.",
            configured,
        ),
        Fact(
            "hooks",
            "installed",
            ", ".join(_name(stage, verdict) for stage, verdict in guarded.items()) or "none",
            _advise_stages(guarded),
            [*guarded],
        ),
    ]
    findings = [] if "pre-commit" in guarded else [_unguarded(configurations, verdicts, directory)]
    return DoctorReport(facts, findings, configurations.failures)


def _name(stage: str, verdict: Verdict) -> str:
    return stage if verdict.by == "pycache-guard" else f"{stage} ({verdict.by})"


def _advise_stages(guarded: Mapping[str, Verdict]) -> str:
    """Return how to get the stages that are missing, where a runner installs them."""
    missing = tuple(stage for stage in STAGES if stage not in guarded)
    runner = next((v.by for v in guarded.values() if v.by in RUNNERS), None)
    if not missing or not runner:
        return ""
    words = "Merges and cherry-picks run other stages than commits do; to add those"
    return f"{words}: `{runner} install {_options(missing)}`."


def _list_configured(configurations: Configurations) -> list[str]:
    """Return where our hooks are configured, each as `forbid-bytecode in FILE`."""
    found = [f"{hook} in {name}" for name, hook, _ in configurations.list_configured()]
    if any(
        "forbid-bytecode" in text for text in configurations.list_lefthook_commands("pre-commit")
    ):
        found.append(f"forbid-bytecode in {configurations.find(LEFTHOOK_FILES)}")
    return [*dict.fromkeys(found)]


def _unguarded(
    configurations: Configurations, verdicts: Mapping[str, Verdict], directory: str | None
) -> Finding:
    """Return PYC604, with the command that installs a guard where one command does."""
    occupied = verdicts.get("pre-commit")
    name = configurations.find(RUNNER_FILES["prek"])
    at_commit = [
        (file, hook)
        for file, hook, stages in configurations.list_configured()
        if "pre-commit" in stages
    ]
    if occupied is not None and occupied.flaw:
        return _finding(None, f"pycache-guard runs in the hook pre-commit, but {occupied.flaw}")
    if at_commit:
        file = at_commit[0][0]
        if directory is not None and _is_elsewhere(directory):
            # pre-commit refuses to install there, and what it installed would not be run.
            words = f"core.hooksPath sends git to {directory}, and the hook pre-commit there does"
            return _finding(
                file, f"{words} not run {_runner(file)}: add `{_runner(file)} run` to it"
            )
        return _finding(file, "", f"{_runner(file)} install -t pre-commit")
    lefthook = configurations.find(LEFTHOOK_FILES)
    if lefthook is not None:
        reader = Scripts("", None, configurations)
        if reader.check_hook("pre-commit", b"lefthook run pre-commit").is_guard:
            return _finding(lefthook, "", "lefthook install")
        if name is None:
            return _finding(
                lefthook, f"add `pycache-guard forbid-bytecode` to pre-commit in {lefthook}"
            )
    husky = configurations.find((".husky/pre-commit",))
    if husky is not None and occupied is None:
        if (
            Scripts("", None, configurations)
            .check_hook("pre-commit", _content(configurations, husky))
            .is_guard
        ):
            return _finding(husky, "", "npx husky")
        return _finding(husky, f"add `pycache-guard forbid-bytecode` to {husky}")
    if name is not None:
        install = f"{_runner(name)} install -t pre-commit"
        then = "" if occupied and occupied.by else f"; then run `{install}`"
        return _finding(name, f"add the hook forbid-bytecode to {name}{then}")
    if occupied is not None:
        return _finding(
            None,
            "add `pycache-guard forbid-bytecode || exit 1` to the hook pre-commit that is there",
        )
    return _finding(None, "", GIT_HOOK_COMMAND)


def _content(configurations: Configurations, name: str) -> bytes:
    return configurations.read_text(name).encode("utf-8", "surrogateescape")


def _finding(path: str | None, advice: str, command: str | None = None) -> Finding:
    message = f"{UNGUARDED}: {advice}" if advice else UNGUARDED
    return Finding(path, Rule.PYC604, message, command)


def _is_elsewhere(directory: str) -> bool:
    """Return whether a directory of hooks is not the one in git's directory (core.hooksPath)."""
    above, last = os.path.split(os.path.abspath(directory))
    return last != "hooks" or not os.path.exists(os.path.join(above, "HEAD"))


def _runner(name: str) -> str:
    """Return the runner of a configuration: the one that is here."""
    if name != ".pre-commit-config.yaml":
        return "prek"
    return next((runner for runner in RUNNERS if shutil.which(runner)), RUNNERS[0])


def _options(stages: tuple[str, ...]) -> str:
    return " ".join(f"-t {stage}" for stage in stages)
