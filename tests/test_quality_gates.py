"""The house keeps its own rules."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.runners import ROOT
from helpers.runners import SCRIPTS


@pytest.mark.parametrize(
    "command",
    ["ruff check --no-cache", "ruff format --check --no-cache", "mypy", "lint-imports --no-cache"],
)
def test_tools_are_content(command: str) -> None:
    program, *options = command.split()
    done = subprocess.run(
        [SCRIPTS / program, *options],
        cwd=ROOT,
        capture_output=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, os.fsdecode(done.stdout + done.stderr)


@pytest.mark.parametrize("command", ["forbid-bytecode --content all", "check-gitignore"])
def test_the_program_is_content_with_its_own_repository(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pycache_guard", *command.split()],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
