"""What a commit waits for: the modules and the processes of a run that finds nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard import compat
from pycache_guard.cli import READS_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls
    from helpers.repo import Repo

SLOW_IMPORTS = {
    *("argparse", "dataclasses", "enum", "importlib.metadata", "inspect", "json", "pathlib", "re"),
    *("subprocess", "tempfile", "tomllib", "tomli", "typing", "contextlib", "collections"),
}
CODE = "import sys; {}; print(*sys.modules)"
RUN = "from pycache_guard.cli import main; assert main(['forbid-bytecode']) == 0"


def modules(statement: str) -> set[str]:
    """Return what a bare interpreter has imported after `statement`."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CODE.format(statement)], capture_output=True, check=True
    )
    assert done.stderr == b""
    return set(done.stdout.decode().splitlines()[-1].split())


@pytest.fixture
def clean(repo: Repo) -> Repo:
    """Make a project that does not mention us, with a history and bytecode nowhere."""
    repo.add("pyproject.toml", "[project]\nname = 'x'\n")
    repo.add("x/__init__.py")
    repo.commit()
    return repo


#: For what a run imports before its end.
posix_spawn = pytest.mark.skipif(
    not compat.HAS_POSIX_SPAWN, reason="git is started by `subprocess`, which imports much"
)


@posix_spawn
@pytest.mark.parametrize("new", [0, 1, 200])
def test_clean_commit_imports_no_slow_module(clean: Repo, git_calls: GitCalls, new: int) -> None:
    for n in range(new):
        clean.write(f"new/{n}.dat", bytes([n]) * 100)
    clean.git("add", ".")
    git_calls.reset()
    imported = modules(RUN) - modules("pass")
    assert imported & SLOW_IMPORTS == set()
    assert "pycache_guard.scan" in imported
    # `ls-files` and `diff-index` are started at the same time.
    assert sorted(git_calls.verbs()) == sorted(
        ["diff-index", "ls-files", *(["cat-file"] if new else [])]
    )


@posix_spawn
def test_clean_proof_imports_no_slow_module(clean: Repo, git_calls: GitCalls) -> None:
    """Neither a parser nor the explanation, and git is started before the proof is imported."""
    clean.add(".gitignore", "__pycache__/\n")
    git_calls.reset()
    imported = modules(RUN.replace("forbid-bytecode", "check-gitignore")) - modules("pass")
    assert imported & SLOW_IMPORTS == set()
    assert "identify" not in imported
    assert "pycache_guard.gitignore.fast_proof" in imported
    assert sorted(git_calls.verbs()) == ["check-ignore", "ls-files"]


AT_FIRST_START = """
import sys

seen = []
sys.addaudithook(lambda event, _: event in ("os.posix_spawn", "subprocess.Popen") and seen.append({{*sys.modules}}))
from pycache_guard.cli import main

assert main(['{}']) == 0
print(*seen[0])
"""


@pytest.mark.parametrize("command", READS_INDEX)
def test_git_is_started_before_the_command_is_imported(clean: Repo, command: str) -> None:
    clean.add(".gitignore", "__pycache__/\n")
    done = subprocess.run(
        [sys.executable, "-I", "-c", AT_FIRST_START.format(command)],
        capture_output=True,
        check=True,
    )
    imported = {*done.stdout.decode().splitlines()[-1].split()}
    assert "pycache_guard.git.index" in imported
    assert imported.isdisjoint({"pycache_guard.commands", "pycache_guard.scan"})


AT_FORK = """
import sys
from pycache_guard import compat
from pycache_guard.cli import main
from pycache_guard.commands import _index_child

_index_child.LARGE_INDEX_BYTES = 0
compat.count_processors = lambda: 2
seen = []
sys.addaudithook(lambda event, _: event == "os.fork" and seen.append({*sys.modules}))
assert main(['ci', '--range', 'HEAD']) == 0
print(*seen[0])
"""


@posix_spawn
def test_child_of_ci_is_started_before_the_command_is_imported(clean: Repo) -> None:
    clean.add(".gitignore", "__pycache__/\n")
    clean.commit()
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", AT_FORK], capture_output=True, check=True
    )
    imported = {*done.stdout.decode().splitlines()[-1].split()}
    assert "pycache_guard.commands._forks" in imported
    assert imported.isdisjoint({"pycache_guard.commands.ci", "pycache_guard.ci", *SLOW_IMPORTS})


@posix_spawn
def test_clean_push_imports_no_slow_module(
    clean: Repo,
    git_calls: GitCalls,
    make_repo: Callable[..., Repo],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server waits for three processes, side by side; for a new branch, one asks what an unborn HEAD names."""
    server = make_repo("server.git", "--bare")
    server.git("fetch", "-q", str(clean.path), "HEAD")
    commit = clean.git("rev-parse", "HEAD")
    (server.path / "lines").write_text(f"{'0' * 40} {commit} refs/heads/topic\n", "ascii")
    monkeypatch.chdir(server.path)
    git_calls.reset()
    given = "os.dup2(os.open('lines', os.O_RDONLY), 0)"
    run = RUN.replace("forbid-bytecode", "pre-receive")
    imported = modules(f"import os; {given}; {run}") - modules("pass")
    assert imported & SLOW_IMPORTS == set()
    assert "pycache_guard.history.scan" in imported
    assert sorted(git_calls.verbs()) == ["cat-file", "diff-tree", "rev-list", "symbolic-ref"]


def test_run_with_findings_imports_slow_modules(clean: Repo) -> None:
    """With something to say, some of these are imported."""
    clean.add("a.pyc")
    assert SLOW_IMPORTS & modules(RUN.replace("== 0", "== 1")) >= {"typing", "enum"}


def test_clean_commit_does_not_import_rules_and_reports(clean: Repo) -> None:
    """Our own modules, too: rules, formats and configuration wait until they are needed."""
    ours = {name for name in modules(RUN) if name.startswith("pycache_guard.")}
    late = {"allowlist", "config", "remedies", "untrack", "report", "findings", "git.entries"}
    assert ours.isdisjoint({f"pycache_guard.{name}" for name in late})


def test_modules_of_the_checkout_are_not_imported(clean: Repo) -> None:
    """A repository that is judged may hold a module of any name."""
    names = ["argparse", "enum", "json", "select", "subprocess", "typing"]
    if sys.implementation.name == "pypy":
        names.remove("enum")  # its own `runpy` imports that, from the current directory
    for name in names:
        clean.add(f"{name}.py", "raise SystemExit(f'{__name__} of the checkout')\n")
    clean.add("a.pyc")
    done = subprocess.run(
        [sys.executable, "-m", "pycache_guard", "forbid-bytecode", "--format", "json"],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert json.loads(done.stdout)["findings"][0]["path"] == "a.pyc"
