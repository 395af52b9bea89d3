"""Parts of a job in several processes: their order, what is reported of a child that fails, its end."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from pycache_guard import compat
from pycache_guard.commands import _forks
from pycache_guard.commands._forks import (
    MAX_PARTS,
    decode_findings,
    encode_findings,
    run_parts,
    run_slices,
)
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.git import spawn

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.skipif(not compat.HAS_FORK, reason="needs fork(2)"),
    # pytest-xdist has threads.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

PARENT = os.getpid()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Require that every child has been waited for, and every descriptor closed."""
    free = os.dup(0)
    os.close(free)
    yield
    again = os.dup(0)
    os.close(again)
    assert again == free
    assert spawn._live == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def is_child() -> bool:
    """Return whether this is a forked process."""
    return os.getpid() != PARENT


def wait_for_child() -> None:
    """Let a child take the next part."""
    time.sleep(0.05)


@pytest.mark.parametrize("processes", [1, 3, 20])
@pytest.mark.parametrize("size", [0, 1, 5, 1000])
def test_slices_have_every_item_once(size: int, processes: int) -> None:
    items = [*range(size)]
    slices = run_slices(list, items, processes)
    assert [item for part in slices for item in part] == items


def test_findings_are_the_same_after_json() -> None:
    findings = [
        Finding("a\udc80", Rule.PYC206, "ä", line=3),
        Finding(None, Rule.PYC405, "b", hint="c", is_kept=True),
    ]
    values = json.loads(json.dumps(encode_findings(findings)))
    assert decode_findings(values) == findings


@pytest.mark.parametrize("processes", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, MAX_PARTS])
def test_results_are_in_order(count: int, processes: int) -> None:
    def work(n: int) -> list[object]:
        return [n, "ä\udc80", None, "x" * 1000]

    assert run_parts(work, count, processes) == [work(n) for n in range(count)]


def test_children_do_parts() -> None:
    def work(n: int) -> bool:
        if not is_child():
            wait_for_child()
        return is_child()

    assert any(run_parts(work, 20, 2))


def test_failure_of_a_child_is_raised() -> None:
    def work(n: int) -> int:
        if is_child():
            raise Failure("it is so")
        wait_for_child()
        return n

    with pytest.raises(Failure, match=r"^it is so$"):
        run_parts(work, 20, 2)


def test_error_of_a_child_is_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    def work(n: int) -> float:
        if is_child():
            return 1 / 0
        wait_for_child()
        return n

    with pytest.raises(Failure, match=r"^a child process has failed \(exit code 2\)$"):
        run_parts(work, 20, 2)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_end_of_a_child_by_a_signal_is_a_failure() -> None:
    """The kernel ends one if memory runs out."""

    def work(n: int) -> int:
        if is_child():
            os.kill(os.getpid(), signal.SIGKILL)
        wait_for_child()
        return n

    with pytest.raises(Failure, match=r"exit code -9"):
        run_parts(work, 20, 2)


def test_child_is_ended_with_the_parent() -> None:
    def work(n: int) -> int:
        if is_child():
            time.sleep(3600)
        wait_for_child()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_parts(work, 20, 3)


def test_child_ends_at_a_signal_as_by_default() -> None:
    def work(n: int) -> int:
        if is_child():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(3600)
        wait_for_child()
        return n

    with pytest.raises(Failure, match=r"exit code -15"):
        run_parts(work, 20, 2)


def test_one_process_does_all_if_no_other_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> NoReturn:
        raise OSError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(os, "fork", fail)
    assert run_parts(lambda n: n, 3, 4) == [0, 1, 2]


class Ended(BaseException):
    """The end of a process that is none."""


@pytest.mark.usefixtures("default_signal_handlers")
@pytest.mark.parametrize("is_ignored", [False, True])
@pytest.mark.parametrize(
    ("error", "code", "answer"),
    [
        (None, 0, b'{"parts": [[0, 0], [1, 1]]}'),
        (Failure("why"), 0, b'{"failure": "why"}'),
        (ValueError(), 2, b""),
    ],
)
def test_child_answers_and_ends(
    error: Exception | None,
    code: int,
    answer: bytes,
    is_ignored: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In this process: what a forked one runs, coverage does not see."""

    def end(status: int) -> NoReturn:
        raise Ended(status)

    def work(n: int) -> int:
        if error is not None:
            raise error
        return n

    monkeypatch.setattr(os, "_exit", end)
    numbers, fill = os.pipe()
    answers, theirs = os.pipe()
    os.write(fill, b"\0\1")
    os.close(fill)
    before = {number: signal.getsignal(number) for number in compat.TERMINATION_SIGNALS}
    if is_ignored:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(Ended) as ended:
            _forks.run_child(work, numbers, theirs, set())
        after = {signal.getsignal(number) for number in compat.TERMINATION_SIGNALS}
        assert after <= {signal.SIG_DFL, *[signal.SIG_IGN] * is_ignored}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(theirs)
    assert ended.value.args == (code,)
    assert os.read(answers, 100) == answer
    assert bool(capfd.readouterr().err) == (code == 2)
    os.close(answers)
    os.close(numbers)


def test_forked_process_does_parts_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*given: object) -> NoReturn:
        raise Ended(*given[:2])

    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(_forks, "run_child", end)
    with pytest.raises(Ended) as ended:
        _forks.ForkedChild(abs, 7)
    assert ended.value.args == (abs, 7)
