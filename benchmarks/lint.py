"""The plugin in flake8, on the standard library without its tests."""

from __future__ import annotations

import statistics
import subprocess
import sysconfig
from typing import TYPE_CHECKING

from benchmarks.measure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
cli.main(["--isolated", "-j1", "--exit-zero", "--exclude", "test,tests,site-packages",
          "--output-file", sys.argv[2], sys.argv[1]])
print(spent, time.perf_counter() - start)
"""


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure what the plugin costs on a large tree."""
    tree = sysconfig.get_path("stdlib")
    yield in_flake8(scripts, work, tree, rounds=2)


def in_flake8(scripts: Path, work: Path, tree: str, *, rounds: int) -> Figure:
    """Return the plugin's time by flake8's own, after a round that warms up."""
    command = [str(scripts / "python"), "-c", PROBE, tree, str(work / "flake8.txt")]
    pairs: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        ours, whole = map(float, done.stdout.split())
        pairs.append((ours, whole - ours))
    return Figure(
        "lint as flake8 plugin, standard library",
        "flake8's own time in the same run",
        [ours / theirs for ours, theirs in pairs[1:]],
        0.05,
        statistics.median(ours for ours, _ in pairs[1:]),
        statistics.median(theirs for _, theirs in pairs[1:]),
    )
