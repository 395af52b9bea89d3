"""Print every figure beside its bar; exit 1 if one is missed."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks import clean
from benchmarks import dist
from benchmarks import history
from benchmarks import index
from benchmarks import lint
from benchmarks import verify
from benchmarks.measure import HEAD
from benchmarks.measure import environment

#: Cleaning first: it is slow to make files where another part has removed some (ext4).
PARTS = (clean, index, history, verify, dist, lint)


def main() -> int:
    """Measure; the peers are installed into an environment of their own."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="pycache-guard-benchmarks-") as directory:
        work = Path(directory)
        peers = [peer for part in PARTS for peer in part.PEERS]
        scripts = environment(work / "environment", *peers)
        print(HEAD)
        for part in PARTS:
            for figure in part.figures(scripts, work):
                print(figure.row(), flush=True)
                missed += statistics.median(figure.ratios) > figure.bar
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
