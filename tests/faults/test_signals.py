"""Asked to end: by a terminal, a runner, a system that goes down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from faults.fake_git import FakeGit, false_git
from faults.fault_env import (
    Call,
    Sandbox,
    assert_clean_exit,
    copied,
    every_call,
    every_command,
    every_writer,
    posix,
    slow,
)
from faults.step_log import count_steps, partially_written, run_with_fault, steps_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [posix, pytest.mark.usefixtures("default_signal_handlers")]

SIGNALS = {2: 130, 15: 143, 1: 129}


@pytest.fixture
def git(tmp_path: Path) -> FakeGit:
    """Put a false git into a directory of its own."""
    return false_git(tmp_path / "false")


def session(process: subprocess.Popen[bytes]) -> set[int]:
    """Return the processes that it has started, and it."""
    done = subprocess.run(
        ["ps", "-A", "-o", "pid=,sess=,stat="], capture_output=True, check=True, text=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return {int(pid) for pid, sess, stat in rows if int(sess) == process.pid and stat[0] != "Z"}


def end(
    scene: Sandbox,
    call: Call,
    git: FakeGit,
    question: str,
    fault: str,
    number: int,
    **how: tuple[str, ...],
) -> None:
    """Send a signal while git hangs at a question; check what is left."""
    temporary = git.here.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    env = {**git.failing_at(question, fault, 5), "TMPDIR": os.fspath(temporary)}
    process = scene.start(call, env=env, start_new_session=True, **how)
    assert process.stdin is not None
    process.stdin.write(scene.given(call))
    process.stdin.close()
    process.stdin = None
    deadline = time.monotonic() + 30
    while not git.reached:
        assert time.monotonic() < deadline, f"{question} was never asked"
        assert process.poll() is None, question
        time.sleep(0.005)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    context = f"{call}, {question}, {number}"
    assert (process.returncode, out, err) == (SIGNALS[number], b"", b""), context
    while left := session(process):
        assert time.monotonic() < deadline, f"{context}: {left} go on"
        time.sleep(0.01)
    assert scene.unexpected_files() == [], context
    assert not list(scene.path.glob(".git/*.lock")), context
    assert list(temporary.iterdir()) == [], context


@every_command(27)
def test_while_git_hangs(template: Path, tmp_path: Path, git: FakeGit, call: Call) -> None:
    """At the last question, by each signal in turn: no word, no process, no file is left."""
    copied(template, tmp_path / "asking").run(call, env=git.failing_at("nothing", ""))
    for number, question in zip(SIGNALS, git.asked()[-1:] * 3, strict=False):
        end(copied(template, tmp_path / str(number)), call, git, question, "hangs", number)


@slow
@every_call(16)
def test_while_git_hangs_anywhere(template: Path, tmp_path: Path, git: FakeGit, call: Call) -> None:
    asking = copied(template, tmp_path / "asking")
    asking.run(call, env=git.failing_at("nothing", ""))
    for n, question in enumerate(git.asked()):
        for number in SIGNALS:
            scene = copied(template, tmp_path / f"{n}-{number}")
            end(scene, call, git, question, "hangs", number)


#: `ci` as it runs where the index is large.
WITH_A_CHILD = """
import sys
from pycache_guard import cli, compat
from pycache_guard.commands import _index_child
_index_child.LARGE_INDEX_BYTES = 0
compat.count_processors = lambda: 2
cli.run()
"""


@pytest.mark.parametrize(
    "verb", ["ls-files", "cat-file", "rev-parse", pytest.param("", marks=slow)]
)
def test_while_git_hangs_in_a_child(
    template: Path, tmp_path: Path, git: FakeGit, verb: str
) -> None:
    """The process that checks the index of `ci`, and its git, end with the program."""
    call = Call("ci", ("--range", "HEAD~1..HEAD"))
    program = (sys.executable, "-c", WITH_A_CHILD)
    asking = copied(template, tmp_path / "asking")
    asking.run(call, env=git.failing_at("nothing", ""), program=program)
    for n, question in enumerate(q for q in git.asked() if q.startswith(verb)):
        scene = copied(template, tmp_path / str(n))
        end(scene, call, git, question, "hangs", [*SIGNALS][n % 3], program=program)


def asked_to_end(
    template: Path,
    tmp_path: Path,
    call: Call,
    number: int,
    *options: str,
    everything: bool,
    after: str = "",
) -> None:
    """Send a signal at every step, or after it; what is written is old or new."""
    last, old, new = steps_of(template, tmp_path, call, *options, everything=everything)
    assert last or not call.writes
    for n in range(1, last + 1):
        scene = copied(template, tmp_path / str(n))
        temporary = tmp_path / f"tmp{n}"
        temporary.mkdir()
        fault = f"signal {number}{after}"
        env = {"TMPDIR": os.fspath(temporary)}
        result = run_with_fault(scene, call, fault, n, *options, everything=everything, **env)
        # `clean` with many threads aside, the signal is heeded at once. `ci` runs three checks side by
        # side: how many steps they take differs from run to run, so the last steps may not come.
        expected = SIGNALS[number]
        if call.command == "ci" and count_steps(scene) < n:
            expected = scene.baseline(call).code
        assert (result.code, result.err) == (expected, ""), (call, n)
        assert partially_written(scene, old, new) == [], (call, n)
        assert scene.unexpected_files() == [], (call, n)
        assert not [*scene.path.glob(".git/pycache-guard.*")], (call, n)
        assert not [*scene.path.glob(".git/*.lock")], (call, n)
        assert [*temporary.iterdir()] == [], (call, n)


@every_writer(6)
def test_while_something_is_written(template: Path, tmp_path: Path, call: Call) -> None:
    asked_to_end(template, tmp_path, call, signal.SIGTERM, everything=False)


@every_writer(31)
def test_after_each_step_of_writing(template: Path, tmp_path: Path, call: Call) -> None:
    """The renaming included: what was written stays, and the signal is heeded."""
    asked_to_end(template, tmp_path, call, signal.SIGTERM, everything=False, after=" after")


@every_command(32)
@pytest.mark.parametrize("after", ["", " after"])
def test_while_a_report_is_written(template: Path, tmp_path: Path, call: Call, after: str) -> None:
    call = call._replace(writes=False)
    options = ("--format", "json", "--output", ".git/report")  # which is no stranger
    if call.command != "doctor":
        asked_to_end(
            template, tmp_path, call, signal.SIGINT, *options, everything=False, after=after
        )


@slow
@every_call(17)
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("after", ["", " after"])
def test_at_every_step(template: Path, tmp_path: Path, call: Call, number: int, after: str) -> None:
    asked_to_end(template, tmp_path, call, number, everything=True, after=after)


@every_command(28)
def test_signals_that_are_ignored_stay_so(scene: Sandbox, call: Call) -> None:
    """As with nohup(1)."""
    code = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "os.kill(os.getpid(), signal.SIGHUP); from pycache_guard.cli import run;"
        "sys.argv[0] = 'pycache-guard'; import threading;"
        "threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGHUP)).start(); run()"
    )
    assert_clean_exit(scene.run(call, program=(sys.executable, "-c", code)))


#: Where Python drops what is raised: the callback of a weak reference, and a finalizer.
DROPPED = {
    "a callback": "ref = weakref.ref(Thing(), lambda _: signal.raise_signal(15))",
    "a finalizer": "Thing.__del__ = lambda _: signal.raise_signal(15); Thing()",
}
if sys.implementation.name == "pypy":
    del DROPPED["a finalizer"]  # PyPy does not say that it drops it: docs/internals/systems.md


@pytest.mark.parametrize("kind", DROPPED)
def test_signal_that_python_drops_ends_the_run(kind: str) -> None:
    code = f"""
import gc, signal, sys, time, weakref
from pycache_guard import cli
class Thing: pass
def dispatch(_):
    {DROPPED[kind]}
    gc.collect()
    print("goes on", flush=True)
    time.sleep(60)
cli.dispatch = dispatch
cli.run()
"""
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (143, b"goes on\n", b"")
