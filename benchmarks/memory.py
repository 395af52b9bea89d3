"""Peak memory of a command: of its largest process, and of our own process alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Started by a bare interpreter: what a process is forked from counts as its own peak (getrusage(2)),
#: and the benchmark itself is larger than what it measures.
LAUNCHER = """
import os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss)
"""

#: Runs the program and writes the peak memory of its process, without children.
ALONE = """
import resource, sys
from pycache_guard.cli import main
peak = sys.argv.pop(1)
code = main(sys.argv[1:])
with open(peak, "w") as file:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=file)
sys.exit(code)
"""

#: `ru_maxrss` is in bytes on macOS, in KiB elsewhere.
MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024


class Run(NamedTuple):
    """Time and memory of a run."""

    seconds: float
    #: Peak of the largest process among the command and all that it started and waited for, in MB.
    largest: float


def run(command: Sequence[str], cwd: Path, stdin: Path | None = None) -> Run:
    """Run a command to its end; its output goes nowhere."""
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    with open(stdin or "/dev/null", "rb") as given:
        done = subprocess.run(
            launcher, cwd=cwd, stdin=given, capture_output=True, check=True, text=True
        )
    code, seconds, peak = done.stdout.split()
    if code not in ("0", "1"):
        raise SystemExit(f"{command}: ended with {code}: {done.stderr}")
    return Run(float(seconds), int(peak) / MEGABYTE)


def alone(
    python: Path, arguments: Sequence[str], cwd: Path, work: Path, stdin: Path | None = None
) -> float:
    """Return the peak of our own process in MB; `python` is an interpreter that has the program."""
    peak = work / "peak"
    run([str(python), "-I", "-c", ALONE, str(peak), *arguments], cwd, stdin)
    return int(peak.read_text(encoding="ascii")) / MEGABYTE
