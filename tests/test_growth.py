"""Ten times the input costs at most fifteen times as much, for each command in each dimension that users grow.

Calls of functions are counted, and processor time is compared, of the program and of all that it starts:
a loop in C, or in git, makes no calls. What does not grow is part of both, so that ten times the input of
a linear command costs less than ten times as much.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
from benchmarks.dimensions import DIMENSIONS
from benchmarks.workloads import WORKLOADS

from helpers.git_version import needs_git
from pycache_guard.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.workloads import Task, Workload

resource = pytest.importorskip("resource", reason="the processor time of children is not known")

#: Runs the program, and writes the number of calls into a file. The profiler is written in C.
COUNTING = """
import sys
from cProfile import Profile
from pycache_guard.cli import main

profile = Profile()
profile.enable()
code = main(sys.argv[2:])
profile.disable()
with open(sys.argv[1], "w") as file:
    file.write(str(sum(entry.callcount for entry in profile.getstats())))
sys.exit(code)
"""

EVERY = (*WORKLOADS, *DIMENSIONS)
#: The largest ratio of costs.
MOST = 15
#: A busy machine makes some runs dearer: only a workload that is too dear each time is.
TRIES = 3
#: What each command must be measured in, besides the first dimension of each.
REQUIRED = {
    "forbid-bytecode": {"entries", "findings", "allow entries"},
    "check-gitignore": {"modules", "ignore files"},
    "fix": {"ignore files"},
    "check-dockerignore": {"modules", "contexts"},
    "check-history": {"commits", "findings", "ranges", "refs"},
    "pre-push": {"commits", "refs"},
    "pre-receive": {"commits", "refs"},
    "ci": {"commits", "findings"},
    "verify-bytecode": {"modules", "findings", "directories"},
    "inspect": {"functions"},
    "lint": {"modules", "findings", "directories"},
    "clean": {"caches", "orphans", "directories"},
    "doctor": {"directories", "ignore files"},
    "check-dist": {"members", "findings"},
    "check-bundle": {"modules", "members"},
}


class Cost(NamedTuple):
    """What a run took."""

    #: Functions called, in Python and in C.
    calls: int
    #: Processor time of the program and of its children.
    seconds: float


def measure(task: Task, note: Path) -> Cost:
    """Run the program; `note` is a file for the number of calls."""
    task.prepare()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(task.stdin or os.devnull, "rb") as stdin:
        done = subprocess.run(
            [sys.executable, "-I", "-c", COUNTING, os.fspath(note), *task.arguments],
            cwd=task.cwd,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 1), os.fsdecode(done.stderr)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(int(note.read_text()), seconds)


@needs_git(28, "the benchmarks name the first branch")
@pytest.mark.parametrize("workload", EVERY, ids=lambda workload: workload.command)
def test_ten_times_the_input_costs_at_most_fifteen_times(
    workload: Workload, tmp_path: Path
) -> None:
    few, many = (workload.make(tmp_path, size) for size in (workload.tested, 10 * workload.tested))
    costs = []
    for _ in range(TRIES):
        costs.append((measure(few, tmp_path / "calls"), measure(many, tmp_path / "calls")))
        # PyPy writes the same code in different bytes, and only then codes are compared.
        is_pypy = sys.implementation.name == "pypy"
        assert is_pypy or costs[-1][1].calls <= MOST * costs[-1][0].calls, costs
        if min(cost.seconds for _, cost in costs) <= MOST * max(c.seconds for c, _ in costs):
            return
    pytest.fail(f"{workload.tested:,} {workload.of}, and ten times as many: {costs}")


def test_every_command_is_measured_in_each_dimension() -> None:
    """`explain` prints one page of a fixed size."""
    required = {name: REQUIRED.get(name, {"modules"}) for name in COMMANDS if name != "explain"}
    assert REQUIRED.keys() <= required.keys()
    measured: dict[str, set[str]] = {}
    for workload in EVERY:
        words = measured.setdefault(workload.command.split(" ")[0], set())
        words.update(part.strip() for part in workload.of.split(","))
    missing = {c: lacking for c, all_of in required.items() if (lacking := all_of - measured[c])}
    assert missing == {}
    assert len({workload.command for workload in EVERY}) == len(EVERY)
