"""Names of bytecode files: tables of what the wild has, with where it was seen.

`#8014` is pytest-dev/pytest#8014, `#3782` pypy/pypy#3782. Labels `-PYTEST` stand in at least 199 public
repositories.
"""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from pycache_guard.bytecode import cache_names
from pycache_guard.bytecode.cache_names import (
    CacheName,
    is_tag,
    parse_cache_name,
    source_candidates,
    tag_fits,
    writes_other_code,
)
from pycache_guard.bytecode.magic import identify_magic

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
def test_is_cache_name_of_caches_is_true(name: str) -> None:
    assert cache_names.is_cache_name(name)


@pytest.mark.parametrize("name", FOREIGN)
def test_is_cache_name_of_other_files_is_false(name: str) -> None:
    assert not cache_names.is_cache_name(name)
    assert not cache_names.is_bytecode_name(name)


@pytest.mark.parametrize("name", [name for name in CACHED if ".nb" not in name])
def test_is_bytecode_name_of_legacy_files_is_true(name: str) -> None:
    assert cache_names.is_bytecode_name(name)
    assert cache_names.may_hold_bytecode(["x", name])


@pytest.mark.parametrize("name", ["__pycache__", "__PyCache__"])
def test_is_cache_directory_ignores_letter_case(name: str) -> None:
    assert cache_names.is_cache_directory(name)
    assert cache_names.may_hold_bytecode([name])


def test_may_hold_bytecode_of_other_names_is_false() -> None:
    assert not cache_names.may_hold_bytecode(["a.py", "b.txt", "pyc"])
    assert not cache_names.may_hold_bytecode([])


SOURCES = [
    ("a.cpython-313.pyc", "a.py", True),
    ("a.cpython-313.pyc", "a.pyw", True),
    ("a.cpython-313.pyc", "a.hy", True),
    # `cache_from_source("a")` has no dot.
    ("a.cpython-313.pyc", "a", False),
    ("acpython-313.pyc", "a", True),
    ("acpython-313.opt-1.pyc", "a", True),
    ("acpython-313.pyc.140162621172480", "a", True),
    ("acpython-313.pyc", "a.py", False),
    ("my-toolpypy310.pyc", "my-tool", True),
    ("toolpypy3-71.pyc", "tool", True),
    ("toolgraalpy231-310.pyc", "tool", True),
    ("acpython-313.cpython-313.pyc", "acpython-313.py", True),
    ("acpython-313.cpython-313.pyc", "a", False),
    ("tool-1.cpython-313.pyc", "tool-1.py", True),
    # `cache_from_source(".tool")` is `tool.cpython-313.pyc`.
    ("tool.cpython-313.pyc", ".tool", True),
    ("a.cpython-313.pyc", "a.xsh", True),
    ("a.cpython-313.pyc", "a.coco", True),
    ("test_a.cpython-36-PYTEST.pyc", "test_a.py", True),
    ("test_a.cpython-27-PYTEST.pyo", "test_a.py", True),
    ("test_a.pypy-27-PYTEST.pyc", "test_a.py", True),
    ("test_a.jython-27-PYTEST.pyc", "test_a.py", True),
    ("test_a.cpython-36-PYTEST.pyc.4711", "test_a.py", True),
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
def test_has_source_table(name: str, source: str, expected: bool) -> None:
    assert cache_names.has_source(name, {source, "other.py"}) is expected


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
    # In lower case this letter is two.
    ("\u0130\u0130\u0130.pyc", "\u0130\u0130\u0130.py", True),
    ("\u0130\u0130\u0130.pyc", "\u0130\u0130\u0130.py.py", False),
]


@pytest.mark.parametrize(("name", "source", "expected"), LEGACY)
def test_has_source_beside_table(name: str, source: str, expected: bool) -> None:
    assert cache_names.has_source_beside(name, {source, "other.py"}) is expected


def name(
    module: str,
    tag: str = "",
    optimization: str = "",
    pytest: str = "",
    suffix: str = ".pyc",
    *,
    is_temporary: bool = False,
    is_script: bool = False,
) -> CacheName:
    return CacheName(
        module, tag, optimization, pytest, suffix, is_temporary=is_temporary, is_script=is_script
    )


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
        name("test_a", "cpython-312", "", "9.2.0", ".pyc", is_temporary=True),
    ),
    (
        "d/__pycache__/t.cpython-312-pytest-8.4.0.dev123+gabcdef0.pyc",
        name("t", "cpython-312", "", "8.4.0.dev123+gabcdef0"),
    ),
    ("d/__pycache__/t.cpython-36-PYTEST.pyc", name("t", "cpython-36", "", "PYTEST")),
    ("d/__pycache__/t.cpython-27-PYTEST.pyo", name("t", "cpython-27", "", "PYTEST", ".pyo")),
    ("d/__pycache__/t.pypy3-60-PYTEST.pyc", name("t", "pypy3-60", "", "PYTEST")),
    ("d/__pycache__/my-pytest.cpython-36.pyc", name("my-pytest", "cpython-36")),
    ("d/__pycache__/my-pytest.pyc", name("my-pytest")),
    ("bin/__pycache__/toolcpython-312.pyc", name("tool", "cpython-312", is_script=True)),
    ("bin/__pycache__/tool.shcpython-312.pyc", name("tool", "shcpython-312")),
    (
        "bin/__pycache__/toolcpython-312.opt-2.pyc",
        name("tool", "cpython-312", "2", is_script=True),
    ),
    ("p/bin/toolcpython-312.pyc", name("tool", "cpython-312", is_script=True)),
    ("d/__pycache__/cpython-312.pyc", name("cpython-312")),
    ("d/__pycache__/a-pytest-b.cpython-312.pyc", name("a-pytest-b", "cpython-312")),
    (
        "d/__pycache__/a.cpython-312.pyc.140162621172480",
        name("a", "cpython-312", is_temporary=True),
    ),
    ("d/a.pyc", name("a")),
    ("a.pyc", name("a")),
    ("a.b.pyc", name("a.b")),
    ("a.pyo", name("a", suffix=".pyo")),
    ("a.pyo.17", name("a", suffix=".pyo", is_temporary=True)),
    ("A.PYC", name("A")),
    ("prefix/d/a.cpython-312.opt-2.pyc", name("a", "cpython-312", "2")),
    ("prefix/d/a.opt-2.pyc", name("a.opt-2")),
    ("a$py.class", name("a", suffix="$py.class")),
    ("a.b$py.class", name("a.b", suffix="$py.class")),
]


@pytest.mark.parametrize(("path", "expected"), NAMES)
def test_parse_cache_name_table(path: str, expected: CacheName) -> None:
    assert parse_cache_name(path) == expected


@pytest.mark.parametrize(
    "path",
    ["a.py", "a.pyd", "a.pyc.", "a.pyc.x", "a.pyc.1x", "pyc", ".pyc", "d.pyc/a", "", "a.class"],
)
def test_parse_cache_name_of_other_files_is_none(path: str) -> None:
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
def test_is_instrumented_table(path: str, expected: bool) -> None:
    parsed = parse_cache_name(path)
    assert parsed is not None
    assert parsed.is_instrumented is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "d/__pycache__/a.cpython-312.pyc",
            ["d/a.py", "d/a.pyw", "d/a.hy", "d/a.coco", "d/a.xsh", "d/.a"],
        ),
        (
            "__pycache__/a.b.cpython-312.pyc",
            ["a.b.py", "a.b.pyw", "a.b.hy", "a.b.coco", "a.b.xsh", ".a.b"],
        ),
        (
            "/__pycache__/a.cpython-312.pyc",
            ["/a.py", "/a.pyw", "/a.hy", "/a.coco", "/a.xsh", "/.a"],
        ),
        (
            "d/__pycache__/t.cpython-312-pytest-9.2.0.pyc",
            ["d/t.py", "d/t.pyw", "d/t.hy", "d/t.coco", "d/t.xsh", "d/.t"],
        ),
        ("d/__pycache__/a.pyc", ["d/__pycache__/a.py", "d/__pycache__/a.pyw", "d/a.py", "d/a.pyw"]),
        ("bin/__pycache__/toolcpython-312.pyc", ["bin/tool"]),
        (
            "d/__pycache__/b.c.pyc",
            ["d/b.py", "d/b.pyw", "d/b.hy", "d/b.coco", "d/b.xsh", "d/b.c.py", "d/b.c.pyw", "d/.b"],
        ),
        ("d/a.pyc", ["d/a.py", "d/a.pyw"]),
        ("/a.pyo", ["/a.py", "/a.pyw"]),
        ("a$py.class", ["a.py", "a.pyw"]),
        (
            "/p/q/d/a.cpython-312.pyc",
            [
                directory + source
                for directory in ("p/q/d/", "q/d/", "d/", "")
                for source in ("a.py", "a.pyw", "a.hy", "a.coco", "a.xsh", ".a")
            ],
        ),
        ("a.cpython-312.pyc", ["a.py", "a.pyw", "a.hy", "a.coco", "a.xsh", ".a"]),
    ],
)
def test_source_candidates_table(path: str, expected: list[str]) -> None:
    assert list(source_candidates(path)) == expected


@pytest.mark.parametrize("optimization", ["", 1, 2])
def test_parse_cache_name_reads_names_of_importlib(
    optimization: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", None)
    cached = importlib.util.cache_from_source("d/a.b.py", optimization=optimization)
    cached = cached.replace(os.sep, "/")
    parsed = parse_cache_name(cached)
    assert parsed is not None
    assert (parsed.module, parsed.optimization) == ("a.b", str(optimization))
    assert next(source_candidates(cached)) == "d/a.b.py"


FITS = [
    ("cpython-32", 3180, True),
    ("cpython-36", 3379, True),
    ("cpython-313", 3571, True),
    ("CPYTHON-313", 3571, True),
    ("cpython-313", 3531, False),
    ("cpython-39", 336, False),
    ("cpython-31", 3571, False),
    ("cpython-316", 3706, True),
    ("pyston-23", 3413, True),
    ("pyston-23", 3425, False),
    ("pyston-23", 256, False),
    # PyPy 3.8 v7.3.7 and 3.9 v7.3.9 (#3782).
    ("pypy38", 3413, True),
    ("pypy39", 3425, True),
    ("pypy38", 3425, False),
    ("pypy39", 3413, False),
    ("pypy310", 3439, False),
    ("pypy37", 3394, False),
    ("pypy-27", 62218, True),
    ("jython-27", 62211, True),
    ("jython-27", 3571, False),
    ("rustpython-314", 3627, True),
    ("pypy39", 336, True),
    ("pypy310", 336, False),
    ("pypy36", 192, True),
    ("pypy3-60", 112, True),
    ("pypy3-72", 192, True),
    ("pypy3-72", 224, False),
    ("graalpy231-310", 21280, True),
    ("graalpy241-311", 21290, True),
    ("graalpy250-312", 21290, True),
    ("graalpy250dev7-312", 21290, True),
    ("graalpy250-313", 21290, False),
    ("graalpy260-314", 21400, True),
    ("rustpython-313", 2997, True),
    ("rustpython-313", 3627, False),
    ("hy-313", 3571, False),
    ("", 3571, False),
]


@pytest.mark.parametrize(("tag", "number", "expected"), FITS)
def test_tag_fits_table(tag: str, number: int, expected: bool) -> None:
    magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    assert tag_fits(tag, magic) is expected


def test_tag_fits_this_interpreter() -> None:
    magic = identify_magic(importlib.util.MAGIC_NUMBER)
    assert magic is not None
    assert sys.implementation.cache_tag is not None
    assert is_tag(sys.implementation.cache_tag)
    assert tag_fits(sys.implementation.cache_tag, magic)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpython-312", True),
        ("CPython-312", True),
        ("pypy3-71", True),
        ("pypy39", True),
        ("graalpy240-310", True),
        ("cpython", False),
        ("cpython-", False),
        ("312", False),
        ("bar", False),
        ("", False),
        ("jython-27", True),
        ("cpython-3\u0661", False),
    ],
)
def test_is_tag_table(text: str, expected: bool) -> None:
    assert is_tag(text) is expected


@pytest.mark.parametrize(
    ("tag", "number", "expected"),
    [
        ("pypy39", 3425, True),
        ("pypy39", 336, False),
        ("pyston-23", 3413, True),
        ("rustpython-314", 3627, True),
        ("cpython-39", 3425, False),
        ("unknown", 3425, False),
        ("", 3425, False),
    ],
)
def test_writes_other_code_table(tag: str, number: int, expected: bool) -> None:
    magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    assert writes_other_code(tag, magic) is expected


@pytest.mark.parametrize("source", ["tool", ".tool", "tool.py", "a.b.py", "my-tool"])
@pytest.mark.parametrize("optimization", ["", 1])
def test_has_source_of_names_of_importlib_is_true(
    source: str, optimization: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", None)
    cached = importlib.util.cache_from_source(f"bin/{source}", optimization=optimization)
    cached = cached.replace(os.sep, "/")
    assert f"bin/{source}" in source_candidates(cached)
    assert cache_names.has_source(cached.rpartition("/")[2], {source})


def test_cache_name_is_compared_by_value() -> None:
    first, second = name("a", "cpython-313"), name("a", "cpython-313")
    assert first == second != name("a")
    assert first != "a"
    assert len({first, second}) == 1
    assert repr(name("a")).startswith("CacheName(is_script=False, ")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("__pycache__/t.cpython-36-PYTEST.pyc", "an early pytest"),
        ("__pycache__/t.cpython-36-pytest-6.2.5.pyc", "pytest 6.2.5"),
        ("__pycache__/t.cpython-36.pyc", ""),
    ],
)
def test_pytest_writer_table(path: str, expected: str) -> None:
    parsed = parse_cache_name(path)
    assert parsed is not None
    assert parsed.pytest_writer == expected
