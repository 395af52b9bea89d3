"""The check of printed commands, which runs after every test, finds commands that do not work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.printed_commands import CommandLog, UnfitCommand, check_words, printed_commands
from helpers.repo import BYTECODE, Result

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.printed_commands import PrintedCommands
    from helpers.repo import Repo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="commands for a POSIX shell")

GOOD = [
    "git rm -r -f --cached -- a.pyc 'a b.pyc' ':(top)-x'",
    "git rm -r -f --cached -- $'a\\x0a.pyc'",
    "(cd \"$(git rev-parse --show-toplevel)\" && printf %s\\\\n '*.pyc' >> .gitignore && git add -f -- .gitignore)",
    'git add -f -- .gitignore && git commit -m "Untrack bytecode"',
    'git -C "$(git rev-parse --show-toplevel)" mv --force -- a b',
    f"'{PROGRAM}' fix",
    f"{PROGRAM} forbid-bytecode --fix --allow='*.x'",
    "git clone -q --bare --no-local x y && git commit -q --allow-empty --amend --no-edit",
    "chmod o-w -- --odd",
    "printf %s x >> '$(x)/.gitignore' && git add -f -- '$(x)/.gitignore'",
    "export PYTHONPYCACHEPREFIX=~/.cache/pycache",
]
BAD = [
    ("git rm --cached -- 'a.pyc", "is not shell"),
    ("(cd x && git add a", "is not shell"),
    ("git untrack -- a.pyc", "no verb untrack"),
    ("git rm --keep -- a.pyc", "no option --keep"),
    ("git rm -- a.pyc && git commit --messages m", "no option --messages"),
    ('git add "$(git rev-prase --show-toplevel)"', "no verb rev-prase"),
    ("git -C x mv --sparce -- a b", "no option --sparce"),
    (f"{PROGRAM} repair", "no command"),
    (f"{PROGRAM} fix --all", "no option --all"),
    (f"{PROGRAM} clean --orphan", "no option --orphan"),
    ("/opt/bin/pycache-guard fix", "no program /opt/bin/pycache-guard"),
    ("removefile a.pyc", "no program removefile"),
    ("echo a | removefile", "no program removefile"),
]


@pytest.mark.parametrize("command", GOOD)
def test_command_whose_words_exist_passes(command: str) -> None:
    check_words(command)


@pytest.mark.parametrize(("command", "words"), BAD)
def test_command_with_an_unknown_word_is_found(command: str, words: str) -> None:
    with pytest.raises(UnfitCommand, match=words):
        check_words(command)


def test_program_may_be_named_in_a_report_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    (tmp_path / "sh").symlink_to(shell)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    check_words("pycache-guard fix", is_named=True)
    with pytest.raises(UnfitCommand, match="no program pycache-guard"):
        check_words("pycache-guard fix")


def test_commands_of_both_kinds_of_reports_are_found() -> None:
    text = "a.pyc: PYC001 x\n\nTo fix:\n    git rm a\n    git rm b\n\nNow commit:\n    git commit\n"
    assert printed_commands((), text) == ["git rm a", "git rm b", "git commit"]
    remedies = ["git rm a", "move it", None, "/bin/pycache-guard fix", "git rm a"]
    report = {"findings": [{"remedy": remedy} for remedy in remedies], "commit_command": "git x"}
    found = printed_commands(("--format=json",), json.dumps(report))
    assert found == ["git rm a", "/bin/pycache-guard fix", "git x"]


def report_of(*commands: str) -> Result:
    """Return a report that prints commands."""
    return Result(1, "To fix:\n" + "".join(f"    {command}\n" for command in commands), "")


CLEAN = Result(0, "OK: x.\n", "")


def test_commands_are_run_where_their_reader_stands(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a hook that is the directory in which `git commit` was typed."""
    repo.add("pkg/a.pyc")
    monkeypatch.setenv("GIT_PREFIX", "pkg/")
    log = CommandLog(tmp_path)
    log.add((), report_of("git rm -q --cached -- a.pyc"))
    asked: list[PrintedCommands] = []

    def again(printed: PrintedCommands) -> Result:
        asked.append(printed)
        return CLEAN

    assert log.run(again) == 1
    assert repo.tracked() == []
    assert asked[0].cwd == f"{repo.path}/pkg/"
    assert "GIT_PREFIX" not in asked[0].environment
    assert log.run(again) == 0, "once is enough"


def test_command_that_fails_is_found(repo: Repo, tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    log.add((), report_of("git rm -q --cached -- a.pyc"))
    with pytest.raises(UnfitCommand, match=r"ends with 128: .*a\.pyc"):
        log.run(lambda _: CLEAN)


def test_command_that_does_not_help_is_found(repo: Repo, tmp_path: Path) -> None:
    log = CommandLog(tmp_path)
    log.add((), report_of("git add -A"))
    with pytest.raises(UnfitCommand, match=r"printed again: \{.git add -A.\}"):
        log.run(lambda _: report_of("git add -A"))


@pytest.mark.parametrize("change", ["git add a.pyc", "rm m.py", "mkdir d", "chmod +x m.py"])
def test_commands_are_not_run_after_a_change(repo: Repo, tmp_path: Path, change: str) -> None:
    repo.add("m.py")
    repo.write("a.pyc", BYTECODE)
    log = CommandLog(tmp_path)
    log.add((), report_of("git rm -q --cached -- no-such-file"))
    subprocess.run(["sh", "-c", change], check=True)
    assert log.run(lambda _: CLEAN) == 0


@pytest.mark.parametrize(
    "command", ["git rebase -i HEAD", "sudo rm -rf x", "pre-commit install", "npx husky"]
)
def test_commands_that_ask_somebody_are_not_run(repo: Repo, tmp_path: Path, command: str) -> None:
    log = CommandLog(tmp_path)
    log.add((), report_of(command))
    assert log.run(lambda _: report_of(command)) == 0


def test_commands_outside_the_directory_of_the_test_are_not_run(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = report_of("git rm -q --cached -- no-such-file")
    for log, name in ((CommandLog(tmp_path / "other"), "X"), (CommandLog(tmp_path), "GIT_DIR")):
        monkeypatch.setenv(name, ".git")
        log.add((), command)
        assert log.run(lambda _: CLEAN) == 0


@pytest.mark.xfail(raises=UnfitCommand, strict=True, reason="the command fails after the test")
def test_printed_commands_of_every_test_are_run(
    repo: Repo, run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test must fail: after the report, a git that does nothing is found on PATH."""
    repo.add("a.pyc", BYTECODE)
    git = tmp_path_factory.mktemp("broken") / "git"
    monkeypatch.setenv("PATH", f"{git.parent}{os.pathsep}{os.environ['PATH']}")
    assert run("forbid-bytecode").code == 1
    git.write_text("#!/bin/sh\nexit 3\n")
    git.chmod(0o755)
