"""Files, the index and the repository change while a command is at work."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    INVOCATIONS,
    LEFT_BEHIND,
    Call,
    assert_clean_exit,
    copied,
    every_call,
    every_command,
    posix,
    slow,
)
from faults.step_log import run_with_fault, steps_of
from helpers.repo import Repo

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = posix

#: Actions of another process in the meantime.
CHANGES = (
    "rm -rf pkg",
    "rm -rf .git",
    "rm -f .git/index",
    "git update-index --force-remove pkg/__pycache__/m.cpython-311.pyc",
    "git rm -rq --cached . && git add -f a.py",
    "rm -rf pkg && ln -s / pkg",
    "rm -f .gitignore .dockerignore && ln -s /etc/passwd .gitignore && ln -s x .dockerignore",
    "rm -f lint.py a.py Dockerfile pyproject.toml; rm -rf dist",
    "find . -name '*.pyc' -delete",
    "git checkout -qf HEAD~1",
    "git gc -q --prune=now; git prune",
    "git update-ref -d HEAD",
)
MENDED = {
    "check-gitignore": ".gitignore",
    "fix": ".gitignore",
    "check-dockerignore": ".dockerignore",
}
EDITORS = [call for call in INVOCATIONS if call.writes and call.command in MENDED]


@pytest.mark.parametrize("is_there", [True, False], ids=["changed", "new"])
@pytest.mark.parametrize("call", EDITORS, ids=str)
def test_what_somebody_writes_meanwhile_is_not_lost(
    template: Path, tmp_path: Path, call: Call, is_there: bool
) -> None:
    """Up to the very instant of the renaming, which is the last step but for `fix`'s index."""
    name = MENDED[call.command]
    if not is_there:
        template = copied(template, tmp_path / "without").path
        Repo(template).git("rm", "-q", "-f", name)
    change = f"shell printf 'mine\\n' >> {name}"
    last, _, new = steps_of(template, tmp_path, call, everything=False)
    if call.command == "fix" and not hasattr(os, "O_TMPFILE"):
        last -= 2  # the file with the paths for git is made with a name, which is removed
    index = copied(template, tmp_path / "index").state()[":index"]
    refused = 0
    for n in range(1, last):
        scene = copied(template, tmp_path / str(n))
        result = run_with_fault(scene, call, change, n, everything=False)
        assert b"mine\n" in scene.state().get(name, b""), n
        assert_clean_exit(result)
        if result.code == 2:
            refused += 1
            assert result.err.endswith(
                f"{name}: was modified by another process; nothing was written\n"
            )
            assert scene.state()[":index"] == index
    assert refused
    assert new[name]


def change_at(template: Path, path: Path, call: Call, change: str, step: int) -> None:
    """Let something change at a step; check what comes of it."""
    scene = copied(template, path)
    before = scene.state()
    result = run_with_fault(
        scene, call, f"shell {{ {change}; }} >&2 2>/dev/null", step, everything=True
    )
    assert_clean_exit(result)
    if call.command == "clean" and "rm" not in change and "delete" not in change:
        gone = {name for name in before if not (scene.path / name).exists() and name != ":index"}
        untracked = {name for name in before if name in change}
        included = {name for name in before if "--include-tracked" in call.options}
        allowed = {*LEFT_BEHIND, *untracked, *included}
        assert gone <= allowed or "checkout" in change, (change, step)
    shutil.rmtree(scene.path)


@every_command(1)
def test_something_changes(template: Path, tmp_path: Path, call: Call) -> None:
    """Before the second process is started, or the second thing written."""
    for number, change in enumerate(CHANGES):
        change_at(template, tmp_path / str(number), call, change, 2)


@slow
@every_call(1)
def test_anything_changes_at_any_step(template: Path, tmp_path: Path, call: Call) -> None:
    last, _, _ = steps_of(template, tmp_path, call, everything=True)
    for step in range(1, last + 1):
        for number, change in enumerate(CHANGES):
            change_at(template, tmp_path / f"{step} {number}", call, change, step)
