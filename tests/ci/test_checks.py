"""The checks run side by side, and none hides what another finds."""

from __future__ import annotations

import _imp
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pycache_guard.ci import checks
from pycache_guard.ci.checks import CheckResult, run_side_by_side
from pycache_guard.git.process import Git

if TYPE_CHECKING:
    from typing import NoReturn


def result(number: int) -> CheckResult:
    return CheckResult([], "", number)


def test_checks_run_at_the_same_time() -> None:
    """Each waits for all others: one after the other they would wait for ever."""
    barrier = threading.Barrier(3, timeout=60)

    def wait() -> CheckResult:
        return result(barrier.wait())

    found = run_side_by_side([wait, wait, wait])
    assert sorted(f.number for f in found if isinstance(f, CheckResult)) == [0, 1, 2]


def test_failure_of_one_check_leaves_the_others() -> None:
    def fail() -> NoReturn:
        raise ValueError("x")

    for place in range(3):
        several = [lambda: result(1), lambda: result(2), lambda: result(3)]
        several[place] = fail
        found = run_side_by_side(several)
        assert [isinstance(f, ValueError) for f in found] == [n == place for n in range(3)]


def test_checks_run_one_after_the_other_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    found = run_side_by_side([lambda: result(1), lambda: result(2), lambda: result(3)])
    assert [f.number for f in found if isinstance(f, CheckResult)] == [1, 2, 3]


@pytest.mark.usefixtures("repo")
def test_signal_stops_git_and_the_threads() -> None:
    started = threading.Event()
    ended = threading.Event()

    def wait_for_git() -> CheckResult:
        process = Git("cat-file", "--batch", feed=True)
        started.set()
        try:
            process.read()
        finally:
            ended.set()
        return result(0)

    def interrupt() -> NoReturn:
        started.wait(60)
        raise KeyboardInterrupt(15)

    with pytest.raises(KeyboardInterrupt):
        run_side_by_side([interrupt, wait_for_git])
    assert ended.is_set()


def test_signal_in_an_import_stops_the_threads() -> None:
    """It can come after the lock of `import` has been taken, and before that is known."""
    closed = threading.Event()
    ended = threading.Event()

    def wait_for_import() -> CheckResult:
        closed.wait(60)
        _imp.acquire_lock()
        _imp.release_lock()
        ended.set()
        return result(0)

    def interrupt() -> NoReturn:
        _imp.acquire_lock()
        closed.set()
        raise KeyboardInterrupt(15)

    with pytest.raises(KeyboardInterrupt):
        run_side_by_side([interrupt, wait_for_import])
    assert ended.is_set()


def test_thread_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MAX_ROUNDS", 2)
    end = threading.Event()

    def interrupt() -> NoReturn:
        raise KeyboardInterrupt(15)

    def wait() -> CheckResult:
        end.wait(60)
        return result(0)

    with pytest.raises(KeyboardInterrupt):
        run_side_by_side([interrupt, wait])
    end.set()


def test_wait_is_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a signal just before it would be noticed only after it."""
    monkeypatch.setattr(checks, "WAIT_SECONDS", 0.001)

    def sleep() -> CheckResult:
        time.sleep(0.1)
        return result(1)

    assert run_side_by_side([lambda: result(0), sleep]) == [result(0), result(1)]
