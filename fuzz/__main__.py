"""Fuzz every target: `python -m fuzz --seconds 600`.

The targets share the time. A crash is printed with the command that repeats it; the other targets
continue, and the exit code is 1. `--properties` runs the property tests of `tests/` instead, with many
more examples than the suite, and repeats them until the time is up.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from fuzz.campaign import Outcome, campaign
from fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """Return 0 if there was no crash."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="total time (default: 60)")
    parser.add_argument(
        "--target", action="append", choices=TARGETS, help="run only this target; repeatable"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers")
    parser.add_argument("--input", metavar="HEX", help="run only this input, with one --target")
    parser.add_argument("--properties", action="store_true", help="run the property tests instead")
    parser.add_argument(
        "--atheris", action="store_true", help="choose inputs by coverage (atheris)"
    )
    options = parser.parse_args(argv)
    names = options.target or [*TARGETS]
    if options.properties:
        return run_properties(options.seconds, options.seed)
    if (options.input is not None or options.atheris) and len(names) != 1:
        parser.error("--input and --atheris take one --target")
    if options.input is not None:
        print(f"{names[0]}: {TARGETS[names[0]].run(bytes.fromhex(options.input))}")
        return 0
    if options.atheris:
        return fuzz_by_coverage(names[0], options.seconds)
    return max([fuzz_target(name, options.seconds / len(names), options.seed) for name in names])


def fuzz_target(name: str, seconds: float, seed: int) -> int:
    """Run one target and print its figures; return 1 if there was a crash."""
    outcome = campaign(TARGETS[name], seconds, seed)
    print(format_outcome(name, outcome), flush=True)
    if outcome.crash is None:
        return 0
    print(outcome.crash.why, end="")
    print(f"again: python -m fuzz --target {name} --input {outcome.crash.data.hex()}", flush=True)
    return 1


def format_outcome(name: str, outcome: Outcome) -> str:
    """Return the figures of a target."""
    counts = ", ".join(f"{count} {word}" for word, count in sorted(outcome.counts.items()))
    total = sum(outcome.counts.values())
    verdict = "CRASH" if outcome.crash else "ok"
    return (
        f"{name:13}{verdict:6}{total:8} inputs; slowest {outcome.slowest:.3f} s; "
        f"{outcome.grown} KiB more; {counts}"
    )


def run_properties(seconds: float, seed: int) -> int:
    """Run the property tests until the time is up, each time with another seed; at least once."""
    end = time.monotonic() + seconds
    command = [sys.executable, "-m", "pytest", "--quiet", "--no-cov", "-m", "hypothesis"]
    while True:
        options = ["--hypothesis-profile=long", f"--hypothesis-seed={seed}"]
        code = subprocess.run([*command, *options], cwd=ROOT, check=False).returncode
        if code or time.monotonic() >= end:
            return code
        seed += 1


def fuzz_by_coverage(name: str, seconds: float) -> int:
    """Run a target with atheris (https://github.com/google/atheris, installed separately), which ends the process."""
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
    # The configuration of the user must not matter.
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    raise SystemExit(main())
