"""Do the parts of a job in several processes, which are forked from this one.

For work that holds the lock of the interpreter, as the parser does. A child inherits the work and takes
numbers of parts from a pipe; it returns JSON. `multiprocessing` would start interpreters, import
everything again, and return pickles: 150 ms for two processes, where a fork takes 3 ms.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import json
import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.git.spawn import CHUNK_BYTES, _live, signals_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

_Item = TypeVar("_Item")

#: The number of a part is one byte, and all fit into the smallest pipe.
MAX_PARTS = 256
#: Slices for each process: small enough that all processes end at the same time.
PARTS_PER_PROCESS = 16


def run_slices(
    work: Callable[[Sequence[_Item]], Any], items: Sequence[_Item], processes: int
) -> list[Any]:
    """Return what `work` returns for slices of `items`, in order, by `run_parts`."""
    count = min(MAX_PARTS, PARTS_PER_PROCESS * processes)
    bounds = [len(items) * n // count for n in range(count + 1)]
    return run_parts(lambda n: work(items[bounds[n] : bounds[n + 1]]), count, processes)


def run_parts(work: Callable[[int], Any], count: int, processes: int) -> list[Any]:
    """Return `work(0)` to `work(count - 1)`, which must be values for JSON, in order.

    Each of the processes, this one among them, takes the next part when it has done one. If no process
    can be started, this one does all. Raises `Failure` if a child does, or if it was ended.
    """
    numbers, fill = os.pipe()
    os.write(fill, bytes(range(count)))
    os.close(fill)
    children: list[ForkedChild] = []
    try:
        try:
            while len(children) < processes - 1:
                children.append(ForkedChild(work, numbers))
        except OSError:  # a limit on processes, memory or descriptors
            pass
        done = do_parts(work, numbers)
        for child in children:
            done += child.read_parts()
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
    return [Finding(path, Rule[rule], *rest) for path, rule, *rest in values]


def do_parts(work: Callable[[int], Any], numbers: int) -> list[tuple[int, Any]]:
    """Do parts until none is left; return the number and the result of each."""
    done = []
    while number := os.read(numbers, 1):
        done.append((number[0], work(number[0])))
    return done


class ForkedChild:
    """A copy of this process that does parts of a job."""

    def __init__(self, work: Callable[[int], Any], numbers: int) -> None:
        """Start it. Raises `OSError`."""
        self._out, theirs = os.pipe()
        try:
            with signals_blocked() as mask:
                self._pid: int | None = os.fork()
                if not self._pid:
                    run_child(work, numbers, theirs, mask)
                _live.append(self)
        except BaseException:
            os.close(self._out)
            raise
        finally:
            os.close(theirs)

    def read_parts(self) -> list[tuple[int, Any]]:
        """Wait for its end; return the parts that it has done. Raises `Failure`."""
        pieces = []
        while piece := os.read(self._out, CHUNK_BYTES):
            pieces.append(piece)
        assert self._pid
        _, status = os.waitpid(self._pid, 0)
        self._pid = None
        if status:
            code = os.waitstatus_to_exitcode(status)
            raise Failure(f"a child process has failed (exit code {code})")
        answer = json.loads(b"".join(pieces))
        if "failure" in answer:
            raise Failure(answer["failure"])
        parts: list[tuple[int, Any]] = answer["parts"]
        return parts

    def stop(self) -> None:
        """Kill it if it runs, and close the pipe."""
        _live.remove(self)
        os.close(self._out)
        if self._pid:
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)


def run_child(work: Callable[[int], Any], numbers: int, answers: int, mask: set[int]) -> NoReturn:
    """Do parts, write the results, and end the process: with 0, or with 2 after an unexpected error."""
    code = 2
    try:
        for number in compat.TERMINATION_SIGNALS:
            if _signal.getsignal(number) != _signal.SIG_IGN:
                _signal.signal(number, _signal.SIG_DFL)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        try:
            answer: dict[str, object] = {"parts": do_parts(work, numbers)}
        except Failure as failure:
            answer = {"failure": str(failure)}
        view = memoryview(json.dumps(answer).encode())
        while view:
            view = view[os.write(answers, view) :]
        code = 0
    except BaseException:  # noqa: BLE001 - the parent reports that it has failed
        sys.__excepthook__(*sys.exc_info())
    finally:
        os._exit(code)
