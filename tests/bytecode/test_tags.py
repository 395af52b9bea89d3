from __future__ import annotations

import importlib.util
import sys

import pytest

from pycache_guard.bytecode.magic import lookup
from pycache_guard.bytecode.tags import is_tag
from pycache_guard.bytecode.tags import tag_fits

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
    ("rustpython-313", 3571, False),
    ("hy-313", 3571, False),
    ("", 3571, False),
]


@pytest.mark.parametrize(("tag", "number", "expected"), FITS)
def test_tag_fits(tag: str, number: int, expected: bool) -> None:
    magic = lookup(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    assert tag_fits(tag, magic) is expected


def test_tag_of_this_interpreter() -> None:
    magic = lookup(importlib.util.MAGIC_NUMBER)
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
    ],
)
def test_is_tag(text: str, expected: bool) -> None:
    assert is_tag(text) is expected
