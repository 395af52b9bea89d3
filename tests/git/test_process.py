from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pycache_guard import system
from pycache_guard.git import spawn
from pycache_guard.git.process import DROPPED
from pycache_guard.git.process import SET
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading
from pycache_guard.git.process import Silent
from pycache_guard.git.process import environment
from pycache_guard.git.process import git
from pycache_guard.git.process import last_words
from pycache_guard.git.process import object_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for git")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", ""),
        (b"\n", ""),
        (b"fatal: bad\n", "bad"),
        (b"warning: w\nhint: h\nfatal: bad\n", "bad"),
        (b"error: one\nerror: two\nerror: one\nfatal: three\n", "one; two; three"),
        (b"fatal: bad\nmore of it\n\n", "bad; more of it"),
        (b"trace: x\nkilled\n", "killed"),
        (b"fatal: \xff\r\n", "\\xff"),
    ],
)
def test_last_words(said: bytes, expected: str) -> None:
    assert last_words(said) == expected


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*DROPPED, *SET):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("GIT_INDEX_FILE", "kept")
    made = environment(GIT_INDEX_FILE="changed", NEW="1")
    assert not made.keys() & set(DROPPED)
    assert made.items() >= {**SET, "GIT_INDEX_FILE": "changed", "NEW": "1"}.items()
    assert environment()["GIT_INDEX_FILE"] == "kept"


def test_output(repo: Repo) -> None:
    assert git("rev-parse", "--git-dir") == b".git\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("rev-parse", "--verify", "no"), "git rev-parse: Needed a single revision"),
        (("-C", "nowhere", "ls-files"), "git ls-files: cannot change to 'nowhere'"),
        (("cat-file", "blob", "0" * 40), "git cat-file: git cat-file 0"),
    ],
)
def test_failures(repo: Repo, args: tuple[str, ...], message: str) -> None:
    with pytest.raises(GitFailure) as failure:
        git(*args)
    assert str(failure.value).startswith(message)


@pytest.mark.parametrize("error", [ValueError, IndexError, UnicodeDecodeError("a", b"", 0, 1, "")])
def test_an_answer_that_cannot_be_taken_apart(error: Exception | type[Exception]) -> None:
    with (
        pytest.raises(GitFailure, match=r"^git x: its answer is not as git writes it$"),
        Reading("x"),
    ):
        raise error


def test_other_errors_are_bugs() -> None:
    with pytest.raises(ZeroDivisionError), Reading("x"):
        raise ZeroDivisionError


@pytest.mark.parametrize("text", [b"a" * 40, b"0" * 64 + b"\n"])
def test_object_id(text: bytes) -> None:
    assert object_id(text, "x") == text.decode().strip()


@pytest.mark.parametrize("text", [b"", b"\n", b"a" * 39, b"A" * 40, b"g" * 40, b"\xff" * 40])
def test_no_object_id(text: bytes) -> None:
    with pytest.raises(GitFailure, match=r"^git x: its answer is not as git writes it$"):
        object_id(text, "x")


def test_allowed_codes(repo: Repo) -> None:
    process = Git("config", "--get", "no.such")
    assert process.check(allowed=(0, 1)) == 1
    with pytest.raises(GitFailure, match=r"^git config: ended with 1$"):
        git("config", "--get", "no.such")


def test_not_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(
        GitFailure, match=r"^git was not found on PATH: install git 2\.25 or later$"
    ):
        git("version")


@posix
def test_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "git").write_text("")
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(GitFailure, match=r"^git could not be started: Permission denied$"):
        git("version")


def test_a_git_that_wants_to_fetch(pretend: Callable[[str], None]) -> None:
    """As git before 2.27 does in a partial clone, for every comparison."""
    pretend("echo \"fatal: transport 'file' not allowed\" >&2; exit 128")
    with pytest.raises(
        GitFailure, match=r"^git diff-tree: this partial clone lacks an object, .*2\.27"
    ):
        git("diff-tree")


@posix
def test_a_daemon_that_keeps_stderr_open_is_not_waited_for(pretend: Callable[[str], None]) -> None:
    """As `git fsmonitor--daemon` or a credential helper may, which git starts and leaves."""
    pretend("sleep 60 & exit 0")
    before = time.monotonic()
    process = Git("ls-files")
    assert process.check() == 0
    assert time.monotonic() - before < 30


@posix
@pytest.mark.parametrize("ticks", [None, (b"1", b"1")])
def test_a_git_that_is_silent_and_idle_is_given_up(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, ticks: object
) -> None:
    """Also where the system does not say how much of the processor it used, after a longer time."""
    pretend("exec sleep 60")
    monkeypatch.setattr(spawn, "POLL_MILLISECONDS", 5)
    monkeypatch.setattr(spawn, "SILENCE_MILLISECONDS", 10)
    monkeypatch.setattr(spawn, "UNKNOWN_SILENCES", 3)
    monkeypatch.setattr(system, "processor_ticks", lambda _: ticks)
    for ask in (Git.read, Git.check, Git.output):
        with pytest.raises(Silent, match=r"^git ls-files: has done nothing for"):
            ask(Git("ls-files"))
    spawn.stop_all()


@posix
def test_a_git_that_is_silent_and_at_work_is_waited_for(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend("sleep 0.5; echo done")
    monkeypatch.setattr(spawn, "POLL_MILLISECONDS", 5)
    monkeypatch.setattr(spawn, "SILENCE_MILLISECONDS", 10)
    count = iter(range(10_000))
    monkeypatch.setattr(system, "processor_ticks", lambda _: next(count))
    assert git("ls-files") == b"done\n"


def test_killed(pretend: Callable[[str], None]) -> None:
    pretend("printf 'whole\\0'; kill -9 $$")
    with pytest.raises(GitFailure, match=r"^git ls-files: ended with -9$"):
        git("ls-files")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exec 0<&-; echo 'fatal: bad' >&2; exit 128", "git x: bad"),
        ("exec 0<&-; exit 0", "git x: ended before it had read everything"),
    ],
)
def test_no_longer_reads(pretend: Callable[[str], None], script: str, message: str) -> None:
    pretend(script)
    process = Git("x", feed=True)
    with pytest.raises(GitFailure) as failure:
        process.write(b"y" * 1_000_000)
    assert str(failure.value) == message


def test_programs_that_a_repository_names_are_not_run(repo: Repo, tmp_path: Path) -> None:
    """Not for what we ask git for: the file system monitor, and the hooks."""
    witness = tmp_path / "witness"
    program = repo.write(".git/hooks/post-index-change", f"#!/bin/sh\ntouch '{witness}'\n")
    program.chmod(0o755)
    repo.git("config", "core.fsmonitor", os.fspath(program))
    repo.write("a", b"")
    git("update-index", "--add", "a")
    git("ls-files", "--stage")
    assert not witness.exists()
    repo.git("update-index", "--refresh", "--force-remove", "a")
    assert witness.exists() or sys.platform == "win32"
