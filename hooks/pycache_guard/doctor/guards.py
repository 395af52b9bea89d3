"""Which installed hooks refuse bytecode, and at which stages."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from pycache_guard.doctor.hook_configurations import LEFTHOOK_FILES, RUNNER_FILES, Configurations
from pycache_guard.doctor.hook_scripts import Scripts
from pycache_guard.doctor.report import DoctorReport, Fact
from pycache_guard.findings import Finding, Rule
from pycache_guard.remedies import program, shell_quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.doctor.hook_scripts import Verdict

#: The hooks of git that run before commits are made or leave (githooks(5)).
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")
RUNNERS = ("pre-commit", "prek")
#: The script that husky runs before a commit.
HUSKY_FILE = ".husky/pre-commit"
UNGUARDED = "no hook keeps bytecode out of the next commit"


def git_hook_command() -> str:
    """Return the command that installs a hook script without a runner.

    The hook directory may not exist yet.
    """
    line = shell_quote(f"exec {program()} forbid-bytecode --quiet")
    return (
        '(cd "$(git rev-parse --show-toplevel)" && hooks=$(git rev-parse --git-path hooks)'
        f""" && mkdir -p "$hooks" && printf '%s\\n' '#!/bin/sh' {line} > "$hooks/pre-commit\""""
        ' && chmod +x "$hooks/pre-commit")'
    )


def check_hooks(
    scripts: Mapping[str, bytes],
    top: str,
    directory: str | None = None,
    commands: Mapping[str, Mapping[str, str]] | None = None,
) -> DoctorReport:
    """Check the installed hooks, and the configurations of hook runners.

    `scripts` contains the hook scripts that git runs, by stage; `directory` is their directory.
    `commands` contains the commands from the git configuration, by stage and name.
    """
    configurations = Configurations(top)
    reader = Scripts(top, directory, configurations)
    verdicts = {stage: reader.check_hook(stage, script) for stage, script in scripts.items()}
    for stage, by_name in (commands or {}).items():
        for name, command in by_name.items():
            verdict = reader.check_command(stage, command)
            if verdict.is_guard:
                by = f"hook.{name}.command" if verdict.by == "pycache-guard" else verdict.by
                verdicts[stage] = verdict._replace(by=by)
    guarded = {stage: verdict for stage, verdict in verdicts.items() if verdict.is_guard}
    configured = _list_configured(configurations)
    facts = [
        Fact(
            "hooks",
            "configured",
            "; ".join(configured) or "none",
            "forbid-bytecode rejects a commit that contains bytecode; check-history checks every"
            " commit before a push.",
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
    """Return how to install the missing hooks, if that is known."""
    if not guarded:
        return "Git runs a hook only after its installation in this clone."
    missing = tuple(stage for stage in STAGES if stage not in guarded)
    runner = next((v.by for v in guarded.values() if v.by in RUNNERS), None)
    if not missing or not runner:
        return ""
    words = f"No hook checks bytecode at {' and '.join(missing)}. To install the missing hooks:"
    return f"{words} `{runner} install {_options(missing)}`."


def _list_configured(configurations: Configurations) -> list[str]:
    """Return the configured hooks of this project, each as `forbid-bytecode in FILE`."""
    found = [f"{hook} in {name}" for name, hook, _ in configurations.list_configured()]
    if any(
        "forbid-bytecode" in text for text in configurations.list_lefthook_commands("pre-commit")
    ):
        found.append(f"forbid-bytecode in {configurations.find(LEFTHOOK_FILES)}")
    if _is_guard_of_husky(configurations):
        found.append(f"forbid-bytecode in {HUSKY_FILE}")
    return [*dict.fromkeys(found)]


def _is_guard_of_husky(configurations: Configurations) -> bool:
    """Return whether the script that husky runs before a commit refuses bytecode."""
    script = configurations.read_text(HUSKY_FILE).encode("utf-8", "surrogateescape")
    return Scripts("", None, configurations).check_hook("pre-commit", script).is_guard


def _unguarded(
    configurations: Configurations, verdicts: Mapping[str, Verdict], directory: str | None
) -> Finding:
    """Return PYC604, with the command that installs a hook, or with a hint if one command is not enough."""
    occupied = verdicts.get("pre-commit")
    name = configurations.find(RUNNER_FILES["prek"])
    at_commit = [
        (file, hook)
        for file, hook, stages in configurations.list_configured()
        if "pre-commit" in stages
    ]
    if occupied is not None and occupied.flaw:
        message = f"{UNGUARDED}: the pre-commit hook runs pycache-guard and ignores its exit code"
        return Finding(None, Rule.PYC604, message, hint=occupied.flaw)
    if at_commit:
        file = at_commit[0][0]
        if directory is not None and _is_elsewhere(directory):
            # pre-commit refuses to install a hook if core.hooksPath is set.
            return _finding(
                file,
                f"git takes its hooks from {directory} (core.hooksPath): add `{_runner(file)} run`"
                " to the pre-commit hook there",
            )
        return _finding(file, command=f"{_runner(file)} install -t pre-commit")
    lefthook = configurations.find(LEFTHOOK_FILES)
    if lefthook is not None:
        reader = Scripts("", None, configurations)
        if reader.check_hook("pre-commit", b"lefthook run pre-commit").is_guard:
            is_in_npm = configurations.find(("package.json",)) and not shutil.which("lefthook")
            return _finding(lefthook, command=f"{'npx ' * bool(is_in_npm)}lefthook install")
        if name is None:
            return _finding(
                lefthook, f"add `pycache-guard forbid-bytecode` to pre-commit in {lefthook}"
            )
    if configurations.find((HUSKY_FILE,)) and occupied is None:
        if _is_guard_of_husky(configurations):
            return _finding(HUSKY_FILE, command="npx husky")
        return _finding(HUSKY_FILE, f"add `pycache-guard forbid-bytecode` to {HUSKY_FILE}")
    if name is not None:
        install = f"{_runner(name)} install -t pre-commit"
        then = "" if occupied and occupied.by else f"; then run `{install}`"
        return _finding(name, f"add the hook forbid-bytecode to {name}{then}")
    if occupied is not None:
        return _finding(
            None,
            "add `pycache-guard forbid-bytecode || exit 1` to the existing pre-commit hook",
        )
    return _finding(None, command=git_hook_command())


def _finding(path: str | None, hint: str | None = None, command: str | None = None) -> Finding:
    return Finding(path, Rule.PYC604, UNGUARDED, command, hint=hint)


def _is_elsewhere(directory: str) -> bool:
    """Return whether a hook directory is outside the git directory (core.hooksPath)."""
    above, last = os.path.split(os.path.abspath(directory))
    return last != "hooks" or not os.path.exists(os.path.join(above, "HEAD"))


def _runner(name: str) -> str:
    """Return the runner of a configuration file: one that is installed on this machine if possible."""
    if name != ".pre-commit-config.yaml":
        return "prek"
    return next((runner for runner in RUNNERS if shutil.which(runner)), RUNNERS[0])


def _options(stages: tuple[str, ...]) -> str:
    return " ".join(f"-t {stage}" for stage in stages)
