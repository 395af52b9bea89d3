"""What every hook costs where all is well, counted: modules, processes, blobs, files, system calls.

Counts do not depend on the machine; what is timed is in benchmarks/.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from helpers.repo import BYTECODE
from helpers.runners import HOOKS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import GitCalls
    from helpers.repo import Repo

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="the budgets are those of CPython"
)

#: Notes by the interpreter's own audit events (PEP 578) what is opened and started.
COUNTING = """
import sys

opened, started, standing = [], [], set(sys.modules)


def note(event, args):
    if event == "open":
        opened.append(args[0])
    elif event in ("os.posix_spawn", "subprocess.Popen", "os.exec"):
        started.append([*map(str, args[1])])
    elif event in ("os.fork", "os.forkpty", "os.system"):
        started.append([event])


sys.addaudithook(note)
from pycache_guard.cli import main

code = main(sys.argv[1:])
imported = set(sys.modules) - standing
import json

print(json.dumps([code, [*imported], started, [name for name in opened if type(name) is str]]))
"""

#: Modules that are dear, and have no place on the way of a hook: what each costs is a thousandth of
#: a second and more, or brings in others that do.
NEVER = {
    *("dataclasses", "importlib.metadata", "inspect", "json", "logging", "pathlib", "subprocess"),
    *("concurrent.futures", "pkgutil", "tomllib", "tomli", "traceback", "unittest", "urllib"),
}
#: These are for those that have to prove, parse or ask more.
PARSING = {"argparse", "collections", "contextlib", "enum", "re", "tempfile", "typing", "identify"}

LISTED = ["diff-index", "ls-files"]
JUDGED = ["cat-file", "diff-tree", "rev-list"]
PROVEN = ["check-ignore", "ls-files"]
CONTEXTS = ["cat-file", "cat-file", "grep", "ls-files", "ls-files"]


class Cost(NamedTuple):
    """What a run that finds nothing may take."""

    #: Modules of our own, at most.
    ours: int
    #: The verb of each git, in any order. Nothing else is started.
    git: list[str]
    #: Whether a parser of arguments and its like are imported.
    parses: bool = False


#: Of every hook, and of the two that git calls itself.
COSTS = {
    "forbid-bytecode": Cost(14, LISTED),
    "check-gitignore": Cost(21, PROVEN),
    "fix-gitignore": Cost(21, PROVEN),
    "check-history": Cost(28, [*JUDGED, "rev-parse", "rev-parse"]),
    "verify-bytecode": Cost(14, LISTED),
    "check-dockerignore": Cost(46, CONTEXTS, parses=True),
    "fix-dockerignore": Cost(46, CONTEXTS, parses=True),
    "clean-orphans": Cost(20, [], parses=True),
    "lint-bytecode-use": Cost(52, [], parses=True),
    "pre-push": Cost(28, JUDGED),
    # It reads HEAD's configuration from git: a server has no files.
    "pre-receive": Cost(27, ["cat-file", *JUDGED]),
}
#: Nobody waits for these.
APART = {"forbid-bytecode-paths", "check-dist"}


class Counted(NamedTuple):
    """What a run took."""

    code: int
    modules: set[str]
    #: The words of each process that was started.
    started: list[list[str]]
    #: Files, but for those of modules.
    opened: list[str]

    def git(self) -> list[str]:
        """Return the verb of each git, sorted; anything else whole."""
        options = re.compile(r"^git ((--?no-pager|-[cC]|--git-dir|--work-tree)( [^- ]\S*)? )*")
        return sorted(
            options.sub("", " ".join(words)).split(" ")[0] if words[0] == "git" else " ".join(words)
            for words in self.started
        )


def counted(*argv: str, stdin: str = "") -> Counted:
    """Count a run, after one that leaves its bytecode behind."""
    command = [sys.executable, "-I", "-c", COUNTING, *argv]
    for _ in range(2):
        done = subprocess.run(command, input=stdin, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    code, modules, started, opened = json.loads(done.stdout.splitlines()[-1])
    files = [name for name in opened if not name.endswith((".py", ".pyc", ".so", ".pth"))]
    return Counted(code, set(modules), started, files)


def run_of(hook: str, repo: Repo) -> Counted:
    """Count what a hook runs."""
    head = repo.git("rev-parse", "HEAD")
    if hook == "pre-push":
        repo.git("update-ref", "refs/remotes/origin/main", "published")
        return counted(hook, "origin", "url", stdin=f"HEAD {head} refs/heads/main {'0' * 40}\n")
    if hook == "pre-receive":
        repo.git("symbolic-ref", "HEAD", "refs/heads/published")
        repo.git("update-ref", "-d", "refs/heads/main")
        return counted(hook, stdin=f"{'0' * 40} {head} refs/heads/main\n")
    files = [] if HOOKS[hook]["pass_filenames"] is False else ["x/m.py"]
    return counted(*HOOKS[hook]["entry"].split()[1:], *files)


@pytest.fixture
def healthy(repo: Repo) -> Repo:
    """Make a project with nothing to say of, one commit ahead of what is published."""
    repo.add("pyproject.toml", "[project]\nname = 'x'\n")
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n*.pyc.*\n")
    repo.add("Dockerfile", "FROM scratch\n")
    repo.add(".dockerignore", "**/__pycache__\n**/*.py[co]\n**/*.pyc.*\n")
    repo.add("x/__init__.py")
    repo.commit()
    repo.git("branch", "published")
    repo.git("branch", "--quiet", "--set-upstream-to=published")
    repo.add("x/m.py", "x = 1\n")
    repo.commit()
    repo.write(f"x/__pycache__/m.{sys.implementation.cache_tag}.pyc", BYTECODE)
    return repo


def test_table_of_costs_has_every_hook() -> None:
    assert COSTS.keys() - {"pre-push", "pre-receive"} == HOOKS.keys() - APART


@pytest.mark.parametrize("hook", COSTS)
def test_clean_run_imports_and_starts_no_more_than_its_budget(hook: str, healthy: Repo) -> None:
    cost = COSTS[hook]
    run = run_of(hook, healthy)
    assert run.code == 0
    assert run.modules & NEVER == set()
    assert cost.parses or run.modules & PARSING == set()
    assert run.git() == cost.git
    ours = {name for name in run.modules if name.partition(".")[0] == "pycache_guard"}
    assert len(ours) <= cost.ours


@pytest.mark.parametrize("hook", ["forbid-bytecode", "verify-bytecode"])
def test_clean_run_opens_one_file_at_most(hook: str, healthy: Repo) -> None:
    """Besides its modules and the null device, a hook opens one file at most."""
    opened = set(run_of(hook, healthy).opened) - {os.devnull}
    assert opened == ({os.path.join(".", "pyproject.toml")} if hook == "forbid-bytecode" else set())


def test_clean_proof_opens_few_files(healthy: Repo) -> None:
    """Two show that this is the top of a work tree; one has git's answers."""
    opened = set(run_of("check-gitignore", healthy).opened) - {os.devnull}
    answers = {name for name in opened if "pycache-guard-" in name}
    assert len(answers) == 1
    tracked = {os.path.join(".", name) for name in ("pyproject.toml", ".gitignore")}
    assert opened - answers == tracked | {os.path.join(".git", name) for name in ("HEAD", "config")}


def test_clean_run_without_configuration_does_not_import_its_parser(healthy: Repo) -> None:
    assert "pycache_guard.config" not in run_of("forbid-bytecode", healthy).modules
    healthy.add("pyproject.toml", "[tool.pycache-guard]\n")
    assert {"pycache_guard.config"} <= run_of("forbid-bytecode", healthy).modules


#: Where a hook looks into blobs at all: the new ones, each once.
READS_NEW = ["forbid-bytecode", "verify-bytecode", "check-history", "pre-push", "pre-receive"]


@pytest.mark.parametrize("hook", READS_NEW)
def test_clean_run_reads_each_new_blob_once(hook: str, healthy: Repo, git_calls: GitCalls) -> None:
    """What HEAD, or the other side, has is not read again; what is new is, once, and nothing else."""
    new = {"x/n.py": "y = 1\n", "x/data.bin": "\0\1\2", "again": "y = 1\n", "link": "target"}
    modes = {"link": "120000"}
    staged = [healthy.stage(p, data, mode=modes.get(p, "100644")) for p, data in new.items()]
    commits = hook not in ("forbid-bytecode", "verify-bytecode")
    if not commits:
        healthy.stage(".gitignore", (healthy.path / ".gitignore").read_bytes(), mode="100755")
    else:
        staged.append(healthy.git("rev-parse", "HEAD:x/m.py"))
        healthy.commit()
    if hook == "pre-receive":
        staged.append(healthy.git("rev-parse", "HEAD:pyproject.toml"))
    git_calls.reset()
    assert run_of(hook, healthy).code == 0
    asked = [name for name in git_calls.blobs() if re.fullmatch("[0-9a-f]{40}", name)]
    once = len(asked) // 2  # `counted` runs twice
    assert asked[:once] == asked[once:]
    assert sorted(asked[:once]) == sorted(set(staged))


@pytest.mark.parametrize("hook", READS_NEW[:2])
def test_clean_run_without_new_content_reads_no_blob(
    hook: str, healthy: Repo, git_calls: GitCalls
) -> None:
    git_calls.reset()
    assert run_of(hook, healthy).code == 0
    assert git_calls.blobs() == []


#: What a clean run may call more than an import of the package does. It is 267 and 451 under Python 3.10 to 3.13;
#: a module of our own is some 15, `import json` 270.
MAX_SYSTEM_CALLS = {"forbid-bytecode": 274, "check-gitignore": 458}

#: Not counted: their number depends on the size of directories, on the allocator and on the machine.
VARYING = "brk,futex,getdents64,madvise,mmap,mprotect,mremap,munmap,rt_sigreturn"


def count_system_calls(strace: str, code: str, hook: str, counts: Path) -> int:
    """Return how many system calls an interpreter makes, without those of git."""
    command = [strace, "-c", "-e", f"trace=!{VARYING}", "-o", os.fspath(counts)]
    # Every directory on PATH before that of git costs a call.
    directory = os.path.dirname(shutil.which("git") or "")
    for _ in range(2):
        done = subprocess.run(
            [*command, sys.executable, "-I", "-c", code, hook],
            capture_output=True,
            check=False,
            env={**os.environ, "PATH": directory},
        )
        if b"ptrace" in done.stderr:
            pytest.skip("this machine lets nobody trace")
        assert (done.returncode, done.stderr) == (0, b"")
    total = counts.read_text().splitlines()[-1].split()
    assert total[-1] == "total"
    return int(total[3])


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("hook", MAX_SYSTEM_CALLS)
def test_clean_run_makes_no_more_system_calls_than_its_budget(hook: str, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip(
            "strace is not installed; test_clean_run_opens_one_file_at_most and test_clean_run_imports_and_starts_no_more_than_its_budget count less"
        )
    package = count_system_calls(strace, "import pycache_guard", hook, tmp_path / "package")
    code = "from pycache_guard.cli import run; run()"
    run = count_system_calls(strace, code, hook, tmp_path / "run")
    assert run - package <= MAX_SYSTEM_CALLS[hook]
