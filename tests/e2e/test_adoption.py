"""Repositories adopt the hooks: a person runs the printed commands, as they are, until a commit passes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from helpers.git_version import is_git_older_than
from helpers.repo import BYTECODE, Repo, Result
from helpers.runners import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.runners import Checkout, Runner

#: Commands that a person types or pastes until a commit has passed, each `git commit` included.
MAX_COMMANDS = 6
HOOK = "pycache-guard forbid-bytecode --quiet && pycache-guard check-gitignore --quiet"
#: Stands for the other checks of a repository; it notes that it was run.
OTHER_CHECK = "echo run >> .git/other-check"
OTHER_HOOK = f"""\
- repo: local
  hooks:
  - id: other
    name: other
    language: system
    entry: sh -c '{OTHER_CHECK}'
    always_run: true
    pass_filenames: false
"""
COMMIT = "git commit -m adopt"


def small_project(repo: Repo) -> None:
    """Stage a package with the ignore file of most textbooks."""
    repo.add(".gitignore", "__pycache__/\n*.pyc\n")
    repo.add("pkg/m.py", "x = 1\n")


def thirty_tracked_files(repo: Repo) -> None:
    """Stage a package and its caches, without an ignore file."""
    repo.add_files({f"pkg/m{n}.py": "x = 1\n" for n in range(30)})
    repo.add_files({f"pkg/__pycache__/m{n}.cpython-313.pyc": BYTECODE for n in range(30)})


def no_python(repo: Repo) -> None:
    """Stage sources of another language."""
    repo.add(".gitignore", "/target/\n")
    repo.add("src/main.rs", "fn main() {}\n")


def nested_ignore_files(repo: Repo) -> None:
    """Stage three packages: one with rules, one that re-includes everything, one without."""
    repo.add("a/.gitignore", "__pycache__/\n*.pyc\n")
    repo.add("b/.gitignore", "*.log\n!keep.log\n")
    for name in "abc":
        repo.add(f"{name}/m.py", "x = 1\n")
    repo.add("c/__pycache__/m.cpython-313.pyc", BYTECODE)


def notebooks(repo: Repo) -> None:
    """Stage notebooks and a helper, with one rule."""
    repo.add(".gitignore", "*.pyc\n.ipynb_checkpoints/\n")
    repo.add("a.ipynb", "{}\n")
    repo.add("helpers.py", "x = 1\n")


def other_tools_configured(repo: Repo) -> None:
    """Stage a healthy package whose other tools are configured."""
    repo.add(".gitignore", "__pycache__/\n*.py[cod]\n.mypy_cache/\n")
    repo.add("pyproject.toml", "[tool.black]\n[tool.ruff]\n[tool.mypy]\nstrict = true\n")
    repo.add("pkg/m.py", "x = 1\n")


def cache_under_another_name(repo: Repo) -> None:
    """Stage bytecode whose name does not show it, in a directory with a space in its name."""
    repo.add("my files/logo.png", BYTECODE)
    repo.add("my files/m.py", "x = 1\n")


#: Each with the number of commands until the commit has passed: if every check runs at each commit,
#: and if the first that fails ends the hook.
SITUATIONS: dict[Callable[[Repo], None], tuple[int, int]] = {
    small_project: (1, 1),
    thirty_tracked_files: (3, 3),
    no_python: (3, 3),
    nested_ignore_files: (4, 5),
    notebooks: (1, 1),
    other_tools_configured: (1, 1),
    cache_under_another_name: (4, 5),
}
each_situation = pytest.mark.parametrize("situation", SITUATIONS, ids=lambda f: f.__name__)


def printed_commands(output: str) -> list[str]:
    """Return the commands of every report in an output; runners may indent the whole output."""
    commands: list[str] = []
    indent = None
    for line in output.splitlines():
        if heading := re.fullmatch(r"( *)(?:To fix|Now commit):", line):
            indent = f"{heading[1]}    "
        elif indent is not None and line.startswith(indent):
            commands.append(line.removeprefix(indent))
        else:
            indent = None
    return commands


class Person:
    """Commits, reads what is printed, and runs its commands to the letter."""

    def __init__(self, run: Callable[[str], Result]) -> None:
        #: Runs a command line where the person stands.
        self._run = run
        #: The command lines typed or pasted.
        self.typed: list[str] = []
        self._has_committed = False

    def commit(self) -> None:
        """Commit until a commit passes."""
        while not self._has_committed:
            assert len(self.typed) < MAX_COMMANDS, self.typed
            self._type(COMMIT)

    def _type(self, command: str) -> None:
        self.typed.append(command)
        result = self._run(command)
        output = result.out + result.err
        found = printed_commands(output)
        if "git commit" in command and result.code == 0:
            self._has_committed = True
        else:
            assert found if "git commit" in command else result.code == 0, output
            for following in found:
                if not self._has_committed:  # otherwise nothing is left to do
                    self._type(following)


def adopt(
    repo: Repo,
    situation: Callable[[Repo], None],
    run: Callable[[str], Result],
    *,
    runs_every_check: bool,
) -> None:
    """Commit until a commit passes; check that HEAD and the work tree are clean, and nothing is lost."""
    files = {path for path in repo.path.rglob("*") if ".git" not in path.parts and path.is_file()}
    person = Person(run)
    person.commit()
    every, first = SITUATIONS[situation]
    assert len(person.typed) == (every if runs_every_check else first), person.typed
    assert {path for path in files if not path.is_file()} == set(), "a file was deleted"
    assert not [path for path in repo.tracked() if path.endswith((".pyc", ".png"))]
    left = repo.git("status", "--porcelain", "-z")
    assert left == "?? my files/logo.png\0" * (situation is cache_under_another_name)
    assert subprocess.run(["sh", "-c", HOOK], cwd=repo.path, check=False).returncode == 0
    assert (repo.path / ".git" / "other-check").read_text().endswith("run\n")


@pytest.fixture(autouse=True)
def _installed_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hooks and printed commands find `pycache-guard`."""
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")


@each_situation
def test_runner_is_adopted_by_following_its_output(
    situation: Callable[[Repo], None], runner: Runner, make_repo: Callable[..., Repo]
) -> None:
    repo = make_repo("adopting")
    situation(repo)
    runner.configure(repo, "forbid-bytecode", "check-gitignore")
    with (repo.path / ".pre-commit-config.yaml").open("a") as file:
        file.write(OTHER_HOOK)
    repo.git("add", ".pre-commit-config.yaml")
    assert runner(repo, "install").code == 0
    adopt(repo, situation, lambda command: runner.shell(repo, command), runs_every_check=True)


def test_other_hooks_run_when_they_did_before(
    runner: Runner, make_repo: Callable[..., Repo], checkout: Checkout
) -> None:
    """With the two lines of the README, a hook that checks commits does not run at a push."""
    repo, remote = make_repo("adopting"), make_repo("remote", "--bare")
    small_project(repo)
    repo.add(
        ".pre-commit-config.yaml",
        "default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]\n"
        "default_stages: [pre-commit]\n"
        f"repos:\n- repo: {checkout.path}\n  rev: {checkout.revision}\n"
        "  hooks: [{id: forbid-bytecode}, {id: check-gitignore}]\n"
        "- repo: local\n  hooks:\n  - id: slow\n    name: slow\n    language: system\n"
        "    entry: sh -c 'echo run >> .git/slow'\n    always_run: true\n    pass_filenames: false\n",
    )
    assert runner(repo, "install").code == 0
    done = runner.git(repo, "commit", "-m", "adopt")
    assert done.code == 0, done
    done = runner.git(repo, "push", os.fspath(remote.path), "main")
    assert done.code == 0, done
    assert (repo.path / ".git" / "slow").read_text() == "run\n"


def native(repo: Repo, _: Path) -> None:
    """Install the hook of git itself."""
    hook = repo.write(".git/hooks/pre-commit", f"#!/bin/sh\n{OTHER_CHECK}\n{HOOK}\n")
    hook.chmod(0o755)


def husky(repo: Repo, programs: Path) -> None:
    """Install husky, which sets `core.hooksPath`."""
    repo.add(".husky/pre-commit", f"{OTHER_CHECK}\n{HOOK}\n")
    subprocess.run([programs / "husky"], cwd=repo.path, check=True, capture_output=True)


def lefthook(repo: Repo, programs: Path) -> None:
    """Install lefthook, which writes `.git/hooks/pre-commit`. Skips the test if git is too old for it."""
    if is_git_older_than(31):
        pytest.skip("lefthook needs git 2.31 or later")
    repo.add(
        "lefthook.yml",
        "pre-commit:\n  jobs:\n"
        f"  - run: {OTHER_CHECK}\n"
        "  - run: pycache-guard forbid-bytecode --quiet\n"
        "  - run: pycache-guard check-gitignore --quiet\n",
    )
    subprocess.run(
        [programs / "lefthook", "install"], cwd=repo.path, check=True, capture_output=True
    )


@pytest.fixture(scope="session")
def npm_programs(tmp_path_factory: pytest.TempPathFactory, inherited: dict[str, str]) -> Path:
    """Install husky and lefthook; skip if npm or its registry is not available."""
    directory = tmp_path_factory.mktemp("npm")
    if shutil.which("npm") is None:
        pytest.skip("husky and lefthook need npm")
    # The install script of lefthook would write hooks into the repository around.
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", ".")
    try:
        done = subprocess.run(
            ["npm", "install", *options, "husky@9", "lefthook@2"],
            cwd=directory,
            env=inherited,
            check=False,
            capture_output=True,
            timeout=120,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode:
        pytest.skip("npm cannot install husky and lefthook")
    return directory / "node_modules" / ".bin"


@each_situation
def test_native_hook_is_adopted_by_following_its_output(
    situation: Callable[[Repo], None], make_repo: Callable[..., Repo], tmp_path: Path
) -> None:
    repo = make_repo("adopting")
    situation(repo)
    native(repo, tmp_path)
    adopt(repo, situation, lambda command: run_in_shell(repo, command), runs_every_check=False)


@pytest.mark.parametrize("install", [husky, lefthook], ids=lambda f: f.__name__)
@each_situation
def test_hook_manager_is_adopted_by_following_its_output(
    situation: Callable[[Repo], None],
    install: Callable[[Repo, Path], None],
    make_repo: Callable[..., Repo],
    npm_programs: Path,
) -> None:
    repo = make_repo("adopting")
    situation(repo)
    install(repo, npm_programs)
    every = install is lefthook
    adopt(repo, situation, lambda command: run_in_shell(repo, command), runs_every_check=every)


def run_in_shell(repo: Repo, command: str) -> Result:
    """Run a command line at the top of the repository, and git's hooks with it."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=repo.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
