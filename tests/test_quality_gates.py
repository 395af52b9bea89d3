"""Linters, type checker and the program itself report nothing in this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch

import pytest

from helpers.git_version import needs_any_git
from helpers.repo import Result
from helpers.report_parser import CLEAN
from helpers.runners import ROOT, SCRIPTS


@pytest.mark.parametrize(
    "command",
    ["ruff check --no-cache", "ruff format --check --no-cache", "mypy", "lint-imports --no-cache"],
)
def test_tool_reports_nothing(command: str) -> None:
    program, *options = command.split()
    if shutil.which(program, path=os.fspath(SCRIPTS)) is None:
        pytest.skip("run `pip install -e .[test]` again")
    done = subprocess.run(
        [SCRIPTS / program, *options],
        cwd=ROOT,
        capture_output=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, os.fsdecode(done.stdout + done.stderr)


def test_vulture_finds_no_dead_code() -> None:
    """Its exceptions are in pyproject.toml, each with the reason."""
    pytest.importorskip("vulture", reason="run `pip install -e .[test]` again")
    done = subprocess.run(
        [sys.executable, "-m", "vulture"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", ["forbid-bytecode --content all", "check-gitignore"])
@needs_any_git
def test_program_finds_nothing_in_its_own_repository(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pycache_guard", *command.split()],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert Result(done.returncode, done.stdout, done.stderr) == CLEAN


@needs_any_git
def test_no_tracked_file_is_ignored() -> None:
    """The build backend leaves ignored files out of wheels, tracked or not."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-c", "-i", "--exclude-standard"]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == ""


def test_directories_of_tests_are_all_collected(pytestconfig: pytest.Config) -> None:
    """By default, pytest leaves out those named `build` and `dist` without a word."""
    patterns = pytestconfig.getini("norecursedirs")
    names = {
        part
        for path in (ROOT / "tests").rglob("test_*.py")
        for part in path.relative_to(ROOT).parts
    }
    assert [n for n in names for pattern in patterns if fnmatch(n, pattern)] == []
