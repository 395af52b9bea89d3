"""Print every figure with its target; exit 1 if one is missed. Peers are installed automatically."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    adoption,
    bundle,
    ci,
    clean,
    dist,
    history,
    index,
    lint,
    pages,
    scaling,
    verify,
)
from benchmarks.measure import HEAD, environment, row

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

#: Cleaning first: it is slow to make files where another part has removed some (ext4).
PARTS = {
    "clean": clean,
    "index": index,
    "history": history,
    "ci": ci,
    "verify": verify,
    "dist": dist,
    "bundle": bundle,
    "lint": lint,
    "adoption": adoption,
}


def main() -> int:
    """Measure the parts; with `--docs`, update the page and the picture."""
    options = parsed()
    missed = 0
    if not options.draw:
        with tempfile.TemporaryDirectory(prefix="pycache-guard-benchmarks-") as directory:
            missed = measured(options, Path(directory))
    if options.draw or options.docs:
        pages.write_page()
        pages.draw_picture()
    return 1 if missed else 0


def parsed() -> Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: these); growth"
    )
    parser.add_argument(
        "--docs",
        action="store_true",
        help="keep the figures in docs/internals/, and draw; includes growth by default",
    )
    parser.add_argument(
        "--draw", action="store_true", help="draw the kept figures again, without measuring"
    )
    options = parser.parse_args()
    every = [*PARTS, "growth"]
    if unknown := set(options.parts) - set(every):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    options.parts = options.parts or (every if options.docs else [*PARTS])
    return options


def measured(options: Namespace, work: Path) -> int:
    """Measure the parts; return how many figures miss their bar."""
    missed, watch = 0, Watch()
    print(machine())
    peers = {peer for name in options.parts if name in PARTS for peer in PARTS[name].PEERS}
    scripts = environment(work / "environment", *sorted(peers))
    watch.report("environment")
    print(row(HEAD), flush=True)
    for name in options.parts:
        where, part = machine(), work / name
        part.mkdir()
        rows: list[list[str]] = []
        try:
            for cells in measure_part(name, scripts, part):
                rows.append(cells)
                missed += "MISSED" in cells
        except (OSError, SystemExit, subprocess.CalledProcessError) as why:
            # The other parts are measured anyway.
            print(f"{name}: not measured: {why}", file=sys.stderr)
            missed += 1
        else:
            if options.docs:
                table = pages.GROWTH if name == "growth" else pages.RATIOS
                table.replace(name, [[*cells, where] for cells in rows])
        watch.report(name)
    watch.report("in all", watch.begun)
    return missed


def measure_part(name: str, scripts: Path, work: Path) -> Iterator[list[str]]:
    """Measure a part; print and yield each row."""
    if name == "growth":
        for grown in scaling.measured(scripts, work):
            print("\t".join(grown.cells()), flush=True)
            yield grown.cells()
        return
    for figure in PARTS[name].figures(scripts, work):
        print(row(figure.cells()), flush=True)
        yield figure.cells()


class Watch:
    """Prints to stderr how long each part took."""

    def __init__(self) -> None:
        self.begun = self._last = time.perf_counter()

    def report(self, what: str, since: float | None = None) -> None:
        """Print the seconds since the last report, or since `since`."""
        now = time.perf_counter()
        print(f"{what}: {now - (since or self._last):.0f} s", file=sys.stderr, flush=True)
        self._last = now


def machine() -> str:
    """Return system, load and versions of the machine."""
    git = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True)
    return (
        f"{platform.system()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f},"
        f" Python {platform.python_version()}, {git.stdout.strip()}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
