"""`lint`, and the plugin in flake8, on the standard library without its tests."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import compare, figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Figure

PEERS = ("flake8",)

#: flake8 in one process, with the time that is spent in our plugin. Its own time is the rest: two
#: runs, one with and one without us, differ by more than what is to be measured.
PROBE = """
import sys, time
from flake8.main import cli
from pycache_guard import flake8_plugin

spent = 0.0
plugin = flake8_plugin.Plugin
run = plugin.run


def timed(self):
    global spent
    start = time.perf_counter()
    found = list(run(self))
    spent += time.perf_counter() - start
    return iter(found)


plugin.run = timed
start = time.perf_counter()
cli.main(["--isolated", "-j1", "--exit-zero", "--output-file", sys.argv[1], *sys.argv[2:]])
print(spent, time.perf_counter() - start)
"""


#: No sources of the library's own, or made to be hard on tools.
LEFT_OUT = {"__pycache__", "site-packages", "test"}
#: It is linted once, in so many parts that are measured for themselves: that is the spread.
PARTS = 3


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure the command and the plugin on a large tree."""
    guard, python = str(scripts / "pycache-guard"), str(scripts / "python")
    library = work / "library"
    left_out = shutil.ignore_patterns("__pycache__", "*-packages", "test", "tests", "*.so")
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=left_out)
    yield compare(
        "lint, a standard library",
        [[guard, "lint", "."]],
        "python -m compileall -q -f",
        [[python, "-W", "ignore", "-m", "compileall", "-q", "-f", "."]],
        0.5,
        cwd=library,
        rounds=7,
    )
    yield measure_plugin(python, work)


def measure_plugin(python: str, work: Path) -> Figure:
    """Measure what the plugin costs: its time by flake8's own."""
    library = Path(sysconfig.get_path("stdlib"))
    own = (path for path in library.iterdir() if path.is_dir() or path.suffix == ".py")
    there = sorted(path for path in own if path.name not in LEFT_OUT)
    command = [python, "-c", PROBE, str(work / "flake8.txt")]
    pairs = []
    for n in range(PARTS):
        done = subprocess.run(
            [*command, *map(str, there[n::PARTS])], capture_output=True, check=True, text=True
        )
        ours, whole = map(float, done.stdout.split())
        pairs.append((ours, whole - ours))
    return figure(
        "lint as flake8 plugin, standard library", "flake8's own time in the same run", pairs, 0.05
    )
