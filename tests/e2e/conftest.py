"""The runners, each with the hooks of this very checkout installed once."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from conftest import IDENTITY
from conftest import INHERITED
from repo import Repo
from runners import ROOT
from runners import SCRIPTS
from runners import Checkout
from runners import Runner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def inherited() -> dict[str, str]:
    """Return the environment that an installation needs: this person's network, no one's git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(INHERITED)}
    return {**kept, **IDENTITY}


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory, inherited: dict[str, str]) -> Checkout:
    """Clone the repository that the tests stand in, with what is not committed yet."""
    path = tmp_path_factory.mktemp("checkout") / "clone"

    def git(*args: str, cwd: Path = path) -> str:
        command = ["git", "-c", f"safe.directory={ROOT}", *args]
        return subprocess.check_output(command, cwd=cwd, env=inherited, text=True)

    git("clone", "-q", "--no-local", os.fspath(ROOT), os.fspath(path), cwd=ROOT)
    shown = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    there = {name for name in shown.split("\0") if name and (ROOT / name).is_file()}
    for name in there:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, path / name)
    for name in {*git("ls-files", "-z").split("\0")} - there - {""}:
        (path / name).unlink()
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "as it stands")
    return Checkout(path, git("rev-parse", "HEAD").strip())


@pytest.fixture(scope="session", params=["pre-commit", "prek"])
def runner(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    inherited: dict[str, str],
    checkout: Checkout,
) -> Runner:
    """Install the hooks by one of the runners, in a home of its own."""
    home = tmp_path_factory.mktemp(request.param)
    environment = {
        "PRE_COMMIT_HOME": os.fspath(home / "home"),
        "PREK_HOME": os.fspath(home / "home"),
        "PRE_COMMIT_COLOR": "never",
        "PREK_COLOR": "never",
    }
    made = Runner(request.param, environment, checkout)
    repo = Repo.init(home / "repo")
    made.configure(repo, "forbid-bytecode")
    done = subprocess.run(
        [SCRIPTS / request.param, "install-hooks"],
        cwd=repo.path,
        env={**inherited, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return made


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
