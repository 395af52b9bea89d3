"""Run ours and the peer in turns, and compare them pair by pair."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Figure(NamedTuple):
    """One measured figure."""

    what: str
    peer: str
    #: Of each pair: our time, or memory, by the peer's.
    ratios: list[float]
    #: The ratio must not exceed this; infinite if there is no limit.
    bar: float
    #: Medians, in seconds or MB.
    ours: float
    theirs: float
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """Return whether the limit is kept."""
        if self.bar == float("inf"):
            return "no limit"
        return "met" if self.ratio <= self.bar else "MISSED"

    def cells(self) -> list[str]:
        """Return a row of the table: its columns are those of `HEAD`."""
        return [
            self.what,
            self.peer,
            f"{self.ratio:.2f}",
            f"{min(self.ratios):.2f}-{max(self.ratios):.2f}",
            "" if self.bar == float("inf") else f"{self.bar:g}",
            self.verdict,
            amount(self.ours, self.unit),
            amount(self.theirs, self.unit),
        ]


HEAD = ["figure", "peer", "ratio", "spread", "bar", "verdict", "ours", "peer's"]
WIDTHS = (46, 45, 6, 11, 4, 7, 9, 9)


def row(cells: list[str]) -> str:
    """Return cells as a line: words to the left, numbers to the right."""
    padded = [
        cell.ljust(width) if n in (0, 1, 5) else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    return " ".join(padded).rstrip()


def amount(value: float, unit: str) -> str:
    """Return a measured value with its unit, in three digits."""
    if unit == "s" and value < 1:
        value, unit = value * 1000, "ms"
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


#: A command, or several whose times are added.
Command = list[list[str]]


def compare(
    what: str, ours: Command, peer: str, theirs: Command, bar: float, *, cwd: Path, rounds: int
) -> Figure:
    """Run both in turns, `rounds` times after one that warms up; return the ratio of each pair.

    Who begins alternates.
    """
    pairs: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        if turn % 2:
            second, first = elapsed(theirs, cwd), elapsed(ours, cwd)
        else:
            first, second = elapsed(ours, cwd), elapsed(theirs, cwd)
        pairs.append((first, second))
    return figure(what, peer, pairs[1:], bar)


def figure(
    what: str, peer: str, pairs: list[tuple[float, float]], bar: float, unit: str = "s"
) -> Figure:
    """Return the figure of pairs of measurements, ours first."""
    return Figure(
        what,
        peer,
        [a / b for a, b in pairs],
        bar,
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        unit,
    )


def elapsed(commands: Command, cwd: Path) -> float:
    """Return the wall time of commands, one after the other; their output goes nowhere."""
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{command}: ended with {done.returncode}")
    return time.perf_counter() - start


def environment(directory: Path, *requirements: str) -> Path:
    """Make a virtual environment with the program and its peers; return its directory of scripts."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    scripts = directory / ("Scripts" if os.name == "nt" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    # A Python's own pip may be old and write start scripts that import `re`; a runner's is not.
    subprocess.run([*pip, "--upgrade", "pip"], check=True)
    subprocess.run([*pip, str(ROOT), *requirements], check=True)
    return scripts
