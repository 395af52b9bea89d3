"""Time and memory of each command at 1, 10 and 100 times the size."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import memory
from benchmarks.dimensions import DIMENSIONS
from benchmarks.workloads import ROUNDS, WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.workloads import Workload

FACTORS = (1, 10, 100)


class ScalingResult(NamedTuple):
    """What a command took at one size."""

    command: str
    #: What there is at 1 time the size.
    unit: str
    factor: int
    seconds: float
    #: Peak memory in MB: of the largest process, a git or a Python that was started too, and of our own.
    largest: float
    own: float

    def cells(self) -> list[str]:
        """Return it as text."""
        numbers = (f"{self.seconds:.3f}", f"{self.largest:.1f}", f"{self.own:.1f}")
        return [self.command, self.unit, str(self.factor), *numbers]


COLUMNS = ["command", "unit", "factor", "seconds", "largest MB", "own MB"]


def read(cells: list[str]) -> ScalingResult:
    """Return what `cells` made."""
    command, unit, factor, *numbers = cells
    return ScalingResult(command, unit, int(factor), *map(float, numbers))


def measured(scripts: Path, work: Path) -> Iterator[ScalingResult]:
    """Measure every command."""
    for subject in (*WORKLOADS, *DIMENSIONS):
        for factor in FACTORS:
            yield at(subject, factor, scripts, work)


def at(subject: Workload, factor: int, scripts: Path, work: Path) -> ScalingResult:
    """Measure a command at one size: the median of `ROUNDS`."""
    task = subject.make(work, subject.base * factor)
    runs = []
    for _ in range(ROUNDS):
        task.prepare()
        command = [str(scripts / "pycache-guard"), *task.arguments]
        runs.append(memory.run(command, task.cwd, task.stdin))
    task.prepare()
    own = memory.alone(scripts / "python", task.arguments, task.cwd, work, task.stdin)
    return ScalingResult(
        subject.command,
        " ".join([f"{subject.base:,}".replace(",", " "), subject.of]),
        factor,
        statistics.median(run.seconds for run in runs),
        max(run.largest for run in runs),
        own,
    )
