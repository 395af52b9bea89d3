"""Time and memory of each command at 1, 10 and 100 times the size: draws docs/growth.svg.

`python -m benchmarks.growth`
"""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from benchmarks.measure import ROOT
from benchmarks.measure import environment
from benchmarks.measure import modules
from benchmarks.measure import repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

TARGET = ROOT / "docs" / "growth.svg"
FACTORS = (1, 10, 100)
ROUNDS = 3
COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#b07aa1", "#9c755f")


class Grown(NamedTuple):
    """What a command took at one size."""

    factor: int
    seconds: float
    megabytes: float


class Subject(NamedTuple):
    """A command, and how to make what it works on at a factor."""

    arguments: Sequence[str]
    unit: str
    make: Callable[[Path, int], Path]


def index_of(files: int) -> Callable[[Path, int], Path]:
    """Return a maker of repositories with `files` times the factor Python modules."""

    def make(directory: Path, factor: int) -> Path:
        rules = {".gitignore": "__pycache__/\n*.py[cod]\n"}
        return repository(directory, modules(files * factor // 100, 100), rules)

    return make


SUBJECTS = (
    Subject(("forbid-bytecode",), "10 000 entries", index_of(10_000)),
    Subject(("check-gitignore",), "2 000 modules", index_of(2_000)),
)


def measured(command: Sequence[str], cwd: Path) -> tuple[float, float]:
    """Return wall seconds, and the peak memory in MB of the largest process."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL) as child:
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def grow(guard: str, subject: Subject, work: Path) -> list[Grown]:
    """Measure one command at each factor, the best of `ROUNDS`."""
    rows = []
    for factor in FACTORS:
        place = subject.make(work / f"{subject.arguments[0]}-{factor}", factor)
        runs = [measured((guard, *subject.arguments), place) for _ in range(ROUNDS)]
        rows.append(Grown(factor, min(s for s, _ in runs), min(m for _, m in runs)))
    return rows


def main() -> None:
    """Measure, print, draw."""
    with tempfile.TemporaryDirectory(prefix="pycache-guard-growth-") as directory:
        work = Path(directory)
        guard = str(environment(work / "environment") / "pycache-guard")
        results = {}
        for subject in SUBJECTS:
            name = f"{' '.join(subject.arguments)} ({subject.unit})"
            results[name] = grow(guard, subject, work)
            for row in results[name]:
                print(f"{name:44} x{row.factor:<4} {row.seconds:8.3f} s {row.megabytes:8.1f} MB")
    TARGET.write_text(drawing(results), encoding="utf-8")


def drawing(results: dict[str, list[Grown]]) -> str:
    """Return two plots side by side on logarithmic axes: seconds and megabytes."""
    parts = [
        plot(
            "seconds", {n: [(r.factor, r.seconds) for r in rows] for n, rows in results.items()}, 60
        ),
        plot(
            "MB, largest process",
            {n: [(r.factor, r.megabytes) for r in rows] for n, rows in results.items()},
            480,
        ),
    ]
    legend = [
        f'<text x="60" y="{370 + 18 * n}" fill="{COLOURS[n % len(COLOURS)]}">{name}</text>'
        for n, name in enumerate(results)
    ]
    height = 370 + 18 * len(results)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height}" font-family="sans-serif" font-size="13">',
            "<title>Time and memory at 1, 10 and 100 times the size</title>",
            f'<rect width="880" height="{height}" fill="#ffffff"/>',
            *parts,
            *legend,
            "</svg>\n",
        ]
    )


def plot(title: str, curves: dict[str, list[tuple[int, float]]], left: int) -> str:
    """Return one plot of 340 by 280; a line parallel to the diagonal grows with the size."""
    values = [value for points in curves.values() for _, value in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def at(factor: int, value: float) -> str:
        x = left + 170 * math.log10(factor)
        y = 330 - 280 * (math.log10(value) - low) / (high - low)
        return f"{x:.1f},{y:.1f}"

    grid = [
        f'<polyline points="{at(1, 10**n)} {at(100, 10**n)}" stroke="#dddddd"/>'
        f'<text x="{left - 8}" y="{at(1, 10**n).split(",")[1]}" text-anchor="end">{10**n:g}</text>'
        for n in range(low, high + 1)
    ]
    marks = [
        f'<text x="{at(f, 10**low).split(",")[0]}" y="350" text-anchor="middle">x{f}</text>'
        for f in FACTORS
    ]
    lines = [
        f'<polyline points="{" ".join(at(*point) for point in points)}" fill="none" stroke-width="2"'
        f' stroke="{COLOURS[n % len(COLOURS)]}"/>'
        for n, points in enumerate(curves.values())
    ]
    return "\n".join([f'<text x="{left}" y="30">{title}</text>', *grid, *marks, *lines])


if __name__ == "__main__":
    main()
