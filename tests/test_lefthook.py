"""lefthook.yml, which other repositories name in `remotes`: its commands, run as lefthook runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from conftest import PROGRAM
from helpers.repo import BYTECODE
from helpers.runners import ROOT

if TYPE_CHECKING:
    from helpers.repo import Repo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="lefthook uses sh here")
STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "lefthook.yml").read_text("utf-8"))


def run_stage(repo: Repo, stage: str, *arguments: str, stdin: str = "") -> int:
    """Run the commands of a stage; return how many failed."""
    failed = 0
    for command in STAGES[stage]["commands"].values():
        text = command["run"]
        for number, argument in enumerate(arguments, start=1):
            text = text.replace(f"{{{number}}}", argument)
        assert "{" not in text
        done = subprocess.run(
            ["sh", "-c", text],
            cwd=repo.path,
            env={**os.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
            input=stdin.encode() if command.get("use_stdin") else b"",
            check=False,
            capture_output=True,
        )
        assert done.returncode in (0, 1), done.stderr
        failed += done.returncode
    return failed


def test_remote_configuration_refuses_commits_merges_and_pushes(repo: Repo) -> None:
    assert STAGES.keys() == {"pre-commit", "pre-merge-commit", "pre-push"}
    repo.add(".gitignore", "__pycache__/\n")
    repo.commit()
    assert run_stage(repo, "pre-commit") == run_stage(repo, "pre-merge-commit") == 0
    repo.add("a.pyc", BYTECODE)
    assert run_stage(repo, "pre-commit") == run_stage(repo, "pre-merge-commit") == 1
    repo.commit()
    repo.git("rm", "-q", "--cached", "a.pyc")
    line = f"refs/heads/main {repo.commit()} refs/heads/main {'0' * 40}\n"
    assert run_stage(repo, "pre-commit") == 0
    assert run_stage(repo, "pre-push", "origin", "url", stdin=line) == 1
    repo.add(".gitignore", "")
    assert run_stage(repo, "pre-commit") == 1
