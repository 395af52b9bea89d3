"""Print every figure beside its bar; exit 1 if one is missed.

`python -m benchmarks [PART…]`: all parts, or those named.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import clean
from benchmarks import dist
from benchmarks import history
from benchmarks import index
from benchmarks import lint
from benchmarks import verify
from benchmarks.measure import HEAD
from benchmarks.measure import environment
from benchmarks.measure import row

PARTS = {
    "index": index,
    "history": history,
    "verify": verify,
    "clean": clean,
    "dist": dist,
    "lint": lint,
}


def main() -> int:
    """Measure; the peers are installed into an environment of their own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    missed = 0
    print(machine())
    with tempfile.TemporaryDirectory(prefix="pycache-guard-benchmarks-") as directory:
        work, watch = Path(directory), Watch()
        scripts = environment(work / "environment", *{p for c in chosen for p in PARTS[c].PEERS})
        watch.tell("environment")
        print(row(HEAD), flush=True)
        for name in chosen:
            for figure in PARTS[name].figures(scripts, work):
                print(row(figure.cells()), flush=True)
                missed += figure.verdict == "MISSED"
            watch.tell(name)
    watch.tell("in all", watch.begun)
    return 1 if missed else 0


class Watch:
    """Tell on stderr how long each part took."""

    def __init__(self) -> None:
        self.begun = self._last = time.perf_counter()

    def tell(self, what: str, since: float | None = None) -> None:
        """Say what has passed since the last time, or since `since`."""
        now = time.perf_counter()
        print(f"{what}: {now - (since or self._last):.0f} s", file=sys.stderr)
        self._last = now


def machine() -> str:
    """Return what the figures were measured on."""
    git = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True)
    return (
        f"{platform.system()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f},"
        f" Python {platform.python_version()}, {git.stdout.strip()}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
