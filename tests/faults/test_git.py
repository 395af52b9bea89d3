"""Git dies, is killed, or answers what git does not answer, at each question of each command."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from faults.fake_git import FAULTS, FakeGit, false_git
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

if TYPE_CHECKING:
    from pathlib import Path

    from faults.fault_env import Sandbox

pytestmark = posix

#: Those that end.
ENDING = [name for name in FAULTS if not name.startswith("hangs")]
#: Answers that git could give as well: an index, a range, a tree with nothing in it.
CREDIBLE = {"says nothing"}
#: What asks nothing.
WITHOUT_GIT = ("check-dist", "check-bundle")
#: For processes that stay open for requests, these equal `hangs`: no output ends the wait.
WAITING = {
    ("diff-tree", "mixes up digits"),
    *(
        (verb, fault)
        for verb in ("cat-file", "diff-tree")
        for fault in ENDING
        if fault.endswith("half-way")
    ),
}


@pytest.fixture
def git(tmp_path: Path) -> FakeGit:
    """Put a false git into a directory of its own."""
    return false_git(tmp_path / "false")


def questions(scene: Sandbox, call: Call, git: FakeGit) -> list[str]:
    """Return what a call asks git, when nothing is wrong."""
    assert_clean_exit(scene.run(call, env=git.failing_at("nothing", "")))
    return git.asked()


def attack(template: Path, path: Path, call: Call, git: FakeGit, at: str, fault: str) -> None:
    """Let one question go wrong; check what comes of it."""
    scene = copied(template, path)
    before = scene.state()
    # An answer shorter than that is whole: then git would wait for the next question.
    size = 5 if at.partition(".")[0] in ("cat-file", "diff-tree") else 20
    result = scene.run(call, env=git.failing_at(at, fault, size))
    context = f"{call}, {at} {fault}"
    assert_clean_exit(result)
    if call.command != "clean" and git.reached and fault not in CREDIBLE:
        assert result.code, f"{context}: passed"
    assert scene.unexpected_files() == [], context
    keeps = call.command == "clean" and "--include-tracked" not in call.options
    if keeps and fault not in CREDIBLE:
        gone = before.keys() - scene.state().keys()
        assert gone <= {*LEFT_BEHIND}, f"{context}: removed {gone}"


@every_command(8)
def test_each_question_fails_in_one_way(
    template: Path, tmp_path: Path, call: Call, git: FakeGit
) -> None:
    """The first of each verb; the ways go round."""
    ways = itertools.cycle(ENDING)
    asked = questions(copied(template, tmp_path / "scene"), call, git)
    assert asked or call.command in WITHOUT_GIT
    for question in [name for name in asked if name.endswith(".1")]:
        fault = next(way for way in ways if (question.partition(".")[0], way) not in WAITING)
        attack(template, tmp_path / question, call, git, question, fault)
        assert git.reached, question


@slow
@every_call(9)
def test_each_question_fails_in_every_way(
    template: Path, tmp_path: Path, call: Call, git: FakeGit
) -> None:
    asked = questions(copied(template, tmp_path / "scene"), call, git)
    for n, (question, fault) in enumerate(itertools.product(asked, ENDING)):
        if (question.partition(".")[0], fault) not in WAITING:
            attack(template, tmp_path / str(n), call, git, question, fault)


@pytest.mark.parametrize(
    ("verb", "call"),
    [("cat-file", INVOCATIONS[0]), ("diff-tree", INVOCATIONS[7])],
    ids=["cat-file", "diff-tree"],
)
@pytest.mark.parametrize("size", [5, 25])
def test_a_process_that_is_asked_again_and_again_dies(
    scene: Sandbox, git: FakeGit, verb: str, call: Call, size: int
) -> None:
    result = scene.run(call, env=git.failing_at(f"{verb}.1", "dies half-way", size))
    assert git.reached
    assert_clean_exit(result)
    assert result.code == 2


@every_command(9)
def test_no_git(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    (tmp_path / "empty").mkdir()
    result = scene.run(call, env={"PATH": os.fspath(tmp_path / "empty")})
    assert_clean_exit(result)
    if call.command in (*WITHOUT_GIT, "inspect", "verify-bytecode", "lint"):
        assert result.code  # some do not need git: they check files on disk
    else:
        assert (result.code, result.out) == (2, "")
        assert "git was not found on PATH" in result.err


@every_command(10)
def test_git_cannot_be_started(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("")
    result = scene.run(call, env={"PATH": os.fspath(tmp_path / "bin")})
    assert_clean_exit(result)
    assert result.code
