from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pycache_guard import compat
from pycache_guard.git import spawn
from pycache_guard.git.spawn import LARGE_PIPE_BYTES, MIN_PIPE_BYTES, PosixChild, start_child
from pycache_guard.git.spawn_subprocess import SubprocessChild
from pycache_guard.git.tempdir import TemporaryDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.git.spawn import Child

ENV = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}


@pytest.fixture(
    params=[
        pytest.param(
            "posix",
            marks=pytest.mark.skipif(
                not compat.HAS_POSIX_SPAWN, reason="the system has no posix_spawnp"
            ),
        ),
        pytest.param(
            "fork", marks=pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
        ),
        "windows",
    ]
)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose either way of starting a child."""
    if request.param == "fork":
        monkeypatch.setattr(compat, "HAS_POSIX_SPAWN", False)
    if request.param == "windows":
        monkeypatch.setattr(compat, "HAS_FORK", False)
    return str(request.param)


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-I", "-S", "-c", f"import os, sys\n{code}"


def everything(child: Child) -> bytes:
    return b"".join(iter(child.read, b""))


def test_start_child_uses_what_the_system_has(kind: str) -> None:
    child = start_child(python(""), ENV)
    assert isinstance(child, SubprocessChild if kind == "windows" else PosixChild)
    assert child.wait() == (0, b"")


@pytest.mark.usefixtures("kind")
class TestChild:
    def test_child_that_fills_both_streams_does_not_block(self) -> None:
        """More than a pipe holds, of either, in turn."""
        code = "for n in range(300): os.write(2, b'e' * 1000); os.write(1, b'o' * 1000)"
        child = start_child(python(code), ENV)
        assert everything(child) == b"o" * 300_000
        assert child.read() == b""
        assert child.wait() == (0, b"e" * 300_000)

    def test_stderr_after_the_end_of_stdout_is_read(self) -> None:
        code = "os.close(1); os.write(2, b'e' * 300_000); sys.exit(3)"
        child = start_child(python(code), ENV)
        assert everything(child) == b""
        assert child.wait() == (3, b"e" * 300_000)

    def test_stdout_after_the_end_of_stderr_is_read(self) -> None:
        child = start_child(python("os.close(2); os.write(1, b'o' * 300_000)"), ENV)
        assert everything(child) == b"o" * 300_000
        assert child.wait() == (0, b"")

    def test_read_returns_at_most_the_given_size(self) -> None:
        child = start_child(python("os.write(1, b'abcdef')"), ENV)
        assert child.read(4) == b"abcd"
        assert everything(child) == b"ef"
        assert child.wait() == (0, b"")

    def test_write_feeds_stdin(self) -> None:
        child = start_child(
            python("os.write(1, b'%d' % len(sys.stdin.buffer.read()))"), ENV, feed=True
        )
        child.write(b"x" * 200_000)
        child.write(b"y" * 7)
        child.close_stdin()
        child.close_stdin()
        assert everything(child) == b"200007"
        assert child.wait() == (0, b"")

    @pytest.mark.parametrize("named", [True, False])
    def test_write_within_the_pipe_capacity_does_not_block(
        self, monkeypatch: pytest.MonkeyPatch, named: bool
    ) -> None:
        """The child reads nothing, and ends before long; waiting for it would end in an error."""
        if not named and sys.platform == "linux":
            monkeypatch.delattr("fcntl.F_GETPIPE_SZ")
        child = start_child(python("import time; time.sleep(9)"), ENV, feed=True)
        assert child.pipe_capacity() >= MIN_PIPE_BYTES
        child.write(b"x" * child.pipe_capacity())
        child.kill()

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs F_SETPIPE_SZ")
    def test_child_with_enlarged_output_does_not_wait_for_us(self) -> None:
        size = LARGE_PIPE_BYTES // 2
        code = f"sys.stdin.buffer.read(1); os.write(1, bytes({size})); os._exit(7)"
        child = start_child(python(code), ENV, feed=True)
        child.enlarge_output()
        child.write(b"x")
        if not isinstance(child, PosixChild):
            child.kill()
            pytest.skip("the class for Windows changes no pipe")
        state = Path(f"/proc/{child._pid}/stat")
        end = time.monotonic() + 30
        while b") Z " not in state.read_bytes():  # it has ended
            assert time.monotonic() < end
            time.sleep(0.01)
        assert everything(child) == bytes(size)
        assert child.wait() == (7, b"")

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs F_SETPIPE_SZ")
    @pytest.mark.parametrize("reason", ["no name", "not allowed"])
    def test_output_that_cannot_be_enlarged_stays_as_it_is(
        self, monkeypatch: pytest.MonkeyPatch, reason: str
    ) -> None:
        def refuse(*_: object) -> int:
            raise PermissionError(1, "Operation not permitted")

        child = start_child(python("os.write(1, b'x')"), ENV)
        if reason == "no name":
            monkeypatch.delattr("fcntl.F_SETPIPE_SZ", raising=False)
        else:
            monkeypatch.setattr("fcntl.fcntl", refuse)
        child.enlarge_output()
        assert everything(child) == b"x"
        assert child.wait() == (0, b"")

    def test_write_to_a_child_that_closed_stdin_is_an_error(self) -> None:
        child = start_child(python("os.close(0); os.write(1, b'x')"), ENV, feed=True)
        assert child.read() == b"x"
        with pytest.raises(BrokenPipeError):
            child.write(b"x" * 200_000)
        assert child.wait() == (0, b"")

    def test_child_has_an_empty_stdin_by_default(self) -> None:
        child = start_child(python("sys.exit(len(sys.stdin.read()) + 5)"), ENV)
        assert child.wait() == (5, b"")

    def test_child_uses_files_as_stdin_and_stdout(self) -> None:
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
            source.write(b"content")
            source.seek(0)
            code = "os.write(1, sys.stdin.buffer.read().upper()); os.write(2, b'e')"
            child = start_child(python(code), ENV, stdin=source.fileno(), stdout=sink.fileno())
            assert child.wait() == (0, b"e")
            sink.seek(0)
            assert sink.read() == b"CONTENT"

    def test_child_has_exactly_the_given_environment(self) -> None:
        code = "sys.exit(3 if os.environ.get('A') == 'b' and 'HOME' not in os.environ else 4)"
        child = start_child(python(code), {**ENV, "A": "b"})
        assert child.wait() == (3, b"")

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX signals")
    def test_kill_ends_the_child_at_once(self) -> None:
        child = start_child(python("os.write(1, b'x'); os.read(0, 1)"), ENV, feed=True)
        assert child.read() == b"x"
        child.kill()

    def test_stop_ends_the_child_with_sigterm(self) -> None:
        """In order, where there is a way; without waiting for what is still to be said."""
        child = start_child(python("os.write(1, b'x'); os.read(0, 1)"), ENV, feed=True)
        assert child.read() == b"x"
        assert [child] == spawn._live
        spawn.stop_all()
        assert spawn._live == []

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no POSIX signals")
    def test_end_by_a_signal_is_a_negative_code(self) -> None:
        child = start_child(python("os.kill(os.getpid(), 9)"), ENV)
        assert everything(child) == b""
        assert child.wait() == (-9, b"")

    def test_start_child_of_a_missing_program_is_an_error(self) -> None:
        with pytest.raises(FileNotFoundError):
            start_child(("no-such-program",), ENV, feed=True)

    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
    @pytest.mark.parametrize("program", [sys.executable, "no-such-program"])
    def test_wait_leaves_no_descriptor_open(self, program: str) -> None:
        before = set(os.listdir("/proc/self/fd"))
        with suppress(FileNotFoundError):
            start_child((program, "-I", "-S", "-c", ""), ENV, feed=True).wait()
        assert (
            set(os.listdir("/proc/self/fd")) <= before
        )  # the collector may close what another test left


@pytest.fixture(params=["posix", "fork"])
def posix_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose either way on a POSIX system."""
    if request.param == "posix" and not compat.HAS_POSIX_SPAWN:
        pytest.skip("this Python has no posix_spawnp")
    monkeypatch.setattr(compat, "HAS_POSIX_SPAWN", request.param == "posix")


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
@pytest.mark.usefixtures("posix_kind")
class TestStop:
    def test_stopped_child_may_remove_its_files(self, tmp_path: Path) -> None:
        """As git removes its locks."""
        lock = tmp_path / "index.lock"
        lock.touch()
        code = "import signal; signal.signal(15, lambda *_: sys.exit(os.remove(sys.argv[1])))"
        child = start_child(
            (*python(f"{code}; os.write(1, b'x'); signal.pause()"), os.fspath(lock)), ENV
        )
        assert child.read() == b"x"
        child.stop()
        assert not lock.exists()

    def test_children_get_a_signal(self) -> None:
        code = "import signal; signal.signal(15, lambda *_: sys.exit(5)); os.write(1, b'x')"
        child = start_child(python(f"{code}; signal.pause()"), ENV)
        assert child.read() == b"x"
        spawn.end_children(15)
        assert child.wait() == (5, b"")

    def test_stop_kills_a_child_that_ignores_sigterm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spawn, "STOP_POLLS", 10)
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); os.write(1, b'x')"
        child = start_child(python(f"{code}; time.sleep(60)"), ENV)
        assert child.read() == b"x"
        child.stop()
        assert isinstance(child, PosixChild)
        # On a busy machine the end comes after `stop` has given up waiting for it.
        status = child._status if child._status is not None else os.waitpid(child._pid, 0)[1]
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL

    def test_stop_after_the_end_was_noticed_sends_no_signal(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An interrupt may come when `wait` has the exit status: the process id is free again."""
        child = start_child(python(""), ENV)
        assert isinstance(child, PosixChild)
        assert everything(child) == b""
        while not child._has_ended():
            time.sleep(0.001)
        monkeypatch.setattr(os, "kill", None)
        child.stop()
        assert spawn._live == []

    def test_stop_of_a_reaped_child_does_nothing(self) -> None:
        child = start_child(python(""), ENV)
        assert isinstance(child, PosixChild)
        os.waitpid(child._pid, 0)
        child.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="a file is executable by its mode")
@pytest.mark.usefixtures("kind")
def test_start_child_without_permission_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("")
    with pytest.raises(PermissionError):
        start_child((os.fspath(tmp_path / "tool"),), {"PATH": os.fspath(tmp_path)})


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
def test_start_child_opens_closed_standard_descriptors() -> None:
    """Standard input here; the others are closed in test_reporting.py, for they are pytest's."""
    kept = os.dup(0)
    os.close(0)
    try:
        start_child(python(""), ENV).wait()
        assert os.path.samestat(os.fstat(0), os.stat(os.devnull))
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@pytest.fixture
def interrupted() -> Iterator[int]:
    """Have a signal raise, as `cli.run` does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield signal.SIGTERM
    signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(not compat.HAS_POSIX_SPAWN, reason="the system has no posix_spawnp")
def test_signal_during_the_start_stops_the_child(
    monkeypatch: pytest.MonkeyPatch, interrupted: int
) -> None:
    """It is heeded when the child is known, and can be stopped; the child itself heeds it too."""
    begin = os.posix_spawnp

    def late(*args: Any, **options: Any) -> int:
        pid = begin(*args, **options)
        # Not to the process: a thread that another test left would take it.
        signal.pthread_kill(threading.main_thread().ident or 0, interrupted)
        return pid

    monkeypatch.setattr(os, "posix_spawnp", late)
    with pytest.raises(KeyboardInterrupt):
        start_child(python("os.read(0, 1)"), ENV, feed=True)
    (child,) = spawn._live
    assert isinstance(child, PosixChild)
    os.kill(child._pid, interrupted)
    assert child.wait()[0] == -interrupted
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


#: What a thread of the program does while the main thread blocks signals.
WITH_A_THREAD = """
import os, signal, sys, threading, time
from pycache_guard import compat
from pycache_guard.git import spawn

arrived = []
signal.signal(signal.SIGTERM, lambda *_: arrived.append(1))
ended = threading.Event()

def work():
    code = "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    child = spawn.start_child([sys.executable, "-c", code], os.environ)
    print(child.read().decode().strip(), child.wait()[0], flush=True)
    ended.set()
    time.sleep(60)

compat.start_thread(work)
ended.wait(60)
with compat.signals_blocked():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)
    before = [*arrived]
print(before, arrived)
"""


@pytest.mark.skipif(not compat.HAS_SIGMASK, reason="the system has no signal masks")
def test_threads_take_no_signal_that_is_blocked() -> None:
    """Otherwise the main thread is interrupted, and may lose a child that it has just started.

    The children of a thread block nothing, so that they can be ended.
    """
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_THREAD], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["set() 0", "[] [1]"]


@pytest.mark.parametrize("has_mask", [True, False])
def test_start_thread_leaves_the_mask_as_it_was(
    monkeypatch: pytest.MonkeyPatch, has_mask: bool
) -> None:
    monkeypatch.setattr(compat, "HAS_SIGMASK", has_mask and compat.HAS_SIGMASK)
    ended = threading.Event()
    compat.start_thread(ended.set)
    assert ended.wait(60)
    if has_mask and compat.HAS_SIGMASK:
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
def test_an_interrupted_stop_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    child = start_child(python("import time; time.sleep(60)"), ENV)
    kill = os.kill

    def interrupt_once(pid: int, number: int) -> None:
        monkeypatch.setattr(os, "kill", kill)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "kill", interrupt_once)
    with pytest.raises(KeyboardInterrupt):
        spawn.stop_all()
    assert spawn._live == [child]
    spawn.stop_all()
    assert isinstance(child, PosixChild)
    assert child._status is not None
    assert spawn._live == []


def test_signals_blocked_without_sigmask_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "HAS_SIGMASK", False)
    monkeypatch.delattr("_signal.pthread_sigmask", raising=False)
    with compat.signals_blocked():
        pass


def test_stop_all_stops_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child may be at work in a directory that was made before."""
    stopped = []

    class Each:
        def __init__(self, name: str) -> None:
            self._name = name

        def stop(self) -> None:
            stopped.append(self._name)
            spawn._live.remove(self)

    monkeypatch.setattr(spawn, "_live", [Each("directory"), Each("child")])
    spawn.stop_all()
    assert stopped == ["child", "directory"]


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
@pytest.mark.parametrize("made", [0, 1, 2, 3])
def test_failed_start_leaves_no_descriptor_open(monkeypatch: pytest.MonkeyPatch, made: int) -> None:
    """Whichever pipe is one too many; the last time, it is the program that cannot be started."""
    ends: list[int] = []
    pipe = os.pipe

    def limited() -> tuple[int, int]:
        if len(ends) == 2 * made:
            raise OSError(24, "Too many open files")
        ends.extend(pipe())
        return ends[-2], ends[-1]

    monkeypatch.setattr(os, "pipe", limited)
    with pytest.raises(OSError, match=r"Too many|No such"):
        start_child(["/no/such/program"], ENV, feed=True)
    assert len(ends) == 2 * made
    for descriptor in ends:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    assert spawn._live == []


@pytest.mark.usefixtures("kind")
def test_signal_to_all_children_ends_them() -> None:
    """A directory gets none, nor a child that nobody can find any more."""
    children = [start_child(python("sys.stdin.read(); import time; time.sleep(600)"), ENV)]
    children += [start_child(python(""), ENV)]
    children[1].wait()
    with TemporaryDirectory():
        spawn.end_children(15)
        assert children[0].wait()[0] != 0


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
def test_signal_to_a_child_that_is_gone_is_no_error() -> None:
    child = start_child(python(""), ENV)
    assert isinstance(child, PosixChild)
    os.waitpid(child._pid, 0)  # as another thread does, just before
    child.send_signal(15)
    child._status = 0
    child.send_signal(15)
    child.wait()


@pytest.mark.usefixtures("default_signal_handlers")
def test_signal_is_handled_after_the_block() -> None:
    done = []

    def block() -> None:
        with spawn.SignalsDeferred():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("default_signal_handlers")
def test_thread_defers_no_signals() -> None:
    """Signals interrupt the main thread only."""
    done = []

    def defer() -> None:
        with spawn.SignalsDeferred():
            done.append(1)

    thread = threading.Thread(target=defer)
    thread.start()
    thread.join()
    assert done == [1]


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
@pytest.mark.parametrize("number", range(3))
def test_signal_after_a_close_closes_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A second time, the number may be that of a file of another thread."""
    child = start_child(python("os.read(0, 1)"), ENV, feed=True)
    assert isinstance(child, PosixChild)
    closed: list[int] = []
    close = os.close

    def close_and_interrupt(descriptor: int) -> None:
        close(descriptor)
        closed.append(descriptor)
        if len(closed) == number + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "close", close_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        child.stop()
    child.stop()
    assert len(closed) == len(set(closed)) == 3
