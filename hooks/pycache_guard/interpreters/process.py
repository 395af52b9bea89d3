"""A compiler process: it reads sources and returns marshalled code, within limits."""

from __future__ import annotations

import contextlib
import copy
import os
import select
import struct
import subprocess
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.interpreters.identity import (
    ISOLATED,
    ISOLATED_2,
    Interpreter,
    child_command,
    parse_identity,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

#: For the same bytes from run to run. Without -I, which ignores PYTHONHASHSEED: before 3.11 the order of
#: a marshalled frozenset depends on it. Python 2 lacks -X, which shows that it is one.
_REPEATABLE = ("-X", "utf8", "-s", "-S", "-B", "-W", "ignore")
_HASH_SEED = {"PYTHONHASHSEED": "0"}
#: Variables that a process needs to find its libraries. No `PYTHON*`, no secrets.
_KEPT = ("SYSTEMROOT", "WINDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")


class Limits(NamedTuple):
    """Limits for compiling one source."""

    #: Processor time, on platforms with `resource`.
    seconds: int = 60
    #: Real time in seconds, on every platform.
    timeout: float = 120.0
    #: Real time in seconds for the start of an interpreter.
    startup_timeout: float = 20.0
    #: Memory of the whole process in bytes, on platforms with `resource`.
    memory: int = 4 << 30


class CompileResult(NamedTuple):
    """The result of compiling a source."""

    #: Marshalled code, None if the source did not compile.
    code: bytes | None
    #: The source hash of this interpreter (PEP 552), None if it has none.
    digest: bytes | None = None
    #: Why it did not compile.
    reason: str = ""
    #: Whether the source is not valid in this Python version, rather than beyond our limits.
    rejected: bool = False


class InterpreterUnusable(Exception):
    """The executable does not work as a compiler."""


class CompilerProcess:
    """A process of an interpreter that compiles one source after the other.

    If it dies, it is restarted for the next source.
    """

    def __init__(self, executable: str, limits: Limits, *, is_repeatable: bool = False) -> None:
        """Start and ask for its identity. Raises `InterpreterUnusable`.

        `is_repeatable` is for output that is kept: the same source gives the same bytes in every process.
        """
        #: The file name for the compiler. A random name cannot occur in the source.
        self.name = f"<source {os.urandom(8).hex()}>".encode("ascii")
        self._executable = executable
        self._limits = limits
        self._isolated = _REPEATABLE if is_repeatable else ISOLATED
        self._is_2 = False
        self._level = 0
        self._child: subprocess.Popen[bytes] | None = None
        self.interpreter = self._identify()

    def copy(self) -> CompilerProcess:
        """Return another process of the same interpreter, for sources of the same name.

        `launch` and then `confirm` must be called before it is used.
        """
        copied = copy.copy(self)
        copied._child = None
        return copied

    def launch(self) -> None:
        """Start the process. It writes its identity then. Raises `InterpreterUnusable` and `Failure`."""
        isolated = ISOLATED_2 if self._is_2 else self._isolated
        optimize = ("-OO" if self._level > 1 else "-O",) if self._level and self._is_2 else ()
        command = child_command(
            self._executable,
            (*isolated, *optimize),
            seconds=self._limits.seconds,
            memory=self._limits.memory,
        )
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Not the directory that is verified.
                cwd=os.path.abspath(os.sep),
                env={
                    **_HASH_SEED,
                    **{name: os.environ[name] for name in _KEPT if name in os.environ},
                },
            )
        except (OSError, ValueError) as error:
            raise InterpreterUnusable(str(error)) from None
        try:
            self._watchdog = Watchdog(self._child, self._limits.startup_timeout)
        except Failure:
            self._child = None  # it has ended
            raise

    def confirm(self) -> bool:
        """Wait for the start of a copy; return whether it is the interpreter that it was copied from."""
        try:
            is_same = self._receive_identity() == self.interpreter
        except InterpreterUnusable:
            is_same = False
        if not is_same:
            self.close()
        return is_same

    def submit(self, source: bytes, level: int, name: bytes | None = None) -> None:
        """Send a source to be compiled at an optimization level. `result` must be called next.

        `name` is the file name for the code objects, in UTF-8; by default `self.name`.
        """
        name = self.name if name is None else name
        if (
            self._is_2 and level != self._level
        ):  # its `compile` has no parameter for it, only -O and -OO
            self.close()
            self._level = level
        try:
            if self._child is None:
                self._start()
            head = struct.pack(">BHI", level, len(name), len(source))
            with self._watchdog:
                stdin = self._pipes()[0]
                stdin.write(head + name + source)
                stdin.flush()
        except (OSError, InterpreterUnusable):  # it died; `result` reports that
            pass

    def result(self) -> CompileResult:
        """Wait for the result of the source that was sent last."""
        try:
            kind, payload = self._read_frame()
        except InterpreterUnusable as error:
            return CompileResult(None, reason=str(error))
        if kind == b"=":
            code = 1 + payload[0]
            return CompileResult(payload[code:], payload[1:code] or None)
        words = payload.decode("ascii", "replace")
        return CompileResult(None, reason=words, rejected=kind == b"!")

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            self._watchdog.stop()
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                # Unwritten data no longer has a reader.
                with contextlib.suppress(OSError):
                    assert pipe is not None
                    pipe.close()

    def _identify(self) -> Interpreter:
        try:
            return self._start()
        except InterpreterUnusable:
            self._is_2 = True
            return self._start()

    def _start(self) -> Interpreter:
        self.launch()
        return self._receive_identity()

    def _receive_identity(self) -> Interpreter:
        kind, payload = self._read_frame()
        self._watchdog.timeout = self._limits.timeout
        try:
            if kind == b"i":
                return parse_identity(payload)._replace(executable=self._executable)
        except ValueError:
            pass
        self.close()
        raise InterpreterUnusable("it does not answer as an interpreter does")

    def _read_frame(self) -> tuple[bytes, bytes]:
        """Read one frame. Raises `InterpreterUnusable`, with a reason, when the process has ended."""
        if self._child is None:
            raise InterpreterUnusable("the compiler could not be started again")
        stdout = self._pipes()[1]
        with self._watchdog:
            head = stdout.read(5)
            if len(head) == 5:
                kind, length = struct.unpack(">cI", head)
                payload = stdout.read(length)
                if len(payload) == length:
                    return kind, payload
        self._child.kill()
        code, late = self._child.wait(), self._watchdog.timed_out
        self.close()
        if late:
            raise InterpreterUnusable(
                f"the compiler took more than {self._watchdog.timeout:g} seconds"
            )
        raise InterpreterUnusable(f"the compiler process ended ({_exit_reason(code)})")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        return self._child.stdin, self._child.stdout


def wait_for_answer(processes: Sequence[CompilerProcess]) -> CompilerProcess:
    """Wait until one of `processes` has answered or ended, and return it.

    The time limits of all run meanwhile. Windows cannot wait for several pipes: there it is the first.
    """
    if compat.WINDOWS:
        return processes[0]
    waiting: dict[int, CompilerProcess] = {}
    poll = select.poll()
    with contextlib.ExitStack() as watched:
        for process in processes:
            if process._child is None:  # it has ended, which `result` reports
                return process
            descriptor = process._pipes()[1].fileno()
            waiting[descriptor] = process
            poll.register(descriptor, select.POLLIN)
            watched.enter_context(process._watchdog)
        return waiting[poll.poll()[0][0]]


def _exit_reason(code: int) -> str:
    """Return the signal or exit code that ended a process."""
    if code >= 0 or compat.WINDOWS:
        return f"exit code {code}"
    import signal

    return signal.strsignal(-code) or f"signal {-code}"


#: Seconds between two checks.
_POLL_SECONDS = 0.1


class Watchdog:
    """Kills `child` when one `with` block lasts longer than `timeout` seconds."""

    def __init__(self, child: subprocess.Popen[bytes], timeout: float) -> None:
        self._child = child
        #: In seconds.
        self.timeout = timeout
        self._since: float | None = None
        self._stopped = threading.Event()
        #: Whether it has killed the child.
        self.timed_out = False
        try:
            compat.start_thread(self._watch)
        except RuntimeError as error:  # the limit of processes is reached
            with child:  # waits for its end, and closes its pipes
                child.kill()
            raise Failure(f"cannot start the thread that watches the compiler: {error}") from None

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._since = None

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            since = self._since
            if since is not None and time.monotonic() - since > self.timeout:
                self.timed_out = True
                self._child.kill()
                return
