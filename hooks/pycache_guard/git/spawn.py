"""Start child processes. No other module starts one in a hook.

# hot path: see tests/test_budgets.py

It uses `posix_spawnp`, because importing `subprocess` takes 4 ms more. PyPy has no `posix_spawnp`, and Windows
neither that nor `poll`; `spawn_subprocess` does the same there.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` imports enum, which costs 3 ms
import os

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    class Stoppable(Protocol):
        """A process or directory that must not outlive this program."""

        def stop(self) -> None:
            """End or remove it."""

    class Child(Stoppable, Protocol):
        """A running process."""

        def pipe_capacity(self) -> int:
            """Return how many unread bytes its stdin holds; only for a child with `feed`."""

        def enlarge_output(self) -> None:
            """Let it write more before it waits for us to read, if the system can."""

        def write(self, data: bytes) -> None:
            """Write all of `data` to its stdin."""

        def close_stdin(self) -> None:
            """Tell it that there is no more input."""

        def read(self, size: int = ..., /) -> bytes:
            """Read up to `size` bytes of its stdout; `b""` at the end."""

        def has_output(self, seconds: float) -> bool:
            """Return whether `read` would return at once, after waiting for up to `seconds`."""

        def wait(self) -> tuple[int, bytes]:
            """Close its pipes, wait for its end; return its exit code and its stderr."""

        def kill(self) -> None:
            """Kill it and wait for its end."""

        def stop(self) -> None:
            """Terminate it, so that it removes its lock files, or kill it, and wait for its end."""


#: The capacity of a pipe on Linux.
CHUNK_BYTES = 65536
#: The smallest pipe: of Windows, of macOS under pressure, of Linux beyond `pipe-user-pages-soft` (pipe(7)).
MIN_PIPE_BYTES = 4096
#: The largest pipe that Linux gives to everybody (`pipe-max-size` in pipe(7)).
LARGE_PIPE_BYTES = 1 << 20
#: The number of checks whether a child has ended after a signal, and the seconds between two of them.
STOP_POLLS = 400
POLL_SECONDS = 0.005
#: The time that a poll waits, and the silence after which a child must have used processor time.
#: A child that has not, twice, waits for something that does not come, such as a pipe instead of a file.
POLL_MILLISECONDS = 200
SILENCE_MILLISECONDS = 15_000
#: The number of silences after which a child is ended if its processor time is not known.
UNKNOWN_SILENCES = 20
#: Running children and existing temporary directories.
_live: list[Stoppable] = []
#: The signals that were blocked when this program started. Its children block the same ones, whatever is
#: blocked when they start (posix_spawnattr_setsigmask(3)).
FIRST_MASK: set[int] = (
    _signal.pthread_sigmask(_signal.SIG_BLOCK, ()) if compat.HAS_SIGMASK else set()
)


class SignalsDeferred:
    """Handle termination signals at the end of the block, so that none interrupts it halfway.

    Only the main thread can do this (`signal.signal`); in another one nothing is deferred, and nothing
    need be, because signals interrupt the main thread only.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, object] = {}
        self._arrived: list[int] = []

    def __enter__(self) -> None:
        for number in compat.TERMINATION_SIGNALS:
            handler = _signal.getsignal(number)
            if callable(handler):
                try:
                    _signal.signal(number, self._note)
                except ValueError:
                    return
                self._handlers[number] = handler

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            _signal.signal(number, handler)
        for number in self._arrived:
            handler = self._handlers[number]
            assert callable(handler)
            handler(number, None)

    def _note(self, number: int, _: object) -> None:
        self._arrived.append(number)


class PosixChild:
    """A child on a POSIX system. Its stderr is read along with stdout, so neither blocks."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        stdin: int | None,
        stdout: int | None,
        feed: bool,
    ) -> None:
        reserve_standard_fds()
        self._stdin: int | None = None
        self._out: int | None = None
        self._err: int | None
        self._errors: list[bytes] = []
        self._status: int | None = None
        self._silent_milliseconds = 0
        self._silences = 0
        self._ticks: object = ()
        path = env.get("PATH")
        # `posix_spawnp` looks in this process's PATH, and in its relative entries too.
        is_searched = path and path == os.environ.get("PATH") == compat.absolute_entries(path)
        program = argv[0] if is_searched else compat.find_program(argv[0], path)
        opened: list[int] = []
        try:
            self._err, err_child = new_pipe(opened)
            theirs = [err_child]
            if feed:
                stdin, self._stdin = new_pipe(opened)
                theirs.append(stdin)
            if stdout is None:
                self._out, stdout = new_pipe(opened)
                theirs.append(stdout)
            if compat.HAS_POSIX_SPAWN:
                source: tuple[int, int, int] | tuple[int, int, str, int, int] = (
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
                    if stdin is None
                    else (os.POSIX_SPAWN_DUP2, stdin, 0)
                )
                sinks = [(os.POSIX_SPAWN_DUP2, stdout, 1), (os.POSIX_SPAWN_DUP2, err_child, 2)]
                self._pid = os.posix_spawnp(
                    program, [*argv], env, file_actions=[source, *sinks], setsigmask=FIRST_MASK
                )
            else:
                from pycache_guard.git.spawn_subprocess import start_process

                self._pid = start_process(
                    program, argv, env, (stdin, stdout, err_child), FIRST_MASK
                )
        except BaseException:
            for descriptor in opened:
                os.close(descriptor)
            raise
        for descriptor in theirs:
            os.close(descriptor)

    def pipe_capacity(self) -> int:
        """Return how many bytes stdin holds unread: fcntl(2), `F_GETPIPE_SZ`, if it exists."""
        import fcntl

        assert self._stdin is not None
        ask = getattr(fcntl, "F_GETPIPE_SZ", None)
        return fcntl.fcntl(self._stdin, ask) if ask else MIN_PIPE_BYTES

    def enlarge_output(self) -> None:
        """Let stdout hold more unread bytes: fcntl(2), `F_SETPIPE_SZ`, if it exists and is allowed."""
        import fcntl
        from contextlib import suppress

        assert self._out is not None
        enlarge = getattr(fcntl, "F_SETPIPE_SZ", None)
        if enlarge:
            with suppress(OSError):  # this user has too many large pipes: pipe(7)
                fcntl.fcntl(self._out, enlarge, LARGE_PIPE_BYTES)

    def write(self, data: bytes) -> None:
        """Write all of `data` to stdin."""
        assert self._stdin is not None
        view = memoryview(data)
        while view:
            view = view[os.write(self._stdin, view) :]

    def close_stdin(self) -> None:
        """Tell the child that there is no more input."""
        if self._stdin is not None:
            # The number is forgotten first: a signal between the two must not have it closed twice.
            descriptor, self._stdin = self._stdin, None
            os.close(descriptor)

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Read up to `size` bytes of stdout; `b""` at the end. Raises `TimeoutError`."""
        while self._out is not None:
            ready = self._poll(self._out, self._err)
            if self._err in ready:
                self._read_errors()
            if self._out in ready:
                data = os.read(self._out, size)
                if not data:
                    self._close_out()
                return data
        return b""

    def has_output(self, seconds: float) -> bool:
        """Return whether `read` would return at once, after waiting for up to `seconds`."""
        import select

        assert self._out is not None
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def wait(self) -> tuple[int, bytes]:
        """Close the pipes, wait for the end; return the exit code and stderr.

        A child of the child's that goes on (a daemon) may hold its stderr open: that is not waited for.
        Raises `TimeoutError`.
        """
        self.close_stdin()
        self._close_out()
        while self._err is not None:
            if self._poll(self._err):
                self._read_errors()
            elif self._has_ended():
                self._close_errors()
        if self._status is None:
            _, self._status = os.waitpid(self._pid, 0)
        _live.remove(self)
        return os.waitstatus_to_exitcode(self._status), b"".join(self._errors)

    def kill(self) -> None:
        """End the child now."""
        os.kill(self._pid, 9)
        self.wait()

    def stop(self) -> None:
        """End the child with SIGTERM, and with SIGKILL if that fails; discard its output."""
        self.close_stdin()
        self._close_out()
        self._close_errors()
        if not self._ends_by(15):
            self._ends_by(9)
        _live.remove(self)

    def send_signal(self, number: int) -> None:
        """Send a signal to the child if nobody has waited for it."""
        if self._status is None:
            try:  # noqa: SIM105 - contextlib costs 1 ms
                os.kill(self._pid, number)
            except ProcessLookupError:  # a thread has just waited for it
                pass

    def _ends_by(self, signal: int) -> bool:
        from time import sleep

        for _ in range(STOP_POLLS):
            try:
                if self._has_ended():
                    return True
            except ChildProcessError:  # we were interrupted just after it had been waited for
                return True
            os.kill(self._pid, signal)
            sleep(POLL_SECONDS)
        return False

    def _has_ended(self) -> bool:
        if self._status is None:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if ended:
                self._status = status
        return self._status is not None

    def _poll(self, *descriptors: int | None) -> set[int]:
        """Return which descriptors can be read, the empty set after `POLL_MILLISECONDS`.

        Raises `TimeoutError` if the child has been silent and idle for too long.
        """
        import select  # 0.3 ms, while the child is at work

        poll = select.poll()
        for descriptor in descriptors:
            if descriptor is not None:
                poll.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(POLL_MILLISECONDS)}
        if ready:
            self._silent_milliseconds = self._silences = 0
        else:
            self._silent_milliseconds += POLL_MILLISECONDS
            if self._silent_milliseconds >= SILENCE_MILLISECONDS:
                self._silent_milliseconds = 0
                self._expect_work()
        return ready

    def _expect_work(self) -> None:
        """Raise `TimeoutError` if the child has used no processor time since the last call."""
        ticks = compat.processor_ticks(self._pid)
        self._silences = self._silences + 1 if ticks in (None, self._ticks) else 0
        self._ticks = ticks
        if self._silences >= (UNKNOWN_SILENCES if ticks is None else 1):
            raise TimeoutError

    def _read_errors(self) -> None:
        assert self._err is not None
        data = os.read(self._err, CHUNK_BYTES)
        if data:
            self._errors.append(data)
        else:
            self._close_errors()

    def _close_errors(self) -> None:
        if self._err is not None:
            descriptor, self._err = self._err, None
            os.close(descriptor)

    def _close_out(self) -> None:
        if self._out is not None:
            descriptor, self._out = self._out, None
            os.close(descriptor)


def start_child(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    feed: bool = False,
) -> Child:
    """Start `argv` with exactly the environment `env`.

    Its stdin is `/dev/null`, the open descriptor `stdin`, or with `feed` a pipe for `Child.write`; its
    stdout is a pipe for `Child.read`, or the open descriptor `stdout`. Raises `OSError` when the
    program cannot be started.
    """
    child: Child
    if compat.HAS_FORK:
        with compat.signals_blocked():
            child = PosixChild(argv, env, stdin=stdin, stdout=stdout, feed=feed)
            _live.append(child)
    else:
        from pycache_guard.git.spawn_subprocess import SubprocessChild

        child = SubprocessChild(argv, env, stdin=stdin, stdout=stdout, feed=feed)
        _live.append(child)
    return child


def stop_all() -> None:
    """Stop all children and remove all directories, the newest first: a child may use a directory."""
    for each in _live[::-1]:
        each.stop()


def end_children(number: int) -> None:
    """Send a signal to all children, for threads that read from them: each thread does the rest.

    `stop_all` would close descriptors that another thread is using.
    """
    for each in _live[::-1]:
        end = getattr(each, "send_signal", None)  # a directory has none
        if end is not None:
            end(number)


def new_pipe(opened: list[int]) -> tuple[int, int]:
    """Return the ends of a new pipe, for reading and writing, and add both to `opened`."""
    ends = os.pipe()
    opened += ends
    return ends


def reserve_standard_fds() -> None:
    """Open descriptors 0, 1 and 2 on the null device where they were closed (`2>&-`).

    A pipe that got one of these numbers would be overwritten on its way into the child.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
