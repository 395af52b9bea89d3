"""Removing caches, and looking for them where there are none."""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

from benchmarks.measure import Figure
from benchmarks.measure import compare
from benchmarks.measure import elapsed
from benchmarks.repositories import modules
from benchmarks.repositories import repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Command

PEERS = ("pyclean",)

PACKAGES = 1500
MODULES = 10
#: As large as a module of 200 lines.
BYTECODE = b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(6000)
#: Of a tree without caches.
DIRECTORIES = 5000
FILES = 20
ROUNDS = 5

REMOVE = "find . -type d -name __pycache__ -exec rm -rf {} +"


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure against what people type, and against pyclean."""
    clean = [[str(scripts / "pycache-guard"), "clean"]]
    tree = sources(work / "caches")
    yield removing(clean, REMOVE, [REMOVE.split()], 1.0, tree)
    yield removing(clean, "pyclean .", [[str(scripts / "pyclean"), "--quiet", "."]], 0.5, tree)
    shutil.rmtree(tree)
    bare = repository(work / "clean", modules(DIRECTORIES, FILES), {"a.py": "x = 1\n"})
    for d in range(DIRECTORIES):
        place = bare / f"src/component_{d:04}"
        place.mkdir(parents=True)
        for f in range(FILES):
            (place / f"module_{f:04}.py").touch()
    find = "find . -name __pycache__"
    yield compare(
        "clean, 100 000 files without a cache",
        clean,
        find,
        [find.split()],
        1.5,
        cwd=bare,
        rounds=2 * ROUNDS,
    )
    shutil.rmtree(bare)


def sources(directory: Path) -> Path:
    """Make a repository with the sources, on disk too."""
    made = repository(directory, modules(PACKAGES, MODULES), {"a.py": "x = 1\n"})
    for p in range(PACKAGES):
        (made / f"src/component_{p:04}").mkdir(parents=True)
        for m in range(MODULES):
            (made / f"src/component_{p:04}/module_{m:04}.py").write_bytes(b"x = 1\n" * 200)
    return made


def fill(tree: Path) -> None:
    """Put the caches in."""
    for p in range(PACKAGES):
        cache = tree / f"src/component_{p:04}/__pycache__"
        cache.mkdir()
        for m in range(MODULES):
            (cache / f"module_{m:04}.cpython-311.pyc").write_bytes(BYTECODE)


def removing(ours: Command, peer: str, theirs: Command, bar: float, tree: Path) -> Figure:
    """Remove the same caches in turns; they are put back, untimed, before each."""
    pairs: list[tuple[float, float]] = []
    for _ in range(ROUNDS + 1):
        fill(tree)
        first = elapsed(ours, tree)
        fill(tree)
        pairs.append((first, elapsed(theirs, tree)))
    return Figure(
        f"clean, {PACKAGES * MODULES} caches",
        peer,
        [a / b for a, b in pairs[1:]],
        bar,
        statistics.median(a for a, _ in pairs[1:]),
        statistics.median(b for _, b in pairs[1:]),
    )
