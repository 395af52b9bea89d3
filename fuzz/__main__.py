"""Feed the targets for a while, in this process: `python -m fuzz [--seconds N] [--atheris]`.

Each input has its time taken, and the memory at the end is compared with that of the start. With
`--atheris` the inputs are chosen by coverage (https://github.com/google/atheris, installed apart).
"""

from __future__ import annotations

import argparse
import collections
import random
import sys
import time

from fuzz.mutations import mutated
from fuzz.seeds import seeds
from fuzz.targets import one

#: No input may take longer, in seconds.
LONGEST = 1.0
#: Of memory, in KiB, beyond what the seeds took.
MOST = 64 << 10


def main() -> int:
    """Return 0 if nothing was found; a crash ends with its traceback, the input before it."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    if options.atheris:
        return by_coverage(options.seconds)
    chance = random.Random(options.seed)
    corpus = seeds()
    told: collections.Counter[str] = collections.Counter(map(one, corpus))
    before, end, slowest = memory(), time.monotonic() + options.seconds, 0.0
    while time.monotonic() < end:
        data = mutated(corpus[int(len(corpus) * chance.random() ** 2)], chance)
        start = time.perf_counter()
        try:
            told[one(data)] += 1
        except BaseException:
            print(f"input: {data.hex()}", file=sys.stderr)
            raise
        took = time.perf_counter() - start
        if took > slowest:
            slowest = took
            if took > LONGEST:
                print(f"{took:.2f} s: {data.hex()}")
                return 1
    grown = memory() - before
    results = ", ".join(f"{count} {what}" for what, count in sorted(told.items()))
    print(f"{sum(told.values())} inputs ({results}); slowest {slowest:.3f} s; {grown} KiB more")
    return 1 if grown > MOST else 0


def memory() -> int:
    """Return the most memory that this process has held, in KiB; 0 where that is not told."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


def by_coverage(seconds: float) -> int:
    """Let atheris choose; it ends the process."""
    import tempfile
    from pathlib import Path

    import atheris

    with tempfile.TemporaryDirectory() as directory:
        for n, data in enumerate(seeds()):
            (Path(directory) / str(n)).write_bytes(data)
        atheris.instrument_all()
        arguments = [sys.argv[0], directory, f"-max_total_time={seconds:g}", "-timeout=1"]
        atheris.Setup(arguments, one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
