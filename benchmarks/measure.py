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
    """One promise, measured."""

    what: str
    peer: str
    #: Of each pair: our time by the peer's.
    ratios: list[float]
    #: At most this.
    bar: float
    #: Medians, in seconds.
    ours: float
    theirs: float

    def row(self) -> str:
        """Return the line of the table."""
        middle = statistics.median(self.ratios)
        verdict = "met" if middle <= self.bar else "MISSED"
        spread = f"{min(self.ratios):.2f}-{max(self.ratios):.2f}"
        times = f"{self.ours * 1000:9.1f} {self.theirs * 1000:9.1f}"
        return (
            f"{self.what:44} {self.peer:44} {middle:5.2f} {spread:>10} {self.bar:5.2f}"
            f" {verdict:6} {times}"
        )


HEAD = f"{'figure':44} {'peer':44} {'ratio':>5} {'spread':>10} {'bar':>5} {'':6} {'ours ms':>9} {'peer ms':>9}"

#: A command, or several whose times are added.
Command = list[list[str]]


def compare(
    what: str, ours: Command, peer: str, theirs: Command, bar: float, *, cwd: Path, rounds: int
) -> Figure:
    """Run both in turns, `rounds` times after one that warms up; return the ratio of each pair."""
    seconds: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        seconds.append((elapsed(ours, cwd), elapsed(theirs, cwd)))
    pairs = seconds[1:]
    return Figure(
        what,
        peer,
        [a / b for a, b in pairs],
        bar,
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
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
    pip = [
        str(scripts / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "--upgrade", "pip"], check=True)
    subprocess.run([*pip, str(ROOT), *requirements], check=True)
    return scripts


def repository(directory: Path, listing: bytes, files: dict[str, str]) -> Path:
    """Make a repository with one commit: `listing` for `update-index`, and files."""
    directory.mkdir()
    git = ["git", "-C", str(directory), "-c", "user.name=b", "-c", "user.email=b@example.com"]
    subprocess.run(["git", "init", "-q", str(directory)], check=True)
    for name, content in files.items():
        (directory / name).write_text(content, encoding="utf-8")
    blob = subprocess.run(
        [*git, "hash-object", "-w", "--stdin"], input=b"x = 1\n", capture_output=True, check=True
    )
    lines = listing.replace(b"BLOB", blob.stdout.strip())
    subprocess.run([*git, "update-index", "--index-info"], input=lines, check=True)
    subprocess.run([*git, "add", *files], check=True)
    subprocess.run([*git, "-c", "gc.auto=0", "commit", "-q", "-m", "c"], check=True)
    return directory


def modules(directories: int, files: int) -> bytes:
    """Return the listing of a tree of Python modules."""
    return b"".join(
        b"100644 BLOB\tsrc/component_%04d/module_%04d.py\n" % (d, f)
        for d in range(directories)
        for f in range(files)
    )
