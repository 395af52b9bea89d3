"""Somebody swaps a directory for a link, as fast as they can, while we clean."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree, make_tree
from pycache_guard import compat
from pycache_guard.clean.result import clean
from pycache_guard.clean.select import CleanOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Swaps that must have happened while caches were planned and removed.
ROUNDS = 3000

#: `package` is there, gone, a link to what must not be touched, gone, and there again; without end.
#: The same happens to the cache directory in it.
SWAP = """
import os, random, shutil, sys, time
root, parked, outside = sys.argv[1:]
def swap(here, away, target):
    try:
        os.rename(here, away)
        os.symlink(target, here)
        if random.random() < 0.3:  # long enough to be listed, and to be emptied
            time.sleep(random.random() / 1000)
        os.unlink(here)
        os.rename(away, here)
    except OSError:  # a cache directory was removed, or made anew, meanwhile
        shutil.rmtree(away, ignore_errors=True)
swaps = 0
package = os.path.join(root, "package")
while True:
    swap(package, os.path.join(parked, "package"), outside)
    cache = os.path.join(package, "__pycache__")
    swap(cache, os.path.join(parked, "cache"), os.path.join(outside, "__pycache__"))
    swaps += 2
    if not swaps % 100:
        os.write(1, b"x")
"""

CACHES = [f"m{n}.cpython-313.pyc" for n in range(5)]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Make what a remover that follows a link would remove: the same names."""
    where = tmp_path / "outside"
    make_tree(where, [*(f"__pycache__/{name}" for name in CACHES), "legacy.py", "legacy.pyc"])
    return where


@pytest.fixture
def swapper(tmp_path: Path, outside: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "parked").mkdir()
    make_tree(tmp_path / "root", ["package/m0.py", "package/__pycache__/"])
    places = [str(tmp_path / name) for name in ("root", "parked", "outside")]
    process = subprocess.Popen([sys.executable, "-c", SWAP, *places], stdout=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(
    not compat.HAS_DIR_FD,
    reason="without directory descriptors a race remains (docs/internals/systems.md)",
)
@pytest.mark.parametrize("orphans", [False, True])
@pytest.mark.unmeasured
def test_swapped_directory_loses_nothing_outside(
    tmp_path: Path, outside: Path, swapper: subprocess.Popen[bytes], orphans: bool
) -> None:
    before = list_tree(outside)
    root = str(tmp_path / "root")
    # Hold the directory itself: its name leads now here, now there.
    package = held(tmp_path)
    assert swapper.stdout is not None
    os.set_blocking(swapper.stdout.fileno(), False)
    swaps = runs = removed = 0
    while swaps < ROUNDS or runs < 200 or not removed:
        replant(package)
        removed += len(clean([root], CleanOptions(orphans=orphans)).removed)
        swaps += 100 * len(swapper.stdout.read() or b"")
        runs += 1
        assert list_tree(outside) == before
        assert swapper.poll() is None
    os.close(package)


def held(tmp_path: Path) -> int:
    """Open the package, wherever it is just now."""
    while True:
        for place in ("root", "parked"):
            try:
                return os.open(
                    tmp_path / place / "package", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                )
            except OSError:
                continue


def replant(package: int) -> None:
    """Put caches back, unless the cache directory is a link or in nobody's place just now."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    with contextlib.suppress(FileExistsError):
        os.mkdir("__pycache__", dir_fd=package)
    with contextlib.suppress(OSError):
        cache = os.open("__pycache__", flags, dir_fd=package)
        with contextlib.suppress(OSError):
            for name in CACHES:
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=cache))
        os.close(cache)
