"""Feed every target for a while: `python -m fuzz --seconds 600`.

The time is shared between the targets. A crash is told with the command that repeats it, and the rest go
on; the exit code is 1 then. `--properties` runs the property tests of `tests/` instead, with many more
examples than the suite does, again and again until the time is up.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from fuzz.campaign import Outcome
from fuzz.campaign import campaign
from fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """Return 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="in all (default: 60)")
    parser.add_argument("--target", action="append", choices=TARGETS, help="only this; repeatable")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--input", metavar="HEX", help="feed just this to the one --target")
    parser.add_argument("--properties", action="store_true", help="the property tests instead")
    parser.add_argument("--atheris", action="store_true", help="let coverage choose the inputs")
    options = parser.parse_args(argv)
    names = options.target or [*TARGETS]
    if options.properties:
        return properties(options.seconds, options.seed)
    if (options.input is not None or options.atheris) and len(names) != 1:
        parser.error("--input and --atheris take one --target")
    if options.input is not None:
        print(f"{names[0]}: {TARGETS[names[0]].run(bytes.fromhex(options.input))}")
        return 0
    if options.atheris:
        return by_coverage(names[0], options.seconds)
    return max([shared(name, options.seconds / len(names), options.seed) for name in names])


def shared(name: str, seconds: float, seed: int) -> int:
    """Feed one target, and tell how it went."""
    outcome = campaign(TARGETS[name], seconds, seed)
    print(line(name, outcome), flush=True)
    if outcome.crash is None:
        return 0
    print(outcome.crash.why, end="")
    print(f"again: python -m fuzz --target {name} --input {outcome.crash.data.hex()}", flush=True)
    return 1


def line(name: str, outcome: Outcome) -> str:
    """Return the figures of a target."""
    told = ", ".join(f"{count} {what}" for what, count in sorted(outcome.told.items()))
    total = sum(outcome.told.values())
    verdict = "CRASH" if outcome.crash else "ok"
    return (
        f"{name:13}{verdict:6}{total:8} inputs; slowest {outcome.slowest:.3f} s; "
        f"{outcome.grown} KiB more; {told}"
    )


def properties(seconds: float, seed: int) -> int:
    """Run the property tests until the time is up, each time with another seed; at least once."""
    end = time.monotonic() + seconds
    command = [sys.executable, "-m", "pytest", "--quiet", "--no-cov", "-m", "hypothesis"]
    while True:
        options = ["--hypothesis-profile=long", f"--hypothesis-seed={seed}"]
        code = subprocess.run([*command, *options], cwd=ROOT, check=False).returncode
        if code or time.monotonic() >= end:
            return code
        seed += 1


def by_coverage(name: str, seconds: float) -> int:
    """Let atheris choose (https://github.com/google/atheris, installed apart); it ends the process."""
    import tempfile

    import atheris

    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as directory:
        for n, data in enumerate(target.seeds()):
            Path(directory, str(n)).write_bytes(data)
        atheris.instrument_all()
        arguments = [sys.argv[0], directory, f"-max_total_time={seconds:g}", "-timeout=2"]
        atheris.Setup(arguments, target.run)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    # Nothing that is fed has anything to do with who runs this.
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    raise SystemExit(main())
