"""Run one target for a limited time."""

from __future__ import annotations

import collections
import random
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, NamedTuple

from fuzz.mutations import mutate

if TYPE_CHECKING:
    from fuzz.target import Target

#: Limit for one input, in seconds of processor time.
MAX_SECONDS = 2.0
#: Limit for one input, in seconds of wall time; it is then interrupted (POSIX only).
TIMEOUT = 20.0
#: Limit for memory, in KiB, in addition to what the seeds took.
MAX_GROWTH = 64 << 10


class Crash(NamedTuple):
    """An input on which a target failed, and the reason."""

    data: bytes
    why: str


class InputTimeout(BaseException):
    """An input has taken too long. No target catches this."""


class Outcome(NamedTuple):
    """The result of a campaign."""

    counts: collections.Counter[str]
    slowest: float
    #: KiB.
    grown: int
    crash: Crash | None


def campaign(target: Target, seconds: float, seed: int, max_inputs: int | None = None) -> Outcome:
    """Run every seed, then mutations until the time is up or `max_inputs` have run; stop at a crash."""
    rng = random.Random(seed)
    corpus = target.seeds()
    counts: collections.Counter[str] = collections.Counter()
    before, end, slowest = memory(), time.monotonic() + seconds, 0.0
    for count, data in enumerate(inputs(target, corpus, rng)):
        if count == len(corpus):
            before = memory()
        if count >= len(corpus) and (time.monotonic() >= end or count == max_inputs):
            break
        start = time.process_time()
        why = ""
        try:
            counts[run_one(target, data)] += 1
        except (Exception, InputTimeout):  # noqa: BLE001 - it is reported, with the input
            why = traceback.format_exc()
        slowest = max(slowest, took := time.process_time() - start)
        if took > MAX_SECONDS:
            why = why or f"took {took:.2f} s\n"
        if why:
            return Outcome(counts, slowest, memory() - before, Crash(data, why))
    grown = memory() - before
    much = (
        Crash(b"", f"{grown} KiB more memory than the seeds took\n") if grown > MAX_GROWTH else None
    )
    return Outcome(counts, slowest, grown, much)


def run_one(target: Target, data: bytes) -> str:
    """Run one input. Raises `InputTimeout`, and anything that the target raises."""
    if sys.platform == "win32":
        return target.run(data)

    def end(number: int, frame: object) -> None:
        raise InputTimeout

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
    try:
        return target.run(data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def inputs(
    target: Target, corpus: list[bytes], rng: random.Random
) -> collections.abc.Iterator[bytes]:
    """Yield the seeds, then mutations without end; smaller seeds are chosen more often."""
    yield from corpus
    while True:
        chosen = corpus[int(len(corpus) * rng.random() ** 2)]
        yield mutate(chosen, rng, target.tokens, corpus)


def memory() -> int:
    """Return the peak memory of this process in KiB; 0 if the system does not report it."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
