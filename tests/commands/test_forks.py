"""A job in several processes: the order of its parts, what is reported of a child that fails, its end."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from pycache_guard import cli, compat
from pycache_guard.commands import _forks
from pycache_guard.commands._forks import (
    MAX_PARTS,
    ForkedChild,
    decode_findings,
    encode_findings,
    run_parts,
    run_slices,
)
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.git import spawn
from pycache_guard.git.process import Git
from pycache_guard.git.tempdir import TemporaryDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def wait_for_file(path: Path) -> None:
    """Wait until a child has made a file."""
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.01)
    pytest.fail(f"{path.name} is not there")


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


@pytest.mark.usefixtures("default_signal_handlers")
@pytest.mark.parametrize(("is_handled", "code"), [(False, -15), (True, 2)])
def test_child_ends_at_a_signal(
    is_handled: bool, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without a word, as its parent would."""

    def work(n: int) -> int:
        if is_child():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(3600)
        wait_for_child()
        return n

    if is_handled:
        cli.handle_signals(cli.on_signal)
    with pytest.raises(Failure, match=rf"exit code {code}\)$"):
        run_parts(work, 20, 2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("default_signal_handlers", "repo")
def test_child_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """Neither a git that waits nor a directory."""
    note = tmp_path / "note"

    def work() -> None:
        directory = TemporaryDirectory()
        process = Git("cat-file", "--batch", feed=True)
        spare = tmp_path / "spare"
        spare.write_text(f"{spawn._live[-1]._pid} {directory.path}")  # type: ignore[attr-defined]
        spare.rename(note)
        process.read()

    cli.handle_signals(cli.on_signal)
    child = ForkedChild(work)
    wait_for_file(note)
    child.stop()
    pid, path = note.read_text().split()
    assert not os.path.exists(path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_wait_is_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a signal just before it would be noticed only after it."""
    monkeypatch.setattr(_forks, "POLL_MILLISECONDS", 1)
    child = ForkedChild(lambda: time.sleep(0.1))
    assert child.read() is None
    child.stop()


def test_stopping_can_be_repeated() -> None:
    """A signal can interrupt it, or the waiting, before the end of the child is noted."""
    child = ForkedChild(lambda: 1)
    pid = child._pid
    assert pid
    os.waitpid(pid, 0)
    child.stop()
    child._pid = pid
    child.stop()


@pytest.mark.usefixtures("default_signal_handlers")
def test_child_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (tmp_path / "note").touch()
        time.sleep(3600)

    monkeypatch.setattr(_forks, "MAX_STOP_POLLS", 2)
    child = ForkedChild(work)
    wait_for_file(tmp_path / "note")
    child.stop()


def test_one_process_does_all_if_no_other_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> NoReturn:
        raise OSError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(os, "fork", fail)
    assert run_parts(lambda n: n, 3, 4) == [0, 1, 2]


class Ended(BaseException):
    """The end of a process that is none."""


@pytest.mark.usefixtures("default_signal_handlers")
@pytest.mark.parametrize(
    ("error", "code", "answer", "is_noisy"),
    [
        (None, 0, b'{"value": [1, "x"]}', False),
        (Failure("why"), 0, b'{"failure": "why"}', False),
        (KeyboardInterrupt(15), 2, b"", False),
        (ValueError(), 2, b"", True),
    ],
)
def test_child_answers_and_ends(
    error: BaseException | None,
    code: int,
    answer: bytes,
    is_noisy: bool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In this process: what a forked one runs, coverage does not see."""

    class Process:
        stopped = 0

        def stop(self) -> None:
            self.stopped += 1
            spawn._live.clear()

    def end(status: int) -> NoReturn:
        raise Ended(status)

    def work() -> object:
        spawn._live.append(own)
        if error is not None:
            raise error
        return (1, "x")

    monkeypatch.setattr(os, "_exit", end)
    of_parent, own = Process(), Process()
    spawn._live.append(of_parent)
    answers, theirs = os.pipe()
    before = {number: signal.getsignal(number) for number in compat.TERMINATION_SIGNALS}
    with pytest.raises(Ended) as ended:
        _forks.run_child(work, theirs)
    assert before == {number: signal.getsignal(number) for number in compat.TERMINATION_SIGNALS}
    os.close(theirs)
    assert ended.value.args == (code,)
    assert os.read(answers, 100) == answer
    assert bool(capfd.readouterr().err) == is_noisy
    assert (of_parent.stopped, own.stopped) == (0, 1)
    os.close(answers)


def test_forked_process_does_its_work_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*given: object) -> NoReturn:
        raise Ended(given[0])

    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(_forks, "run_child", end)
    with pytest.raises(Ended) as ended:
        ForkedChild(dict)
    assert ended.value.args == (dict,)
