"""`fix`: untracking and ignoring in one step, for a repository that has the problem."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.fresh_clone import FreshClone
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN
from helpers.report_parser import fix_commands
from helpers.report_parser import parse_report
from helpers.report_parser import run_shell

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Program
    from conftest import Run
    from helpers.repo import Repo

CACHE = "pkg/__pycache__/m.cpython-313.pyc"
BOTH = 'git add -f -- .gitignore && git commit -m "Untrack bytecode"'


def state(repo: Repo) -> dict[str, str]:
    """Return every file of a repository, the index and the objects among them, by its digest."""
    files = [path for path in repo.path.rglob("*") if path.is_file()]
    return {os.fspath(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def spoiled(repo: Repo) -> Repo:
    """Make a repository that has the problem."""
    repo.add("pkg/m.py", "x = 1\n")
    repo.add(CACHE, BYTECODE)
    repo.add("a.pyc", BYTECODE)
    repo.add(".gitignore", "*.so\n")
    repo.commit()
    return repo


def test_both_in_one_step(spoiled: Repo, run: Run, tmp_path: Path) -> None:
    told = run("fix", "--quiet")
    assert (told.code, told.err) == (1, "")
    assert told.out == (
        ".gitignore: PYC101 added `__pycache__/`, `*.py[co]`\n"
        "a.pyc: PYC001 untracked; the file stays on disk\n"
        f"{CACHE}: PYC001 untracked; the file stays on disk\n"
        f"\nTo fix:\n    {BOTH}\n"
    )
    assert (spoiled.path / CACHE).read_bytes() == BYTECODE
    assert (spoiled.path / "a.pyc").read_bytes() == BYTECODE
    run_shell(*fix_commands(told.out), cwd=spoiled.path)
    assert spoiled.git("status", "--porcelain") == ""
    assert spoiled.tracked() == [".gitignore", "pkg/m.py"]
    assert run("fix") == CLEAN
    assert run("forbid-bytecode") == CLEAN
    assert run("check-gitignore") == CLEAN
    clone = FreshClone(spoiled, tmp_path / "clone")
    clone.compile("pkg/m.py")
    clone.compile_legacy("pkg/m.py")
    assert clone.untracked() == set()


def test_below_the_top(spoiled: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(spoiled.path / "pkg")
    run_shell(*fix_commands(run("fix", "--quiet").out), cwd=spoiled.path / "pkg")
    assert spoiled.git("status", "--porcelain") == ""
    assert run("fix") == CLEAN


def test_only_one_of_both(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "*.so\n")
    told = run("fix", "--quiet")
    assert fix_commands(told.out) == ["git add -f -- .gitignore"]
    run_shell(*fix_commands(told.out), cwd=repo.path)
    repo.commit()
    repo.add("a.pyc")
    told = run("fix", "--quiet")
    assert told.out.startswith("a.pyc: PYC001 untracked")
    assert fix_commands(told.out) == ['git commit -m "Untrack bytecode"']
    assert run("fix") == CLEAN


def test_a_dry_run_changes_nothing(spoiled: Repo, run: Run, program: Program) -> None:
    before = state(spoiled)
    told = run("fix", "--quiet", "--dry-run")
    assert state(spoiled) == before
    assert (told.code, told.err) == (1, "")
    assert told.out == (
        ".gitignore: PYC101 would add `__pycache__/`, `*.py[co]`\n"
        "a.pyc: PYC001 bytecode is tracked\n"
        f"{CACHE}: PYC001 bytecode is tracked\n"
        "\nTo fix:\n"
        "    pycache-guard fix\n"
    )
    assert program("fix", "--quiet", "--dry-run") == told
    assert run("fix", "--quiet", "--dry-run") == told
    assert state(spoiled) == before
    run("fix", "--quiet")
    spoiled.git("add", "-f", ".gitignore")
    assert run("fix", "--dry-run") == CLEAN


def test_bytecode_of_another_name_is_left_to_a_person(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.add("data.bin", BYTECODE)
    told = run("fix")
    assert [(f.place, f.code) for f in parse_report(told.out)] == [("data.bin", "PYC002")]
    run_shell(*fix_commands(told.out), cwd=repo.path)
    assert run("fix") == CLEAN


@pytest.mark.parametrize("name", ["assets/a.bin", "z.bin"])
def test_it_is_untracked_before_the_commit(spoiled: Repo, run: Run, name: str) -> None:
    """A hook would refuse a commit that still has it, wherever its name sorts."""
    spoiled.add(name, BYTECODE)
    hook = spoiled.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec '{PROGRAM}' forbid-bytecode\n")
    hook.chmod(0o755)
    (remedy,) = fix_commands(run("fix", "--quiet").out)
    assert remedy == f"git rm -r -f --cached -- {name} && {BOTH}"
    run_shell(remedy, cwd=spoiled.path)
    assert run("fix") == CLEAN
    assert spoiled.git("status", "--porcelain", "--untracked-files=no") == ""


def test_more_than_a_command_holds_is_told_one_by_one(spoiled: Repo, run: Run) -> None:
    for number in range(150):
        spoiled.add(f"{number}.bin", BYTECODE)
    told = fix_commands(run("fix", "--quiet").out)
    assert len(told) == 152
    assert told[-1] == 'git commit -m "Untrack bytecode"'


def test_what_is_allowed_stays(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n")
    repo.add("data/a.pyc", BYTECODE)
    repo.add(
        "pyproject.toml",
        '[tool.pycache-guard]\nallow = [{path = "data/*.pyc", reason = "r"}]\nprobes = ["cache"]\n',
    )
    assert run("fix") == CLEAN


def test_an_index_of_its_own(spoiled: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `git commit -a` nothing is untracked, and nothing is told to be committed."""
    index = spoiled.path / ".git" / "next-index-1.lock"
    index.write_bytes((spoiled.path / ".git" / "index").read_bytes())
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(index))
    told = run("fix", "--quiet")
    assert fix_commands(told.out) == [
        "git add -f -- .gitignore",
        "git rm -r -f --cached -- a.pyc",
        "git rm -r -f --cached -- pkg/__pycache__",
    ]
    assert "a.pyc" in spoiled.tracked()


def test_what_cannot_be_judged_changes_nothing(spoiled: Repo, run: Run) -> None:
    oid = spoiled.stage("new.bin", "new\n")
    (spoiled.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    before = state(spoiled)
    told = run("fix")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error: ")
    assert state(spoiled) == before


def test_a_locked_index(spoiled: Repo, run: Run) -> None:
    """What could be done stands; the next run says the rest."""
    lock = spoiled.path / ".git" / "index.lock"
    lock.touch()
    told = run("fix", "--quiet")
    assert (told.code, told.out) == (2, "")
    assert "index.lock" in told.err
    lock.unlink()
    told = run("fix", "--quiet")
    assert told.code == 1
    run_shell(*fix_commands(told.out), cwd=spoiled.path)
    assert run("fix") == CLEAN


def test_formats(spoiled: Repo, run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report"
    assert run("fix", "--dry-run", "--format", "json", "--output", str(report)) == (1, "", "")
    told = json.loads(report.read_text())
    assert told["command"] == "fix"
    assert [f["code"] for f in told["findings"]] == ["PYC101", "PYC001", "PYC001"]


def test_wrong_usage(repo: Repo, run: Run) -> None:
    told = run("fix", "pkg")
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith("error: unrecognized arguments: pkg")
