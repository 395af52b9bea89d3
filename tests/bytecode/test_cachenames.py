from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from pycache_guard.bytecode.cachenames import CacheName
from pycache_guard.bytecode.cachenames import parse_cache_name
from pycache_guard.bytecode.cachenames import source_candidates


def name(
    module: str,
    tag: str = "",
    optimization: str = "",
    pytest: str = "",
    suffix: str = ".pyc",
    is_leftover: bool = False,
) -> CacheName:
    return CacheName(module, tag, optimization, pytest, suffix, is_leftover)


NAMES = [
    ("d/__pycache__/a.cpython-312.pyc", name("a", "cpython-312")),
    ("d/__pycache__/a.cpython-312.opt-1.pyc", name("a", "cpython-312", "1")),
    ("d/__pycache__/a.b.c.cpython-312.pyc", name("a.b.c", "cpython-312")),
    ("d/__PYCACHE__/A.CPYTHON-312.OPT-2.PYC", name("A", "CPYTHON-312", "2")),
    ("d/__pycache__/a.pypy3-71.pyc", name("a", "pypy3-71")),
    ("d/__pycache__/a.unknown.pyc", name("a", "unknown")),
    ("d/__pycache__/a.pyc", name("a")),
    ("d/__pycache__/.cpython-312.pyc", name("", "cpython-312")),
    (
        "d/__pycache__/a.cpython-312.opt-jaxtyping10ab.pyc",
        name("a", "cpython-312", "jaxtyping10ab"),
    ),
    (
        "d/__pycache__/test_a.cpython-312-pytest-9.2.0.pyc",
        name("test_a", "cpython-312", "", "9.2.0"),
    ),
    (
        "d/__pycache__/test_a.cpython-312-pytest-9.2.0.pyo",
        name("test_a", "cpython-312", "", "9.2.0", ".pyo"),
    ),
    (
        "d/__pycache__/test_a.cpython-312-pytest-9.2.0.pyc.4711",
        name("test_a", "cpython-312", "", "9.2.0", ".pyc", True),
    ),
    ("d/__pycache__/a-pytest-b.cpython-312.pyc", name("a-pytest-b", "cpython-312")),
    (
        "d/__pycache__/a.cpython-312.pyc.140162621172480",
        name("a", "cpython-312", is_leftover=True),
    ),
    ("d/a.pyc", name("a")),
    ("a.pyc", name("a")),
    ("a.b.pyc", name("a.b")),
    ("a.pyo", name("a", suffix=".pyo")),
    ("a.pyo.17", name("a", suffix=".pyo", is_leftover=True)),
    ("A.PYC", name("A")),
    ("prefix/d/a.cpython-312.opt-2.pyc", name("a", "cpython-312", "2")),
    ("prefix/d/a.opt-2.pyc", name("a.opt-2")),
    ("a$py.class", name("a", suffix="$py.class")),
    ("a.b$py.class", name("a.b", suffix="$py.class")),
]


@pytest.mark.parametrize(("path", "expected"), NAMES)
def test_names(path: str, expected: CacheName) -> None:
    assert parse_cache_name(path) == expected


@pytest.mark.parametrize(
    "path",
    ["a.py", "a.pyd", "a.pyc.", "a.pyc.x", "a.pyc.1x", "pyc", ".pyc", "d.pyc/a", "", "a.class"],
)
def test_names_of_something_else(path: str) -> None:
    assert parse_cache_name(path) is None
    assert list(source_candidates(path)) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("__pycache__/a.cpython-312.pyc", False),
        ("__pycache__/a.cpython-312.opt-1.pyc", False),
        ("__pycache__/a.cpython-312.opt-3.pyc", False),
        ("__pycache__/a.cpython-312.opt-typeguard460.pyc", True),
        ("__pycache__/a.cpython-312-pytest-8.0.0.pyc", True),
    ],
)
def test_who_else_rewrites_code(path: str, expected: bool) -> None:
    parsed = parse_cache_name(path)
    assert parsed is not None
    assert parsed.is_rewritten is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("d/__pycache__/a.cpython-312.pyc", ["d/a.py", "d/a.pyw"]),
        ("__pycache__/a.b.cpython-312.pyc", ["a.b.py", "a.b.pyw"]),
        ("/__pycache__/a.cpython-312.pyc", ["/a.py", "/a.pyw"]),
        ("d/__pycache__/t.cpython-312-pytest-9.2.0.pyc", ["d/t.py", "d/t.pyw"]),
        ("d/__pycache__/a.pyc", ["d/__pycache__/a.py", "d/__pycache__/a.pyw"]),
        ("d/a.pyc", ["d/a.py", "d/a.pyw"]),
        ("/a.pyo", ["/a.py", "/a.pyw"]),
        ("a$py.class", ["a.py", "a.pyw"]),
        (
            "/p/q/d/a.cpython-312.pyc",
            [
                *("p/q/d/a.py", "p/q/d/a.pyw", "q/d/a.py", "q/d/a.pyw"),
                *("d/a.py", "d/a.pyw", "a.py", "a.pyw"),
            ],
        ),
        ("a.cpython-312.pyc", ["a.py", "a.pyw"]),
    ],
)
def test_where_the_source_may_be(path: str, expected: list[str]) -> None:
    assert list(source_candidates(path)) == expected


@pytest.mark.parametrize("optimization", ["", 1, 2])
def test_names_that_importlib_gives(
    optimization: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", None)
    cached = importlib.util.cache_from_source("d/a.b.py", optimization=optimization)
    cached = cached.replace(os.sep, "/")
    parsed = parse_cache_name(cached)
    assert parsed is not None
    assert (parsed.module, parsed.optimization) == ("a.b", str(optimization))
    assert next(source_candidates(cached)) == "d/a.b.py"
