"""Run `action.yml` as the runner of GitHub does: expressions, environment, files for outputs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from helpers.repo import Result
from helpers.runners import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
#: How the runner starts `shell: bash`
#: (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell).
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


class ActionRun(NamedTuple):
    """What a step did: exit code and log, its outputs, and what it wrote to the summary."""

    result: Result
    outputs: dict[str, str]
    summary: str


def evaluate(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the values of its expressions. Raises `KeyError` for an unknown one."""
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: values[found[1]], text)


def inputs_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return every input, with the defaults of the action. Raises `KeyError` for an unknown one."""
    known = ACTION["inputs"]
    return {
        **{f"inputs.{name}": spec["default"] for name, spec in known.items()},
        **{f"inputs.{name}": value for name, value in given.items() if known[name]},
    }


def run_step(
    step: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    place: Path,
    files: Path,
    env: Mapping[str, str],
) -> ActionRun:
    """Run a step with `run`, in `place`, with files for script, outputs and summary in `files`."""
    files.mkdir(exist_ok=True)
    script, output, summary = files / "script.sh", files / "output", files / "summary"
    script.write_text(step["run"], "utf-8")
    for file in (output, summary):
        file.write_text("", "utf-8")
    where = place / evaluate(step.get("working-directory", "."), values)
    done = subprocess.run(
        [*SHELL, os.fspath(script)],
        cwd=where,
        env={
            **env,
            **{name: evaluate(value, values) for name, value in step.get("env", {}).items()},
            "GITHUB_OUTPUT": os.fspath(output),
            "GITHUB_STEP_SUMMARY": os.fspath(summary),
            "RUNNER_TEMP": os.fspath(files),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    lines = [line.partition("=") for line in output.read_text("utf-8").splitlines()]
    return ActionRun(
        Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)),
        {name: value for name, _, value in lines},
        summary.read_text("utf-8"),
    )


def run_check(
    program: str | Path,
    given: Mapping[str, str],
    *,
    place: Path,
    files: Path,
    env: Mapping[str, str],
) -> ActionRun:
    """Run the last step, the check, with an installed program."""
    values = {**inputs_of(given), "steps.install.outputs.program": os.fspath(program)}
    return run_step(STEPS[-1], values, place=place, files=files, env=env)


def run_install(given: Mapping[str, str], *, files: Path, env: Mapping[str, str]) -> ActionRun:
    """Run the step that installs, with the Python of the tests."""
    values = {
        **inputs_of(given),
        "steps.python.outputs.python-path": sys.executable,
        "github.action_path": os.fspath(ROOT),
    }
    return run_step(STEPS[1], values, place=files.parent, files=files, env=env)
