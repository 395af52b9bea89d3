"""Feed one target for a while."""

from __future__ import annotations

import collections
import random
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING
from typing import NamedTuple

from fuzz.mutations import mutated

if TYPE_CHECKING:
    from fuzz.target import Target

#: No input may take longer, in seconds of this process ...
LONGEST = 2.0
#: ... and in seconds of the clock, after which it is ended, where there are signals.
LAST = 20.0
#: Of memory, in KiB, beyond what the seeds took.
MOST = 64 << 10


class Crash(NamedTuple):
    """An input that a target did not take, and why."""

    data: bytes
    why: str


class InputTimeout(BaseException):
    """An input has taken too long. Nothing that is fed catches this."""


class Outcome(NamedTuple):
    """What came of a campaign."""

    told: collections.Counter[str]
    slowest: float
    #: KiB.
    grown: int
    crash: Crash | None


def campaign(target: Target, seconds: float, seed: int, most: int | None = None) -> Outcome:
    """Feed every seed, then changed ones until the time is up, or `most` inputs; stop at a crash."""
    chance = random.Random(seed)
    corpus = target.seeds()
    told: collections.Counter[str] = collections.Counter()
    before, end, slowest = memory(), time.monotonic() + seconds, 0.0
    for count, data in enumerate(inputs(target, corpus, chance)):
        if count == len(corpus):
            before = memory()
        if count >= len(corpus) and (time.monotonic() >= end or count == most):
            break
        start = time.process_time()
        why = ""
        try:
            told[run_one(target, data)] += 1
        except (Exception, InputTimeout):  # noqa: BLE001 - it is told, with the input
            why = traceback.format_exc()
        slowest = max(slowest, took := time.process_time() - start)
        if took > LONGEST:
            why = why or f"took {took:.2f} s\n"
        if why:
            return Outcome(told, slowest, memory() - before, Crash(data, why))
    grown = memory() - before
    much = Crash(b"", f"{grown} KiB more memory than the seeds took\n") if grown > MOST else None
    return Outcome(told, slowest, grown, much)


def run_one(target: Target, data: bytes) -> str:
    """Feed one input. Raises `InputTimeout`, beside what the target raises."""
    if sys.platform == "win32":
        return target.run(data)

    def end(number: int, frame: object) -> None:
        raise InputTimeout

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LAST)
    try:
        return target.run(data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def inputs(
    target: Target, corpus: list[bytes], chance: random.Random
) -> collections.abc.Iterator[bytes]:
    """Yield the seeds, then changes of them without end, smaller ones more often."""
    yield from corpus
    while True:
        chosen = corpus[int(len(corpus) * chance.random() ** 2)]
        yield mutated(chosen, chance, target.tokens, corpus)


def memory() -> int:
    """Return the most memory that this process has held, in KiB; 0 where that is not told."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most
