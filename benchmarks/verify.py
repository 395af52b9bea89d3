"""`verify-bytecode` and `inspect --strings` over a standard library, `inspect` of 10 000 files."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from typing import TYPE_CHECKING

from benchmarks.measure import compare, elapsed, figure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Figure

PEERS = ()

FILES = 10_000


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure what it costs to compile and compare, and to read many small files."""
    guard, python = str(scripts / "pycache-guard"), str(scripts / "python")
    library = standard_library(work / "library")
    compile_all = [python, "-W", "ignore", "-m", "compileall", "-q", "-f", "-j", "2", "."]
    subprocess.run(compile_all, cwd=library, stdout=subprocess.DEVNULL, check=False)
    yield compare(
        "verify-bytecode, a standard library",
        [[guard, "verify-bytecode"]],
        "python -m compileall -q -f -j 2",
        [compile_all],
        1.0,
        cwd=library,
        rounds=7,
    )
    yield from measure_strings(guard, library)
    many = modules(work / "modules")
    subprocess.run([python, "-m", "compileall", "-q", "."], cwd=many, check=True)
    yield inspected(guard, many)


def measure_strings(guard: str, library: Path) -> Iterator[Figure]:
    """Measure the strings of a standard library against strings(1), on top of what one small file takes.

    Both read all caches in one process.
    """
    program = shutil.which("strings")
    if program is None:
        return
    files = sorted(str(path.relative_to(library)) for path in library.glob("**/*.pyc"))
    smallest = min(files, key=lambda name: (library / name).stat().st_size)
    ours = [[guard, "inspect", "--strings", *files]]
    peer, start = [[program, "-n", "4", *files]], [[guard, "inspect", "--strings", smallest]]
    pairs = [
        (elapsed(ours, library), 3 * elapsed(peer, library) + elapsed(start, library))
        for _ in range(6)
    ]
    what = "inspect --strings, a standard library"
    yield figure(what, "3 x strings -n 4, + inspect of one", pairs[1:], 1)


def inspected(guard: str, many: Path) -> Figure:
    """Measure 10 000 files against a second, on top of what one file takes."""
    command = [["sh", "-c", f"exec '{guard}' inspect __pycache__/*"]]
    first = min(path.name for path in many.glob("*/*.pyc"))
    one = [[guard, "inspect", f"__pycache__/{first}"]]
    pairs = [(elapsed(command, many), elapsed(one, many) + 1) for _ in range(6)]
    return figure("inspect, 10 000 files", "inspect of one, + 1 s", pairs[1:], 1)


def standard_library(directory: Path) -> Path:
    """Copy the sources of this Python's standard library."""
    kept_out = shutil.ignore_patterns("__pycache__", "site-packages", "test", "tests", "*.so")
    shutil.copytree(sysconfig.get_path("stdlib"), directory, ignore=kept_out)
    return directory


def modules(directory: Path) -> Path:
    """Make small modules."""
    directory.mkdir()
    for n in range(FILES):
        (directory / f"module_{n:05}.py").write_text(f"x = {n}\n", encoding="utf-8")
    return directory
