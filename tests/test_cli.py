from __future__ import annotations

import gc
import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import pytest

import pycache_guard
from conftest import PROGRAM
from helpers.git_version import needs_any_git, require_ownership_check
from pycache_guard import cli, compat
from pycache_guard.commands._help import load_help
from pycache_guard.errors import Failure
from pycache_guard.git import spawn
from pycache_guard.git.process import Git

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Program, Run
    from helpers.repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and permissions")


def test_help_page_lists_every_command(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert run("-h").out == out
    for name in cli.COMMANDS:
        assert re.search(rf"(?m)^  {name} +{re.escape(load_help(name).summary)}$", out)
    assert run("help") == run("help", "help") == (code, out, err)


def test_command_has_a_module_and_a_help_text(run: Run) -> None:
    directory = Path(cli.__file__).parent / "commands"
    for name in cli.COMMANDS:
        assert (directory / f"{name.replace('-', '_')}.py").exists()
        assert run(name, "--help").out.startswith(f"usage: pycache-guard {name} ")


def test_version_is_printed_for_every_spelling(run: Run, program: Program) -> None:
    expected = (0, f"pycache-guard {pycache_guard.__version__}\n", "")
    assert run("--version") == program("--version") == expected
    assert run("version") == run("-V") == expected


def test_no_arguments_print_the_help_page_as_an_error(run: Run, program: Program) -> None:
    page = run("--help").out
    assert run() == program() == (2, page, "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_a_command_is_the_same_in_every_spelling(run: Run, name: str) -> None:
    assert run("help", name) == run("--help", name) == run(name, "--help")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("no-such",), "'no-such' is not a command (see `pycache-guard --help`)"),
        (("a\nb\x1b",), "'a\\nb\\x1b' is not a command (see `pycache-guard --help`)"),
        (("fixx",), "'fixx' is not a command: did you mean `fix`? (see `pycache-guard --help`)"),
        (("reporting",), "'reporting' is not a command (see `pycache-guard --help`)"),
        (("--no-such",), "'--no-such' is not a command (see `pycache-guard --help`)"),
        (("hlep",), "'hlep' is not a command: did you mean `help`? (see `pycache-guard --help`)"),
        (
            ("--verison",),
            "'--verison' is not a command: did you mean `version`? (see `pycache-guard --help`)",
        ),
        (("Lint",), "'Lint' is not a command: did you mean `lint`? (see `pycache-guard --help`)"),
        (
            ("help", "docter"),
            "'docter' is not a command: did you mean `doctor`? (see `pycache-guard --help`)",
        ),
        (
            ("forbid_bytecode",),
            (
                "'forbid_bytecode' is not a command: did you mean `forbid-bytecode` or"
                " `verify-bytecode`? (see `pycache-guard --help`)"
            ),
        ),
        (
            ("--format", "json", "forbid-bytecode"),
            "options follow the command: pycache-guard forbid-bytecode --format json",
        ),
        (
            ("--allow", "a b*", "fix", "--dry-run"),
            "options follow the command: pycache-guard fix --allow 'a b*' --dry-run",
        ),
    ],
)
def test_unknown_command_is_answered_with_the_likely_one(
    run: Run, argv: tuple[str, ...], message: str
) -> None:
    assert run(*argv) == (2, "", f"error: {message}\n")


def test_main_without_arguments_reads_sys_argv(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pycache-guard", "--version"])
    assert cli.main() == 0
    assert capsys.readouterr().out.startswith("pycache-guard ")


class TestBadInput:
    """Every error is one line on stderr, with exit code 2 and nothing on stdout."""

    OF_THE_INDEX = ((), ("--staged",), ("--content", "all"), ("--content", "none"), ("--fix",))
    INDEX_ASKED = pytest.mark.parametrize("argv", OF_THE_INDEX)
    ASKED = pytest.mark.parametrize("argv", [*OF_THE_INDEX, ("--tree", "HEAD")])

    def refused(self, run: Run, *argv: str) -> str:
        code, out, err = run("forbid-bytecode", *argv)
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err.removeprefix("error: ")[:-1]

    @ASKED
    @needs_any_git
    def test_command_outside_a_repository_ends_with_2(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        said = self.refused(run, *argv)
        if "--tree" not in argv:
            assert "not a git repository" in said

    @ASKED
    def test_command_without_git_ends_with_2(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
    ) -> None:
        monkeypatch.setenv("PATH", os.fspath(repo.path))
        expected = "git was not found on PATH: install git 2.25 or later"
        assert self.refused(run, *argv) == expected

    @INDEX_ASKED
    @pytest.mark.parametrize("data", [b"", b"DIRC", b"x" * 100])
    def test_corrupt_index_ends_with_2(
        self, repo: Repo, run: Run, argv: tuple[str, ...], data: bytes
    ) -> None:
        repo.add("a.py")
        repo.write(".git/index", data)
        self.refused(run, *argv)

    def test_truncated_index_ends_with_2(self, repo: Repo, run: Run) -> None:
        """Git does not check the checksum and reads beyond the end."""
        repo.stage_all(f"{n:04}" for n in range(500))
        index = repo.path / ".git" / "index"
        index.write_bytes(index.read_bytes()[:1000])
        self.refused(run)

    @pytest.mark.parametrize(
        "revision", ["no", "HEAD~1", "-h", "--all", "main..main", "HEAD:a", "^HEAD"]
    )
    def test_unknown_revision_ends_with_2(self, repo: Repo, run: Run, revision: str) -> None:
        repo.add("a")
        repo.commit()
        said = self.refused(run, f"--tree={revision}")
        assert said == f"{revision!r} is not a tree in this repository" or revision == "^HEAD"

    def test_missing_tree_ends_with_2(self, repo: Repo, run: Run) -> None:
        repo.add("d/a")
        repo.commit()
        tree = repo.git("rev-parse", "HEAD:d")
        os.unlink(repo.path / ".git" / "objects" / tree[:2] / tree[2:])
        self.refused(run, "--tree", "HEAD")

    def test_missing_commit_of_head_ends_with_2(self, repo: Repo, run: Run) -> None:
        """It can be an unborn branch: then all content is new and all of it is checked."""
        repo.stage("a.pyc")
        repo.commit()
        repo.write(".git/refs/heads/main", "0" * 39 + "1\n")
        assert run("forbid-bytecode").out.startswith("a.pyc: PYC001 ")

    @ASKED
    def test_repository_of_another_user_ends_with_2(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
    ) -> None:
        require_ownership_check()
        repo.commit()
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        said = self.refused(run, *argv)
        if "--tree" not in argv:
            assert "detected dubious ownership in repository" in said

    def test_broken_git_configuration_ends_with_2(self, repo: Repo, run: Run) -> None:
        repo.write(".git/config", "[core\n")
        assert "bad config" in self.refused(run)

    def test_unreadable_configuration_ends_with_2(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A symbolic link to itself; root can read a file of any mode."""
        try:
            (repo.path / "pyproject.toml").symlink_to("pyproject.toml")
        except OSError:
            pytest.skip("no symbolic links here")
        assert "pyproject.toml: " in self.refused(run)

    def test_os_error_without_a_file_name_ends_with_2(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: object) -> None:
            raise OSError("it failed")

        monkeypatch.setattr(cli, "dispatch", fails)
        assert self.refused(run) == "it failed"


def test_os_error_keeps_its_traceback_if_debugging_is_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise PermissionError(13, "no", "x")

    monkeypatch.setattr(cli, "dispatch", fails)
    assert run("forbid-bytecode") == (2, "", "error: x: no\n")
    monkeypatch.setenv("PYCACHE_GUARD_DEBUG", "1")
    with pytest.raises(PermissionError):
        run("forbid-bytecode")


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (3, 3), ("why", 2)])
def test_system_exit_of_a_command_decides_the_exit_code(code: object, expected: int) -> None:
    line = f"""
import sys
from pycache_guard import cli
def ends(_):
    sys.exit({code!r})
cli.dispatch = ends
cli.run()
"""
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (expected, b"")


def test_crashed_writes_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        assert cli.crashed() == 2
    assert capsys.readouterr().err.endswith("ZeroDivisionError\n")


def test_crashed_returns_2_if_it_cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(sys, "__excepthook__", fails)
    assert cli.crashed() == 2


def test_unexpected_exception_keeps_its_traceback(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "dispatch", fails)
    with pytest.raises(ZeroDivisionError):
        run("forbid-bytecode")


@pytest.mark.usefixtures("default_signal_handlers")
def test_sigint_while_git_runs_ends_with_130(repo: Repo, tmp_path: Path) -> None:
    """SIGINT while git runs ends the program without output."""
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(f"#!/bin/sh\ntouch '{tmp_path}/ready'\nexec sleep 60\n")
    git.chmod(0o755)
    process = subprocess.Popen(
        [PROGRAM, "forbid-bytecode"],
        env={**os.environ, "PATH": f"{git.parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while not (tmp_path / "ready").exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate() == (b"", b"")
    assert process.returncode == 130


def test_keyboard_interrupt_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "dispatch", interrupted)
    assert run("forbid-bytecode") == (130, "", "")


@pytest.mark.parametrize(("raised", "code"), [((), 130), ((15,), 143), ((1,), 129)])
def test_signal_ends_with_128_and_its_number(
    run: Run, monkeypatch: pytest.MonkeyPatch, raised: tuple[int, ...], code: int
) -> None:
    def ended(_: object) -> None:
        raise KeyboardInterrupt(*raised)

    monkeypatch.setattr(cli, "dispatch", ended)
    assert run("forbid-bytecode") == (code, "", "")


@posix
def test_child_processes_end_with_the_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, fake_git_script: Callable[[str], None]
) -> None:
    fake_git_script("exec sleep 60")

    def failing(_: object) -> None:
        Git("ls-files")
        raise Failure("it failed")

    monkeypatch.setattr(cli, "dispatch", failing)
    assert run("forbid-bytecode") == (2, "", "error: it failed\n")
    assert spawn._live == []


@posix
@pytest.mark.parametrize("when", ["cli.drop_untrusted_sys_path", "cli.main", "spawn.stop_all"])
@pytest.mark.parametrize("is_after", [False, True])
def test_signal_at_start_or_end_sets_the_exit_code(when: str, is_after: bool) -> None:
    """The exit code shows the signal, and Python prints no traceback."""
    module, name = when.split(".")
    code = f"""
import os
from pycache_guard import cli
from pycache_guard.git import spawn
plain = {when}
def late(*args):
    {module}.{name} = plain
    done = plain(*args) if {is_after} else None
    os.kill(os.getpid(), 15)
    return plain(*args) if not {is_after} else done
{module}.{name} = late
cli.run()
"""
    command = [sys.executable, "-I", "-c", code, "--version"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (143, b"")


@posix
def test_interrupted_stop_of_processes_is_repeated(
    run: Run, monkeypatch: pytest.MonkeyPatch, fake_git_script: Callable[[str], None]
) -> None:
    fake_git_script("exec sleep 60")

    def failing(_: object) -> None:
        for _ in range(2):
            Git("ls-files")
        raise Failure("it failed")

    monkeypatch.setattr(cli, "dispatch", failing)
    stop = spawn.PosixChild.stop

    def interrupted(child: spawn.PosixChild) -> None:
        monkeypatch.setattr(spawn.PosixChild, "stop", stop)
        raise KeyboardInterrupt(15)

    monkeypatch.setattr(spawn.PosixChild, "stop", interrupted)
    assert run("forbid-bytecode") == (143, "", "")
    assert spawn._live == []


@posix
def test_signals_are_handled_unless_they_are_ignored() -> None:
    before = {number: signal.getsignal(number) for number in compat.TERMINATION_SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        cli.handle_signals(cli.on_signal)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        with pytest.raises(KeyboardInterrupt) as raised:
            signal.raise_signal(signal.SIGTERM)
        assert raised.value.args == (signal.SIGTERM,)
        # Further signals do not interrupt the cleanup.
        assert {signal.getsignal(number) for number in compat.TERMINATION_SIGNALS} == {
            signal.SIG_IGN
        }
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@posix
@pytest.mark.usefixtures("default_signal_handlers")
def test_dropped_signal_is_sent_again() -> None:
    before = signal.getsignal(signal.SIGALRM)
    try:
        cli.on_unraisable(SimpleNamespace(exc_value=KeyboardInterrupt(1)))
        with pytest.raises(KeyboardInterrupt) as raised:
            time.sleep(30)
        assert raised.value.args == (1,)
    finally:
        signal.signal(signal.SIGALRM, before)


@posix
def test_dropped_signal_does_not_interrupt_the_end_of_a_run() -> None:
    code = """
import signal, sys, time
from pycache_guard import cli
class Thing:
    def __del__(self): signal.raise_signal(15)
class SlowStream:
    def flush(self): time.sleep(0.2)
def dispatch(_):
    Thing()
    sys.stdout = SlowStream()
    return 0
cli.dispatch = dispatch
cli.run()
"""
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_dropped_signal_ends_the_process_where_no_timer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(code: int) -> NoReturn:
        raise SystemExit(code)

    monkeypatch.setattr(compat, "HAS_TIMER", False)
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit, match="143"):
        cli.on_unraisable(SimpleNamespace(exc_value=KeyboardInterrupt(15)))


def test_other_dropped_exceptions_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Thing:
        def __del__(self) -> None:
            raise ZeroDivisionError

    monkeypatch.setattr(sys, "unraisablehook", cli.on_unraisable)
    Thing()
    gc.collect()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_signal_that_comes_with_another_one_is_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = OSError("Signal 15 ignored due to race condition")
    cli.on_unraisable(SimpleNamespace(exc_value=error))
    assert capsys.readouterr().err == ""


class BrokenStream(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError("the reader has gone away")


@pytest.mark.parametrize("stderr", [None, BrokenStream()], ids=["closed", "full"])
def test_closed_stderr_keeps_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    assert cli.main([]) == 2


class TestModuleSearchPath:
    OWN = os.fspath(Path(cli.__file__).parents[1])

    def test_drop_untrusted_sys_path_removes_cwd_and_pythonpath(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        named = os.fspath(tmp_path / "named")
        kept = [os.fspath(tmp_path / "lib"), self.OWN]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([named, "relative", self.OWN]))
        monkeypatch.setattr(sys, "path", ["", ".", os.fspath(tmp_path), named, "relative", *kept])
        cli.drop_untrusted_sys_path()
        assert sys.path == kept

    @posix
    def test_drop_untrusted_sys_path_in_a_deleted_directory_changes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        monkeypatch.setattr(sys, "path", ["", "lib"])
        cli.drop_untrusted_sys_path()
        assert sys.path == ["", "lib"]
