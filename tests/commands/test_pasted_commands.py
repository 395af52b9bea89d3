"""Every printed command works where its reader stands: where `git commit` was typed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.repo import BYTECODE
from helpers.report_parser import fix_commands, run_shell

if TYPE_CHECKING:
    from helpers.repo import Repo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the hook is a shell script")

GOOD = "__pycache__/\n*.py[co]\n"
PLACES = [".", "pkg", "pkg/a b", "pkg/$x'"]

#: What is staged, by situation.
SITUATIONS: dict[str, dict[str, bytes | str]] = {
    "cache": {".gitignore": GOOD, "pkg/__pycache__/m.cpython-313.pyc": BYTECODE},
    "legacy": {".gitignore": GOOD, "a.pyc": BYTECODE, "pkg/b.pyc": BYTECODE},
    "other name": {".gitignore": GOOD, "pkg/logo.png": BYTECODE},
    "misplaced": {".gitignore": GOOD, "pkg/__pycache__/main.py": "x = 1\n"},
    "odd names": {".gitignore": GOOD, "pkg/a b.pyc": "1", "pkg/$x'.pyc": "1", "*.pyc": "1"},
    "many": {".gitignore": GOOD, **{f"pkg/d{n}/m.pyc": BYTECODE for n in range(30)}},
    "many of other names": {".gitignore": GOOD, **{f"d{n}/x.bin": BYTECODE for n in range(30)}},
    "no ignore file": {"pkg/m.py": "x = 1\n"},
    "nested ignore file": {
        ".gitignore": GOOD,
        "pkg/.gitignore": "!__pycache__/\n!*.pyc\n",
        "pkg/m.py": "x = 1\n",
    },
    "untidy ignore file": {".gitignore": ".pyc\n*.so", "pkg/m.py": "x = 1\n"},
    "everything": {
        "pkg/m.py": "x = 1\n",
        "pkg/__pycache__/m.cpython-313.pyc": BYTECODE,
        "pkg/__pycache__/main.py": "x = 1\n",
        "logo.png": BYTECODE,
    },
}


@pytest.fixture
def hooked(repo: Repo) -> Repo:
    """Make a repository whose `pre-commit` hook runs what is forbidden and what is ignored."""
    hook = repo.write(
        ".git/hooks/pre-commit",
        f"#!/bin/sh\n'{PROGRAM}' forbid-bytecode --quiet || exit 1\n"
        f"exec '{PROGRAM}' check-gitignore --quiet\n",
    )
    hook.chmod(0o755)
    for place in PLACES:
        (repo.path / place).mkdir(parents=True, exist_ok=True)
    return repo


def commit(repo: Repo, place: str) -> tuple[int, str]:
    """Run `git commit` in a directory; return its exit code and what it prints."""
    done = subprocess.run(
        ["git", "commit", "-q", "-m", "m"],
        cwd=repo.path / place,
        capture_output=True,
        check=False,
    )
    return done.returncode, os.fsdecode(done.stdout + done.stderr)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("place", PLACES)
def test_commands_of_a_refused_commit_work_where_it_was_typed(
    hooked: Repo, situation: str, place: str
) -> None:
    for path, data in SITUATIONS[situation].items():
        hooked.add(path, data)
    hooked.add("other.txt", "x\n")
    code, out = commit(hooked, place)
    assert code == 1
    for _ in range(2):  # `check-gitignore` is heard once `forbid-bytecode` is content
        commands = fix_commands(out)
        assert commands
        for command in commands:
            allowed = (0, 1) if "fix" in command and str(PROGRAM) in command else (0,)
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=hooked.path / place,
                capture_output=True,
                check=False,
            )
            assert done.returncode in allowed, (command, done.stderr)
        code, out = commit(hooked, place)
        if code == 0:
            break
    assert code == 0, out
    assert not (hooked.path / place / ".gitignore").exists() or place in (".", "pkg")
    assert "other.txt" in hooked.tracked()


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("place", PLACES[:3])
def test_fix_and_its_commands_leave_a_clean_tree(hooked: Repo, situation: str, place: str) -> None:
    """What was committed before there was a hook."""
    for path, data in SITUATIONS[situation].items():
        hooked.add(path, data)
    hooked.git("commit", "-q", "--no-verify", "-m", "old")
    where = hooked.path / place
    done = subprocess.run([PROGRAM, "fix"], cwd=where, capture_output=True, check=False)
    commands = fix_commands(os.fsdecode(done.stdout))
    left = any("To fix:" in line for line in os.fsdecode(done.stdout).splitlines())
    assert (done.returncode, done.stderr) == (1 if left else 0, b"")
    run_shell(*commands, cwd=where)
    if hooked.git("diff", "--cached", "--name-only"):
        run_shell("git commit -q -m left", cwd=where)
    untracked = {"logo.png"} | {f"d{n}/" for n in range(30)} | {"pkg/logo.png"}
    status = hooked.git("status", "--porcelain").splitlines()
    assert {line[3:] for line in status} <= untracked
    again = subprocess.run([PROGRAM, "fix"], cwd=where, capture_output=True, check=False)
    assert (again.returncode, again.stdout[:4]) == (0, b"OK: ")
