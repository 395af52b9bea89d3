from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN, fix_commands, run_shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

MOVE = "src/__pycache__/main.py: PYC001 a file in `__pycache__` that is not bytecode comes in with commit "
posix = pytest.mark.skipif(sys.platform == "win32", reason="the commands are a POSIX shell's")


@pytest.fixture
def cloned(repo: Repo, make_repo: Callable[..., Repo]) -> Repo:
    """Make a repository whose first commit is pushed to `origin`."""
    repo.git("remote", "add", "origin", os.fspath(make_repo("server.git", "--bare").path))
    repo.add("a.py", "1")
    repo.commit("first")
    repo.git("push", "-q", "-u", "origin", "main")
    return repo


def findings(run: Run, *words: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(run("check-history", *words, "--format", "json").out)[
        "findings"
    ]
    return listed


def add_and_delete(repo: Repo) -> None:
    repo.add("a.pyc", "1")
    repo.add("b.py", "b")
    repo.commit("bad")
    repo.git("rm", "-q", "a.pyc")
    repo.commit("gone")


def change_twice(repo: Repo) -> None:
    for n in range(3):
        repo.add("pkg/__pycache__/a b.pyc", str(n))
        repo.add(f"{n}.py", "x")
        repo.commit(f"bad {n}")


def many_directories(repo: Repo) -> None:
    repo.add("src/__pycache__/main.py", "a source")
    for n in range(30):
        repo.add(f"p{n}/__pycache__/m.pyc", str(n))
    repo.commit("bad")
    repo.commit("more")


def odd_names(repo: Repo) -> None:
    for name in ("-x.pyc", "a*.pyc", ":(top)b.pyc", "it's.pyc", "new\nline.pyc", "##[group]c.pyc"):
        repo.stage(name, name)
    repo.commit("bad")


#: What is done after the first push.
UNPUSHED = [add_and_delete, change_twice, many_directories, odd_names]


@posix
@pytest.mark.parametrize("where", ["", "sub/dir"])
@pytest.mark.parametrize("make", UNPUSHED)
def test_command_for_unpushed_commits_leaves_none_with_bytecode(
    cloned: Repo, run: Run, make: Callable[[Repo], None], where: str
) -> None:
    make(cloned)
    before = {*cloned.git("ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")}
    cloned.write("sub/dir/x")
    result = run("check-history")
    assert "filter-repo" not in result.out
    assert "leaked" not in result.out
    (command,) = fix_commands(result.out)
    run_shell(command, cwd=cloned.path / where)
    after = {*cloned.git("ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")}
    assert before - after <= {name for name in before if name.endswith(".pyc")}
    left = run("check-history").out
    assert ".pyc" not in left
    assert (MOVE in left) == (make is many_directories)
    assert cloned.git("merge-base", "HEAD", "origin/main") == cloned.git("rev-parse", "origin/main")


@posix
def test_command_works_before_the_first_push(repo: Repo, run: Run) -> None:
    """There is no commit to go back to."""
    add_and_delete(repo)
    (command,) = fix_commands(run("check-history", "HEAD").out)
    run_shell(command, cwd=repo.path)
    assert run("check-history", "HEAD") == CLEAN
    assert repo.git("log", "--format=%s") == "gone"
    assert repo.tracked() == ["b.py"]


@posix
def test_command_keeps_what_is_allowed(cloned: Repo, run: Run) -> None:
    cloned.add(
        "pyproject.toml", '[tool.pycache-guard]\nallow = [{path = "data/**", reason = "r"}]\n'
    )
    for n in range(12):
        cloned.add(f"{n}.pyc", "1")
        cloned.add(f"data/{n}.pyc", "1")
    cloned.commit("bad")
    (command,) = fix_commands(run("check-history").out)
    run_shell(command, cwd=cloned.path)
    assert [p for p in cloned.tracked() if p.endswith(".pyc")] == sorted(
        f"data/{n}.pyc" for n in range(12)
    )


@posix
def test_command_stops_if_something_else_is_staged(cloned: Repo, run: Run) -> None:
    add_and_delete(cloned)
    (command,) = fix_commands(run("check-history").out)
    cloned.add("c.py", "staged")
    head = cloned.git("rev-parse", "HEAD")
    done = subprocess.run(
        ["bash", "-c", command], cwd=cloned.path, capture_output=True, check=False, text=True
    )
    assert (done.returncode, "c.py" in done.stdout) == (1, True)
    assert cloned.git("rev-parse", "HEAD") == head


def with_merge_after(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.add("a.pyc", "1")
    repo.commit("bad")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")


def with_evil_merge(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.commit("main")
    repo.git("merge", "-q", "--no-commit", "side")
    repo.add("a.pyc", "1")
    repo.commit("merge")


def on_another_branch(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.add("a.pyc", "1")
    repo.commit("bad")
    repo.git("checkout", "-q", "main")


def with_too_many_names(repo: Repo) -> None:
    for n in range(11):
        repo.add(f"{n}.png", BYTECODE)
    repo.commit("bad")


def on_an_unborn_branch(repo: Repo) -> None:
    on_another_branch(repo)
    repo.git("symbolic-ref", "HEAD", "refs/heads/new")


def with_detached_head(repo: Repo) -> None:
    repo.add("a.pyc", "1")
    repo.commit("bad")
    repo.git("checkout", "-q", "--detach")


@pytest.mark.parametrize(
    "make",
    [
        with_detached_head,
        with_merge_after,
        with_evil_merge,
        on_another_branch,
        with_too_many_names,
        on_an_unborn_branch,
    ],
)
def test_commits_without_one_command_have_a_sentence_with_the_base(
    cloned: Repo, run: Run, make: Callable[[Repo], None]
) -> None:
    make(cloned)
    result = run("check-history", "--all")
    assert "To fix:" not in result.out
    (shown,) = re.findall(
        r"it is not pushed: `git rebase -i(?: --rebase-merges)? (\w{12})`", result.out
    )
    assert cloned.git("cat-file", "-t", shown) == "commit"
    assert all(finding["remedy"] is None for finding in findings(run, "--all"))


def as_a_server(repo: Repo, tmp_path: Path) -> str:
    repo.git("clone", "-q", "--bare", ".", os.fspath(tmp_path / "bare"))
    return os.fspath(tmp_path / "bare")


def as_ci(repo: Repo, _: Path) -> str:
    repo.git("checkout", "-q", "--detach")
    repo.git("branch", "-q", "-D", "main")
    return os.fspath(repo.path)


def as_pushed(repo: Repo, _: Path) -> str:
    repo.git("push", "-q")
    return os.fspath(repo.path)


def as_tagged(repo: Repo, _: Path) -> str:
    """Leave commits to tags, which may have come from anywhere."""
    repo.git("tag", "v1")
    repo.git("reset", "-q", "--hard", "origin/main")
    return os.fspath(repo.path)


@pytest.mark.parametrize("go", [as_a_server, as_ci, as_pushed, as_tagged])
def test_pushed_commits_have_the_filter_repo_command(
    cloned: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    go: Callable[[Repo, Path], str],
) -> None:
    add_and_delete(cloned)
    cloned.add("c.pyc", "1")
    cloned.commit("another")
    where = go(cloned, tmp_path)
    monkeypatch.chdir(where)
    result = run("check-history", *(["HEAD"] if go is not as_tagged else ["--all"]))
    assert result.code == 1
    assert result.out.count("rotate") == 2  # once a commit
    (command,) = fix_commands(result.out)
    assert "filter-repo --invert-paths --path a.pyc --path c.pyc " in command
    assert "\n`git filter-repo` " in result.out
    assert run("check-history", "--all", "--format", "json").err == ""
    filter_repo = shutil.which("git-filter-repo")
    if filter_repo is None:
        pytest.skip("git-filter-repo is not installed")
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True, text=True)
    monkeypatch.chdir(done.stdout.rpartition("rewritten: ")[2].strip())
    assert run("check-history", "--all") == CLEAN


def test_pushed_and_unpushed_commits_have_their_own_commands(cloned: Repo, run: Run) -> None:
    """Grouped by commit, the oldest first, the advice once a commit."""
    for name in ("z.pyc", "y.pyc"):
        cloned.add(name, "1")
    old = cloned.commit("pushed")
    cloned.git("push", "-q")
    for name in ("b.pyc", "a.pyc"):
        cloned.add(name, "1")
    new = cloned.commit("new")
    listed = findings(run, "HEAD")
    assert [(f["path"], f["commit"]) for f in listed] == [
        ("y.pyc", old),
        ("z.pyc", old),
        ("a.pyc", new),
        ("b.pyc", new),
    ]
    assert ["rotate" in f["message"] for f in listed] == [True, False, False, False]
    assert ["rebase" in f["message"] for f in listed] == [False, False, True, False]
    history, unpushed = fix_commands(run("check-history", "HEAD").out)
    assert "filter-repo" in history
    assert "filter-repo" not in unpushed
    assert "z.pyc" not in unpushed


@pytest.mark.parametrize(
    ("name", "data", "is_bytecode"),
    [
        ("__pycache__/main.py", b"x = 1\n", False),
        ("__pycache__/data.json", b"{}", False),
        ("a/__PYCACHE__/b/README", b"", False),
        ("__pycache__/m.nbi", b"x", True),
        ("__pycache__/m.cpython-313.pyc.140162621172480", b"x", True),
        ("__pycache__/m.pyc", b"", True),
        ("__pycache__/hidden.dat", BYTECODE, True),
    ],
)
def test_misplaced_file_is_advised_to_move(
    cloned: Repo, run: Run, name: str, data: bytes, is_bytecode: bool
) -> None:
    cloned.add(name, data)
    cloned.commit("bad")
    (one,) = findings(run)
    assert ("move it out of `__pycache__`" in one["message"]) != is_bytecode
    assert ("rebase" in one["message"]) == is_bytecode
    assert (one["remedy"] is not None) == is_bytecode
