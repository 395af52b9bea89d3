"""Do a job, or parts of it, in processes that are forked from this one.

For work that holds the lock of the interpreter, as the parser does. A child inherits the work and returns
JSON. `multiprocessing` would start interpreters, import everything again, and return pickles: 150 ms for
two processes, where a fork takes 3 ms.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys
from time import sleep

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git.spawn import (
    CHUNK_BYTES,
    FIRST_MASK,
    POLL_MILLISECONDS,
    POLL_SECONDS,
    STOP_POLLS,
    _live,
    stop_all,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn, TypeVar

    from pycache_guard.findings import Finding

    _Item = TypeVar("_Item")

#: The number of a part is one byte, and all fit into the smallest pipe.
MAX_PARTS = 256
#: Slices for each process: small enough that all processes end at the same time.
PARTS_PER_PROCESS = 16
#: The number of times that a child is asked to end before it is killed: it may take `STOP_POLLS` for each
#: of its own processes.
MAX_STOP_POLLS = 4 * STOP_POLLS
SIGTERM, SIGKILL = 15, 9


class ChildFailure(Failure):
    """A child was ended, or has reported an unexpected error."""


def run_slices(
    work: Callable[[Sequence[_Item]], Any], items: Sequence[_Item], processes: int
) -> list[Any]:
    """Return what `work` returns for slices of `items`, in order, by `run_parts`."""
    count = min(MAX_PARTS, PARTS_PER_PROCESS * processes)
    bounds = [len(items) * n // count for n in range(count + 1)]
    return run_parts(lambda n: work(items[bounds[n] : bounds[n + 1]]), count, processes)


def run_parts(work: Callable[[int], Any], count: int, processes: int) -> list[Any]:
    """Return `work(0)` to `work(count - 1)`, which must be values for JSON, in order.

    The numbers are in a pipe: each of the processes, this one among them, takes the next part when it
    has done one. If no process can be started, this one does all. Raises `Failure` if a child does, or
    if it was ended.
    """
    numbers, fill = os.pipe()
    os.write(fill, bytes(range(count)))
    os.close(fill)
    children: list[ForkedChild] = []
    try:
        try:
            while len(children) < processes - 1:
                children.append(ForkedChild(lambda: do_parts(work, numbers)))
        except OSError:  # a limit on processes, memory or descriptors
            pass
        done = do_parts(work, numbers)
        for child in children:
            done += child.read()
    finally:
        for child in children:
            child.stop()
        os.close(numbers)
    return [result for _, result in sorted(done, key=lambda part: part[0])]


def encode_findings(findings: Sequence[Finding]) -> list[object]:
    """Return findings as values for JSON."""
    return [(path, rule.name, *rest) for path, rule, *rest in findings]


def decode_findings(values: Sequence[Any]) -> list[Finding]:
    """Return the findings that `encode_findings` has made `values` of."""
    if not values:
        return []
    from pycache_guard.findings import Finding, Rule

    return [Finding(path, Rule[rule], *rest) for path, rule, *rest in values]


def do_parts(work: Callable[[int], Any], numbers: int) -> list[tuple[int, Any]]:
    """Do parts until none is left; return the number and the result of each."""
    done = []
    while number := os.read(numbers, 1):
        done.append((number[0], work(number[0])))
    return done


class ForkedChild:
    """A copy of this process that returns the value of `work`, for JSON."""

    def __init__(self, work: Callable[[], Any]) -> None:
        """Start it. Raises `OSError`."""
        self._pid: int | None = None
        self._out: int | None
        self._out, theirs = os.pipe()
        try:
            with compat.signals_blocked():
                self._pid = os.fork()
                if not self._pid:
                    run_child(work, theirs)
                _live.append(self)
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(theirs)
        import json  # while the child is at work, it costs no time

        self._decode = json.loads

    def read(self) -> Any:
        """Wait for its end; return the value. Raises `Failure`."""
        import select

        assert self._out is not None
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        pieces = [b" "]
        while pieces[-1]:
            # A signal between two instructions of Python and a call would not end a call without a limit.
            while not poll.poll(POLL_MILLISECONDS):
                pass
            pieces.append(os.read(self._out, CHUNK_BYTES))
        with compat.signals_blocked():
            assert self._pid
            _, status = os.waitpid(self._pid, 0)
            self._pid = None
        if status:
            code = os.waitstatus_to_exitcode(status)
            raise ChildFailure(f"a child process has failed (exit code {code})")
        answer = self._decode(b"".join(pieces))
        if "failure" in answer:
            raise Failure(answer["failure"])
        return answer["value"]

    def stop(self) -> None:
        """End it if it runs, so that it ends its own processes first; close the pipe. It can be repeated."""
        with compat.signals_blocked():
            if self._out is not None:
                descriptor, self._out = self._out, None
                os.close(descriptor)
            polls = 0
            while self._pid:
                try:
                    os.kill(self._pid, SIGTERM if polls < MAX_STOP_POLLS else SIGKILL)
                    polls += 1
                    sleep(POLL_SECONDS)
                    if os.waitpid(self._pid, os.WNOHANG)[0]:
                        self._pid = None
                except (ProcessLookupError, ChildProcessError):  # it has been waited for
                    self._pid = None
            if self in _live:
                _live.remove(self)


def run_child(work: Callable[[], Any], answers: int) -> NoReturn:
    """Write the value of `work`, and end the process: with 0, or with another code after an error.

    Signals are handled as in the parent, so that its processes and directories do not outlive it.
    """
    code = 2
    try:
        try:
            _live.clear()  # they are the parent's
            _signal.pthread_sigmask(_signal.SIG_SETMASK, FIRST_MASK)
            try:
                answer = {"value": work()}
            except Failure as failure:
                answer = {"failure": str(failure)}
            import json

            view = memoryview(json.dumps(answer).encode())
            while view:
                view = view[os.write(answers, view) :]
            code = 0
        finally:
            stop_all()
    except KeyboardInterrupt:
        code = 2
        stop_all()  # the signal may have interrupted the first call
    except BaseException:  # noqa: BLE001 - the parent reports that it has failed
        code = 2
        sys.__excepthook__(*sys.exc_info())
    finally:
        os._exit(code)
