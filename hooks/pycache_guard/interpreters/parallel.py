"""Compile with several processes of one interpreter at once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.interpreters.process import InterpreterUnusable, wait_for_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.interpreters.process import CompileResult, CompilerProcess

K = TypeVar("K")

#: More are idle, because this process compares the results.
MAX_PROCESSES = 8
#: A process is started for so many sources each: its start takes as long as compiling them.
SOURCES_PER_PROCESS = 16
#: The bytes of all jobs in work. A compiler takes memory in proportion to the source; a job that is larger
#: runs alone.
MAX_BYTES = 16 << 20


class Job(Generic[K]):
    """A source to compile. A named tuple can be generic only from Python 3.11 on."""

    __slots__ = ("key", "level", "size", "source")

    def __init__(self, key: K, source: bytes, level: int, size: int) -> None:
        """Take what the caller knows the job by, and the bytes that it keeps in memory for it."""
        self.key = key
        self.source = source
        self.level = level
        self.size = size


class _Started(Generic[K]):
    """A job that was handed to a process."""

    __slots__ = ("job", "result")

    def __init__(self, job: Job[K]) -> None:
        self.job = job
        self.result: CompileResult | None = None


class ParallelCompiler(Generic[K]):
    """Compiles with one process for each processor, and returns the results in the order of the jobs."""

    def __init__(self, first: CompilerProcess) -> None:
        """Take a process, which stays open; others are started when there is work for them."""
        self._limit = min(compat.count_processors(), MAX_PROCESSES)
        self._copies: list[CompilerProcess] = []
        self._starting: list[CompilerProcess] = []
        self._idle = [first]
        self._busy: dict[CompilerProcess, _Started[K]] = {}
        #: In the order of the jobs, those whose results were not yielded.
        self._order: deque[_Started[K]] = deque()
        self._submitted = 0

    def compile_all(self, jobs: Iterator[Job[K]]) -> Iterator[tuple[K, CompileResult]]:
        """Yield the result of each job, while others are being compiled.

        A process gets its next source only after its previous result was read. Otherwise both could
        wait for each other to read.
        """
        upcoming = next(jobs, None)
        while True:
            while upcoming is not None and self._idle and self._has_room(upcoming):
                self._submit(upcoming)
                self._grow()
                upcoming = next(jobs, None)
            if not self._order:
                return
            result = self._order[0].result
            if result is None:
                self._receive()
            else:
                yield self._order.popleft().job.key, result

    def __enter__(self) -> None:
        """Nothing is started yet."""

    def __exit__(self, *_: object) -> None:
        """End the processes that were started here."""
        for process in self._copies:
            process.close()

    def _has_room(self, job: Job[K]) -> bool:
        """Return whether another job stays within the limits of memory."""
        size = job.size + sum(started.job.size for started in self._order)
        return not self._order or (size <= MAX_BYTES and len(self._order) < 2 * self._limit)

    def _submit(self, job: Job[K]) -> None:
        process = self._idle.pop()
        process.submit(job.source, job.level)
        started = _Started(job)
        self._busy[process] = started
        self._order.append(started)
        self._submitted += 1

    def _grow(self) -> None:
        """Start one more process if there is work for it."""
        count = 1 + len(self._copies)
        if count >= self._limit or self._submitted < SOURCES_PER_PROCESS * count:
            return
        process = next(iter(self._busy)).copy()
        self._copies.append(process)
        try:
            process.launch()
        except (Failure, InterpreterUnusable):  # the limit of processes is reached
            self._limit = count
        else:
            self._starting.append(process)

    def _receive(self) -> None:
        """Wait for one process."""
        process = wait_for_answer([*self._starting, *self._busy])
        if process in self._starting:
            self._starting.remove(process)
            if process.confirm():
                self._idle.append(process)
        else:
            self._busy.pop(process).result = process.result()
            self._idle.append(process)
