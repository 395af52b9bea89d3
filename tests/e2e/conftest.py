"""The runners, each with the hooks of this checkout, installed once for all processes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from helpers.git_version import is_git_older_than
from helpers.repo import Repo
from helpers.runners import SCRIPTS, Runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import BuildOnce
    from helpers.runners import Checkout


@pytest.fixture(scope="session", params=["pre-commit", "prek"])
def runner(
    request: pytest.FixtureRequest,
    build_once: BuildOnce,
    inherited: dict[str, str],
    checkout: Checkout,
) -> Runner:
    """Install the hooks with one runner, in a separate home. Skips the test if git is too old for it."""
    if is_git_older_than(31):
        pytest.skip(f"{request.param} needs git 2.31 or later")

    def install(home: Path) -> None:
        runner = runner_in(home, request.param, checkout)
        repo = Repo.init(home / "repo")
        runner.configure(repo, "forbid-bytecode")
        done = subprocess.run(
            [SCRIPTS / request.param, "install-hooks"],
            cwd=repo.path,
            env={**inherited, **runner.environment},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return runner_in(build_once(request.param, install), request.param, checkout)


def runner_in(home: Path, name: str, checkout: Checkout) -> Runner:
    """Return a runner with a home of its own."""
    environment = {
        "PRE_COMMIT_HOME": os.fspath(home / "home"),
        "PREK_HOME": os.fspath(home / "home"),
        "PRE_COMMIT_COLOR": "never",
        "PREK_COLOR": "never",
    }
    return Runner(name, environment, checkout)


@pytest.fixture
def project(make_repo: Callable[..., Repo]) -> Repo:
    """Make a small healthy project."""
    repo = make_repo("project")
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.add("pkg/__init__.py")
    repo.add("pkg/m.py", "x = 1\n")
    repo.commit()
    repo.git("branch", "published")
    repo.git("branch", "--quiet", "--set-upstream-to=published")
    return repo
