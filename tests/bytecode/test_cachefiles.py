from __future__ import annotations

import pytest

from pycache_guard.bytecode import cachefiles

CACHED = [
    "a.cpython-313.pyc",
    "a.cpython-313.opt-2.pyc",
    "A.CPYTHON-313.PYC",
    "dotted.name.pypy39.pyc",
    "test_a.cpython-312-pytest-9.2.0.pyc",
    "test_a.cpython-312-pytest-9.2.0.pyc.4711",
    "a.cpython-313.pyc.140162621172480",
    "a.pyo",
    "a.pyo.12",
    "a$py.class",
    "m.f-3.py312.nbi",
    "m.f-3.py312.1.nbc",
    "m.f-3.py312.nbi.tmp.0123456789abcdef",
    "\udcff.cpython-313.pyc",
]
FOREIGN = [
    "notes.txt",
    "a.py",
    "a.pyc.bak",
    "a.pyc.12a",
    "a.pyc.\u0664",
    "a.pyc.",
    "pyc",
    "a.nbi.tmp",
    "a.tmp.12",
    "a.pyd",
    "a.so",
    ".nfs0000",
]


@pytest.mark.parametrize("name", CACHED)
def test_cached(name: str) -> None:
    assert cachefiles.is_cached(name)


@pytest.mark.parametrize("name", FOREIGN)
def test_not_cached(name: str) -> None:
    assert not cachefiles.is_cached(name)
    assert not cachefiles.is_legacy(name)


@pytest.mark.parametrize("name", [name for name in CACHED if ".nb" not in name])
def test_legacy(name: str) -> None:
    assert cachefiles.is_legacy(name)
    assert cachefiles.may_hold_bytecode(["x", name])


@pytest.mark.parametrize("name", ["__pycache__", "__PyCache__"])
def test_a_link_of_that_name_is_noticed(name: str) -> None:
    assert cachefiles.is_cache_directory(name)
    assert cachefiles.may_hold_bytecode([name])


def test_nothing_to_notice() -> None:
    assert not cachefiles.may_hold_bytecode(["a.py", "b.txt", "pyc"])
    assert not cachefiles.may_hold_bytecode([])


SOURCES = [
    ("a.cpython-313.pyc", "a.py", True),
    ("a.cpython-313.pyc", "a.pyw", True),
    ("a.cpython-313.pyc", "a.hy", True),
    ("a.cpython-313.pyc", "a", True),
    ("a.cpython-313.pyc", "a.txt", False),
    ("a.cpython-313.pyc", "A.py", False),
    ("a.cpython-313.pyc", "a.cpython-313.py", False),
    ("b.c.pyc", "b.c.py", True),  # no tag
    ("a.cpython-313.opt-1.pyc", "a.py", True),
    ("a.cpython-313.opt-1.pyc", "a.cpython-313.py", False),
    ("a.b.cpython-313.pyc", "a.b.py", True),
    ("a.b.cpython-313.pyc", "a.py", False),
    ("a.b.cpython-313.pyc", "b.py", False),
    ("__init__.cpython-313.pyc", "__init__.py", True),
    ("test_a.cpython-312-pytest-9.2.0.pyc.4711", "test_a.py", True),
    ("a$py.class", "a.py", True),
    ("m.f-3.py312.nbi", "m.py", True),
    ("m.n.f-3.py312.nbi", "m.n.py", True),
    ("m.f-3.py312.nbi", "f-3.py", False),
]


@pytest.mark.parametrize(("name", "source", "expected"), SOURCES)
def test_has_source(name: str, source: str, expected: bool) -> None:
    assert cachefiles.has_source(name, {source, "other.py"}) is expected


LEGACY = [
    ("a.pyc", "a.py", True),
    ("a.PYC", "a.py", True),
    ("a.pyo", "a.pyw", True),
    ("a$py.class", "a.py", True),
    ("a.pyc.4711", "a.py", True),
    ("a.b.pyc", "a.b.py", True),
    ("a.b.pyc", "a.py", False),
    ("a.pyc", "a.hy", False),
    ("a.pyc", "a", False),
    # To Python this is the module `a.cpython-313`.
    ("a.cpython-313.pyc", "a.py", False),
    ("a.cpython-313.pyc", "a.cpython-313.py", True),
    ("a.pyc.pyc", "a.pyc.py", True),
]


@pytest.mark.parametrize(("name", "source", "expected"), LEGACY)
def test_has_source_beside(name: str, source: str, expected: bool) -> None:
    assert cachefiles.has_source_beside(name, {source, "other.py"}) is expected
