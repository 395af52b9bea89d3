"""Removing caches, and looking for them where there are none."""

from __future__ import annotations

import os
import shutil
import statistics
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, compare, elapsed
from benchmarks.repositories import modules, repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Command

PEERS = ("pyclean",)

PACKAGES = 1500
MODULES = 10
#: As large as a module of 100 lines.
BYTECODE = b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(3000)
#: Of a tree without caches.
DIRECTORIES = 5000
FILES = 20
ROUNDS = 3

REMOVE = "find . -type d -name __pycache__ -exec rm -rf {} +"
FIND = "find . -name __pycache__"


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure against what people type, and against pyclean."""
    clean = [[str(scripts / "pycache-guard"), "clean"]]
    tree = sources(work / "caches")
    yield from removing(clean, [[str(scripts / "pyclean"), "--quiet", "."]], tree)
    shutil.rmtree(tree)
    bare = repository(work / "clean", modules(DIRECTORIES, FILES), {"a.py": "x = 1\n"})
    write(bare, DIRECTORIES, FILES)
    yield compare(
        "clean, 100 000 files without a cache",
        clean,
        FIND,
        [FIND.split()],
        1.5,
        cwd=bare,
        rounds=3 * ROUNDS,
    )
    shutil.rmtree(bare)


def sources(directory: Path) -> Path:
    """Make a repository with the sources, on disk too."""
    made = repository(directory, modules(PACKAGES, MODULES), {"a.py": "x = 1\n"})
    write(made, PACKAGES, MODULES)
    return made


def write(tree: Path, directories: int, files: int) -> None:
    """Write modules; those of a directory are links to one: a walk sees no difference, and it is faster."""
    for d in range(directories):
        place = tree / f"src/component_{d:04}"
        place.mkdir(parents=True)
        first = place / "module_0000.py"
        first.write_bytes(b"x = 1\n")
        for f in range(1, files):
            os.link(first, place / f"module_{f:04}.py")


def removing(ours: Command, pyclean: Command, tree: Path) -> list[Figure]:
    """Remove equal caches in turns.

    All are made, and on disk, before the first is removed: near files that were removed within the
    last minutes, ext4 takes ten times as long to make some.
    """
    turns = [ours, [REMOVE.split()], pyclean] * ROUNDS
    stashes = [tree.parent / f"stash-{turn}" for turn in range(len(turns))]
    for stash in stashes:
        fill(stash)
    os.sync()
    elapsed([[ours[0][0], "clean", "--dry-run"]], tree)
    seconds = []
    for stash, command in zip(stashes, turns, strict=True):
        put(stash, tree)
        seconds.append(elapsed(command, tree))
    mine, finds, pycleans = (seconds[first::3] for first in range(3))
    return [figure(mine, REMOVE, finds, 1.0), figure(mine, "pyclean .", pycleans, 0.5)]


def figure(ours: list[float], peer: str, theirs: list[float], bar: float) -> Figure:
    """Compare pair by pair."""
    return Figure(
        f"clean, {PACKAGES * MODULES} caches",
        peer,
        [a / b for a, b in zip(ours, theirs, strict=True)],
        bar,
        statistics.median(ours),
        statistics.median(theirs),
    )


def fill(stash: Path) -> None:
    """Make the caches of the whole tree."""
    for p in range(PACKAGES):
        cache = stash / f"component_{p:04}"
        cache.mkdir(parents=True)
        for m in range(MODULES):
            (cache / f"module_{m:04}.cpython-311.pyc").write_bytes(BYTECODE)


def put(stash: Path, tree: Path) -> None:
    """Put caches in their places."""
    for p in range(PACKAGES):
        component = f"component_{p:04}"
        (stash / component).rename(tree / "src" / component / "__pycache__")
    stash.rmdir()
