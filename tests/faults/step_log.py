"""Run the program under `inject.py`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from faults.fault_env import copied

if TYPE_CHECKING:
    from faults.fault_env import Call, Sandbox
    from helpers.repo import Result

STEPPER = Path(__file__).with_name("inject.py")


def run_with_fault(
    scene: Sandbox, call: Call, fault: str, number: int, *options: str, everything: bool, **env: str
) -> Result:
    """Run a call with a fault at a step. Steps concern user files, or `everything`."""
    witness = step_file(scene)
    which = "everything" if everything else "files"
    program = (sys.executable, os.fspath(STEPPER), fault, str(number), os.fspath(witness), which)
    return scene.run(call, *options, program=program, env=env)


def step_file(scene: Sandbox) -> Path:
    """Return the file with a byte for each step of the last run with a fault."""
    return scene.path.parent / f"{scene.path.name}.steps"


def count_steps(scene: Sandbox) -> int:
    """Return the number of steps of the last run with a fault."""
    witness = step_file(scene)
    return witness.stat().st_size if witness.exists() else 0


def steps_of(
    template: Path, tmp_path: Path, call: Call, *options: str, everything: bool
) -> tuple[int, dict[str, bytes], dict[str, bytes]]:
    """Return the number of steps of a call, and the state before and after it."""
    scene = copied(template, tmp_path / "whole")
    before = scene.state()
    run_with_fault(scene, call, "none", 0, *options, everything=everything)
    return count_steps(scene), before, scene.state()


def partially_written(scene: Sandbox, old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """Return the files (and the index) that equal neither their old nor their new state."""
    now = scene.state()
    names = {*old, *new, *now}
    return sorted(n for n in names if now.get(n) not in (old.get(n), new.get(n)))
