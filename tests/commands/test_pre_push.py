"""Real pushes by git's own hook; and what runners tell."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.repo import Repo, Result
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run

posix = pytest.mark.skipif(sys.platform == "win32", reason="the hook is a shell script")


@pytest.fixture
def hooked(repo: Repo, make_repo: Callable[..., Repo]) -> Repo:
    """Make a repository with the hook, and a remote `origin`."""
    repo.git("remote", "add", "origin", os.fspath(make_repo("server.git", "--bare").path))
    hook = repo.write(
        ".git/hooks/pre-push", f"#!/bin/sh\nexec '{PROGRAM}' pre-push --quiet \"$@\"\n"
    )
    hook.chmod(0o755)
    repo.commit("first")
    return repo


def push(repo: Repo, *words: str) -> Result:
    done = subprocess.run(["git", "push", *words], cwd=repo.path, capture_output=True, check=False)
    return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


@posix
def test_clean_push_succeeds(hooked: Repo) -> None:
    hooked.git("tag", "-a", "-m", "m", "v1")
    for words in (
        ["origin", "main"],
        ["origin", "main"],
        ["origin", "main:refs/heads/other", "v1"],
        ["origin", ":refs/heads/other"],
        ["--mirror", "origin"],
    ):
        result = push(hooked, *words)
        assert (result.code, result.out) == (0, "" if "main:" not in words else result.out), result


@posix
def test_every_ref_of_a_push_is_checked(hooked: Repo) -> None:
    """The bytecode is in the second, and deleted again: no runner sees that."""
    assert push(hooked, "origin", "main").code == 0
    hooked.commit("good")
    hooked.git("checkout", "-q", "-b", "topic")
    hooked.add("a.pyc", "1")
    bad = hooked.commit("bad")
    hooked.git("rm", "-q", "a.pyc")
    hooked.commit("gone")
    result = push(hooked, "origin", "main", "topic")
    assert result.code == 1
    assert result.out.startswith(f"a.pyc: PYC001 bytecode comes in with commit {bad}")
    assert push(hooked, "origin", "main").code == 0
    assert push(hooked, "--no-verify", "origin", "topic").code == 0
    hooked.commit("after")
    assert push(hooked, "origin", "topic").code == 0


@posix
def test_force_push_over_unknown_commits_is_checked(hooked: Repo) -> None:
    server = Repo(hooked.path.parent / "server.git")
    assert push(hooked, "origin", "main").code == 0
    other = server.git("commit-tree", "-m", "other", server.git("mktree"))
    server.git("update-ref", "refs/heads/main", other)
    hooked.add("a.pyc", "1")
    hooked.commit("bad")
    assert push(hooked, "--force", "origin", "main").code == 1
    hooked.git("reset", "-q", "--hard", "HEAD~1")
    assert push(hooked, "--force", "origin", "main").code == 0


@posix
def test_push_to_a_url_checks_everything(hooked: Repo) -> None:
    """Nothing is known of what it has: everything is judged."""
    hooked.add("a.pyc", "1")
    hooked.commit("bad")
    assert push(hooked, "--no-verify", "origin", "main").code == 0
    url = hooked.git("remote", "get-url", "origin")
    assert push(hooked, url, "main:refs/heads/new").code == 1
    assert push(hooked, "origin", "main:refs/heads/new").code == 0


def say(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Put `lines` on stdin."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))


def test_options_follow_the_arguments_of_git(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.pyc", "1")
    commit = repo.commit()
    line = f"main {commit} refs/heads/main {'0' * 40}\n"
    for argv, code in [
        (["origin", "url"], 1),
        (["origin"], 1),
        (["--allow", "a.*", "origin", "url"], 0),
        (["origin", "url", "--allow=a.*"], 0),
        (["--content", "none"], 1),
        ([], 1),
        (["a", "b", "c"], 2),
        (["--no"], 2),
    ]:
        say(monkeypatch, line)
        assert run("pre-push", *argv).code == code, argv


def test_push_of_nothing_succeeds(repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, "")
    assert run("pre-push", "origin", "url") == CLEAN
    say(monkeypatch, f"(delete) {'0' * 40} refs/heads/x {'1' * 40}\n")
    assert run("pre-push", "origin", "url", "--format", "json").out.count('"findings": []') == 1


#: Parts of a hook before ours that read the lines: M10 of the audit.
READERS = [
    "cat > /dev/null",
    "while read -r line; do :; done",
    "exec < /dev/null",
    "head -c 1000000 > /dev/null",
]


@posix
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "words", [["origin", "main"], ["origin", "topic"], ["../server.git", "HEAD:refs/heads/x"]]
)
def test_ref_lines_that_were_read_before_hide_nothing(
    hooked: Repo, reader: str, words: list[str]
) -> None:
    assert push(hooked, "origin", "main").code == 0
    hooked.git("branch", "topic")
    hook = hooked.path / ".git" / "hooks" / "pre-push"
    hook.write_text(hook.read_text().replace("exec", f"{reader}\nexec", 1))
    assert push(hooked, "origin", "main").code == 0
    hooked.add("a.pyc", "1")
    hooked.commit("bad")
    hooked.git("branch", "-f", "topic")
    hooked.git("rm", "-q", "a.pyc")
    hooked.commit("gone")
    result = push(hooked, *words)
    assert result.code == 1
    assert "a.pyc: PYC001" in result.out
    assert "note: stdin had no ref lines" in result.err


def test_findings_without_ref_lines_come_with_a_note(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commits may be others than those of the push, so the reason is given."""
    repo.add("a.pyc", "1")
    repo.commit()
    say(monkeypatch, "")
    result = run("pre-push", "origin", "url")
    assert result.code == 1
    assert result.out.startswith("a.pyc: PYC001")
    assert "note: stdin had no ref lines, so HEAD and all branches were checked" in result.err


@posix
def test_push_that_is_up_to_date_succeeds_although_history_has_bytecode(hooked: Repo) -> None:
    """Git calls the hook without a line; the remote has everything already."""
    hooked.add("a.pyc", "1")
    hooked.commit("bad")
    assert push(hooked, "--no-verify", "origin", "main").code == 0
    for words in (
        ["origin", "main"],
        ["origin", "main:main"],
        [hooked.git("remote", "get-url", "origin"), "main"],
    ):
        assert push(hooked, *words).code == 0, words


@posix
def test_detached_head_is_checked_without_lines(hooked: Repo) -> None:
    assert push(hooked, "origin", "main").code == 0
    hook = hooked.path / ".git" / "hooks" / "pre-push"
    hook.write_text(hook.read_text().replace("exec", "cat > /dev/null\nexec", 1))
    hooked.git("checkout", "-q", "--detach")
    hooked.add("a.pyc", "1")
    hooked.commit("bad")
    assert push(hooked, "origin", "HEAD:refs/heads/new").code == 1


@pytest.mark.parametrize("lines", ["x\n", "main 1 main 2\n", "\n"])
def test_malformed_ref_line_ends_with_2(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    say(monkeypatch, lines)
    result = run("pre-push", "origin", "url")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: malformed ref line on stdin: ")


def test_environment_of_a_runner_gives_the_commits(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its environment: stdin is empty."""
    repo.add("a.pyc", "1")
    repo.commit()
    repo.commit()
    say(monkeypatch, "")
    result = run("pre-push")
    assert (result.code, result.out) == (2, "")
    assert "no REMOTE" in result.err
    monkeypatch.setenv("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main")
    monkeypatch.setenv("PRE_COMMIT_REMOTE_NAME", "origin")
    assert run("pre-push").code == 1
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert run("pre-push") == CLEAN


def test_help_describes_the_hook(run: Run) -> None:
    result = run("pre-push", "--help")
    assert (result.code, result.err) == (0, "")
    assert "REMOTE" in result.out
