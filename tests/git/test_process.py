from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pycache_guard import compat
from pycache_guard.git import spawn
from pycache_guard.git.process import (
    DROPPED_VARIABLES,
    FIXED_VARIABLES,
    Git,
    GitFailure,
    Silent,
    environment,
    error_message,
    git_output,
    object_id,
    parsing_output,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.repo import Repo

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
def test_error_message_is_one_line_of_stderr(said: bytes, expected: str) -> None:
    assert error_message(said) == expected


def test_environment_drops_and_fixes_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*DROPPED_VARIABLES, *FIXED_VARIABLES):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("GIT_INDEX_FILE", "kept")
    made = environment(GIT_INDEX_FILE="changed", NEW="1")
    assert not made.keys() & set(DROPPED_VARIABLES)
    assert made.items() >= {**FIXED_VARIABLES, "GIT_INDEX_FILE": "changed", "NEW": "1"}.items()
    assert environment()["GIT_INDEX_FILE"] == "kept"


def test_environment_without_a_path_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty PATH would mean the current directory."""
    monkeypatch.delenv("PATH")
    assert "PATH" not in environment()


def test_git_output_returns_stdout(repo: Repo) -> None:
    assert git_output("rev-parse", "--git-dir") == b".git\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("rev-parse", "--verify", "no"), "git rev-parse: Needed a single revision"),
        (("-C", "nowhere", "ls-files"), "git ls-files: cannot change to 'nowhere'"),
        (("cat-file", "blob", "0" * 40), "git cat-file: git cat-file 0"),
    ],
)
def test_failing_git_is_a_failure_with_its_message(
    repo: Repo, args: tuple[str, ...], message: str
) -> None:
    with pytest.raises(GitFailure) as failure:
        git_output(*args)
    assert str(failure.value).startswith(message)


@pytest.mark.parametrize("error", [ValueError, IndexError, UnicodeDecodeError("a", b"", 0, 1, "")])
def test_parsing_error_is_a_git_failure(error: Exception | type[Exception]) -> None:
    with (
        pytest.raises(GitFailure, match=r"^git x: its output is malformed$"),
        parsing_output("x"),
    ):
        raise error


def test_other_error_while_parsing_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), parsing_output("x"):
        raise ZeroDivisionError


@pytest.mark.parametrize("text", [b"a" * 40, b"0" * 64 + b"\n"])
def test_object_id_is_returned_without_newline(text: bytes) -> None:
    assert object_id(text, "x") == text.decode().strip()


@pytest.mark.parametrize("text", [b"", b"\n", b"a" * 39, b"A" * 40, b"g" * 40, b"\xff" * 40])
def test_output_that_is_not_an_object_id_is_a_failure(text: bytes) -> None:
    with pytest.raises(GitFailure, match=r"^git x: its output is malformed$"):
        object_id(text, "x")


def test_wait_returns_allowed_exit_codes(repo: Repo) -> None:
    process = Git("config", "--get", "no.such")
    assert process.wait(allowed=(0, 1)) == 1
    with pytest.raises(GitFailure, match=r"^git config: ended with 1$"):
        git_output("config", "--get", "no.such")


def test_git_that_is_not_on_path_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(
        GitFailure, match=r"^git was not found on PATH: install git 2\.25 or later$"
    ):
        git_output("version")


@posix
def test_git_that_is_not_executable_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "git").write_text("")
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(GitFailure, match=r"^git could not be started: Permission denied$"):
        git_output("version")


def test_git_that_may_not_fetch_is_a_failure_with_a_hint(
    fake_git_script: Callable[[str], None],
) -> None:
    """As git before 2.27 does in a partial clone, for every comparison."""
    fake_git_script("echo \"fatal: transport 'file' not allowed\" >&2; exit 128")
    with pytest.raises(
        GitFailure, match=r"^git diff-tree: this partial clone lacks an object, .*2\.27"
    ):
        git_output("diff-tree")


@posix
def test_daemon_that_keeps_stderr_open_does_not_block(
    fake_git_script: Callable[[str], None],
) -> None:
    """As `git fsmonitor--daemon` or a credential helper may, which git starts and leaves."""
    fake_git_script("sleep 60 & exit 0")
    before = time.monotonic()
    process = Git("ls-files")
    assert process.wait() == 0
    assert time.monotonic() - before < 30


@pytest.fixture(params=[True, False], ids=["posix_spawn", "subprocess"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start children either way."""
    if request.param and not compat.HAS_POSIX_SPAWN:
        pytest.skip("this Python has no posix_spawnp")
    monkeypatch.setattr(compat, "HAS_POSIX_SPAWN", request.param)


@posix
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("ticks", [None, (b"1", b"1")])
def test_silent_and_idle_git_is_stopped(
    fake_git_script: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, ticks: object
) -> None:
    """Also where the system does not say how much of the processor it used, after a longer time."""
    fake_git_script("exec sleep 60")
    monkeypatch.setattr(spawn, "POLL_MILLISECONDS", 5)
    monkeypatch.setattr(spawn, "SILENCE_MILLISECONDS", 10)
    monkeypatch.setattr(spawn, "UNKNOWN_SILENCES", 3)
    monkeypatch.setattr(compat, "processor_ticks", lambda _: ticks)
    for ask in (Git.read, Git.wait, Git.output):
        with pytest.raises(Silent, match=r"^git ls-files: was idle for"):
            ask(Git("ls-files"))
    spawn.stop_all()


@posix
@pytest.mark.usefixtures("way")
def test_silent_git_at_work_is_waited_for(
    fake_git_script: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_git_script("sleep 0.5; echo done")
    monkeypatch.setattr(spawn, "POLL_MILLISECONDS", 5)
    monkeypatch.setattr(spawn, "SILENCE_MILLISECONDS", 10)
    count = iter(range(10_000))
    monkeypatch.setattr(compat, "processor_ticks", lambda _: next(count))
    assert git_output("ls-files") == b"done\n"


def test_killed_git_is_a_failure(fake_git_script: Callable[[str], None]) -> None:
    fake_git_script("printf 'whole\\0'; kill -9 $$")
    with pytest.raises(GitFailure, match=r"^git ls-files: ended with -9$"):
        git_output("ls-files")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exec 0<&-; echo 'fatal: bad' >&2; exit 128", "git x: bad"),
        ("exec 0<&-; exit 0", "git x: ended before it read all of its input"),
    ],
)
def test_writing_to_a_git_that_ended_is_a_failure(
    fake_git_script: Callable[[str], None], script: str, message: str
) -> None:
    fake_git_script(script)
    process = Git("x", feed=True)
    with pytest.raises(GitFailure) as failure:
        process.write(b"y" * 1_000_000)
    assert str(failure.value) == message


def test_programs_in_the_git_configuration_are_not_run(repo: Repo, tmp_path: Path) -> None:
    """Not for what we ask git for: the file system monitor, and the hooks."""
    witness = tmp_path / "witness"
    program = repo.write(".git/hooks/post-index-change", f"#!/bin/sh\ntouch '{witness}'\n")
    program.chmod(0o755)
    repo.git("config", "core.fsmonitor", os.fspath(program))
    repo.write("a", b"")
    git_output("update-index", "--add", "a")
    git_output("ls-files", "--stage")
    assert not witness.exists()
    repo.git("update-index", "--refresh", "--force-remove", "a")
    assert witness.exists() or sys.platform == "win32"
