"""The paths that are asked about are those that Python writes."""

from __future__ import annotations

import importlib.util
import os
import re

import pytest

from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.probes import (
    PATTERNS,
    SUFFIXES,
    UNTRACKED_DIR,
    UNTRACKED_MODULE,
    module_name,
    probe_paths,
)
from pycache_guard.config import PROBES

PROMISED = [
    (
        "cache",
        b"",
        [
            b"__pycache__/m.cpython-313.pyc",
            b"__pycache__/m.cpython-313.opt-1.pyc",
        ],
    ),
    (
        "cache",
        b"a/b",
        [
            b"a/b/__pycache__/m.cpython-313.pyc",
            b"a/b/__pycache__/m.cpython-313.opt-1.pyc",
        ],
    ),
    (
        "temporary",
        b"a",
        [
            b"a/__pycache__/m.cpython-313.pyc.140162621172480",
            b"a/__pycache__/m.function-1.py313.nbi",
            b"a/__pycache__/m.function-1.py313.1.nbc",
        ],
    ),
    ("legacy", b"", [b"m.pyc"]),
    ("legacy", b"a/b", [b"a/b/m.pyc"]),
    ("python2", b"", [b"m.pyo"]),
    ("python2", b"a/b", [b"a/b/m.pyo"]),
]


@pytest.mark.parametrize(("kind", "directory", "expected"), PROMISED)
def test_probe_paths_table(kind: str, directory: bytes, expected: list[bytes]) -> None:
    assert [*probe_paths(kind, directory, b"m")] == expected


@pytest.mark.parametrize("file", ["m.py", "m.pyw", "x.y.z.py", ".py", ".hidden.py", "a."])
@pytest.mark.parametrize(("level", "suffix"), [("", 0), (1, 1)])
def test_probe_paths_of_caches_agree_with_importlib(file: str, level: object, suffix: int) -> None:
    theirs = importlib.util.cache_from_source(f"d/{file}", optimization=level)
    ours = [*probe_paths("cache", b"d", module_name(file.encode()))][suffix]
    assert re.sub(r"(cpython-|pypy)\d+", "cpython-313", theirs).encode() == ours.replace(
        b"/", os.sep.encode()
    )


def test_probe_paths_are_bytecode_paths() -> None:
    for kind in SUFFIXES:
        for directory in (b"", b"d", UNTRACKED_DIR):
            assert all(map(is_bytecode_path, probe_paths(kind, directory, UNTRACKED_MODULE)))


def test_tables_of_probes_have_the_same_kinds() -> None:
    assert tuple(SUFFIXES) == tuple(PATTERNS) == PROBES
