"""Which hooks keep bytecode out, and at which stages."""

from __future__ import annotations

import os
import re
import shutil

from pycache_guard.doctor.fact import Diagnosis
from pycache_guard.doctor.fact import Fact
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.regular import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The stages at which bytecode can enter, or leave.
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")
#: The hooks that refuse bytecode.
GUARDS = ("forbid-bytecode", "forbid-bytecode-paths", "check-history")
#: The configurations of the runners.
CONFIGURATIONS = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")
RUNNERS = ("pre-commit", "prek")
ID = re.compile(rb"""\bid['"]?\s*[:=]\s*['"]?([a-z-]+)""")

#: What makes git itself run the program, without a runner.
NATIVE = (
    "printf '#!/bin/sh\\nexec pycache-guard forbid-bytecode\\n' "
    '> "$(git rev-parse --git-path hooks)/pre-commit" '
    '&& chmod +x "$(git rev-parse --git-path hooks)/pre-commit"'
)


def guards(scripts: Mapping[str, bytes], top: str) -> Diagnosis:
    """Judge the hooks that are installed, `scripts` by stage, and the runner's configuration."""
    configuration, ids = configured(top)
    ours = [name for name in GUARDS if name in ids]
    guarded = [stage for stage, script in scripts.items() if is_guard(script, bool(ours))]
    facts = [
        Fact(
            "hooks",
            "configured",
            f"{', '.join(ours)} in {configuration}" if ours else "none",
            "forbid-bytecode refuses a commit that has bytecode in it; check-history looks at every"
            " commit that is pushed.",
            ours,
        ),
        Fact(
            "hooks",
            "installed",
            ", ".join(guarded) or "none",
            "Merges and cherry-picks run other stages than commits do; for all of them:"
            f" `{install(STAGES)}`.",
            guarded,
        ),
    ]
    if "pre-commit" in guarded:
        return Diagnosis(facts, [])
    message = "no hook keeps bytecode out of the next commit"
    return Diagnosis(
        facts,
        [
            Finding(
                configuration,
                Rule.PYC604,
                message,
                remedy(configuration, bool(ours), "pre-commit" in scripts),
            )
        ],
    )


def configured(top: str) -> tuple[str | None, set[str]]:
    """Return the runner's configuration, if there is one, and the ids that stand in it."""
    for name in CONFIGURATIONS:
        try:
            with opened(os.path.join(top, name)) as file:
                lines = [line.partition(b"#")[0] for line in file]
        except FileNotFoundError:
            continue
        return name, {match[1].decode("ascii") for line in lines for match in ID.finditer(line)}
    return None, set()


def is_guard(script: bytes, configured: bool) -> bool:
    """Whether a hook runs us, by itself or by a runner that is told to."""
    if b"pycache-guard" in script or b"pycache_guard" in script:
        return True
    return configured and any(name.encode("ascii") in script for name in RUNNERS)


def remedy(configuration: str | None, configured: bool, occupied: bool) -> str:
    """Return what installs a guard for commits."""
    if configured:
        return install(("pre-commit",))
    if configuration is not None:
        return f"add the hook forbid-bytecode to {configuration}; then: {install(('pre-commit',))}"
    if occupied:
        return "add to the hook pre-commit that is there: pycache-guard forbid-bytecode || exit 1"
    return NATIVE


def install(stages: tuple[str, ...]) -> str:
    """Return the command by which the runner that is here installs `stages`."""
    runner = next((name for name in RUNNERS if shutil.which(name)), RUNNERS[0])
    return f"{runner} install {' '.join(f'-t {stage}' for stage in stages)}"
