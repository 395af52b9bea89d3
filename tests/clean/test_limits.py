"""`clean` with few descriptors and few threads: macOS gives a process 256 descriptors (A8)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree, make_tree
from conftest import PROGRAM
from pycache_guard.clean import remove
from pycache_guard.clean.result import clean
from pycache_guard.clean.select import CleanOptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no `ulimit`")


def plant_deep(root: Path, levels: int, every: int = 1) -> None:
    """Make nested directories, with caches in each `every`th; no path is ever spelled whole."""
    here = os.open(root, os.O_RDONLY)
    for level in range(levels):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        if level % every == 0 or level == levels - 1:
            os.mkdir("__pycache__", dir_fd=here)
            name = "__pycache__/m.cpython-312.pyc"
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@pytest.mark.parametrize("limit", [32, 64, 256])
@pytest.mark.parametrize("levels", [200, 3000])
@pytest.mark.unmeasured
def test_a8_deep_tree_with_few_descriptors_is_cleaned(limit: int, levels: int, root: Path) -> None:
    plant_deep(root, levels, every=levels // 200)
    command = f'ulimit -n {limit}; exec "$0" clean --orphans'
    done = subprocess.run(["sh", "-c", command, PROGRAM], capture_output=True, check=False)
    if limit < 64 and done.returncode == 2:
        assert b"Too many open files" in done.stderr
        return
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.listdir(root) == []


@pytest.mark.parametrize("limit", [64, 256])
@pytest.mark.unmeasured
def test_a8_wide_tree_with_few_descriptors_is_cleaned(limit: int, root: Path) -> None:
    make_tree(
        root, [f"p{n}/q/__pycache__/m{k}.cpython-312.pyc" for n in range(300) for k in (0, 1)]
    )
    command = f'ulimit -n {limit}; exec "$0" clean'
    done = subprocess.run(["sh", "-c", command, PROGRAM], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not [path for path in list_tree(root) if "__pycache__" in path]


@pytest.mark.parametrize("started", [0, 2])
def test_threads_that_cannot_be_started_are_replaced(
    started: int, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RLIMIT_NPROC: "can't start new thread"."""
    make_tree(root, [f"p{n}/__pycache__/m.cpython-312.pyc" for n in range(100)])
    start = threading.Thread.start
    count = 0

    def refuse(thread: threading.Thread) -> None:
        nonlocal count
        if count == started:
            raise RuntimeError("can't start new thread")
        count += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert clean(["."], CleanOptions()).counts() == (100, 100)


@pytest.mark.parametrize(
    ("limit", "waits", "workers"),
    [
        *((32, 160, 1), (100, 160, 1), (120, 160, 2), (256, 160, 4), (1024, 16, 4), (-1, 16, 4)),
        *((32, 0, 1), (120, 0, 2), (1024, 0, 2), (1024, 15, 2), (-1, 15, 2)),
    ],
)
def test_workers_fit_the_limit_of_descriptors_and_the_disk(
    limit: int, waits: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    value = resource.RLIM_INFINITY if limit < 0 else limit
    monkeypatch.setattr(resource, "getrlimit", lambda _: (value, value))
    assert remove.count_workers(waits) == workers
    monkeypatch.setattr("pycache_guard.compat.HAS_DIR_FD", False)
    assert remove.count_workers(remove.count_waits()) == 4
