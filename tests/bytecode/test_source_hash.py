from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bytecode.magic import Magic, identify_magic
from pycache_guard.bytecode.source_hash import source_hash


def magic_of(number: int) -> Magic:
    found = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert found is not None
    return found


#: By `importlib.util.source_hash` of each interpreter.
HASHES = [
    (3413, b"", "81e4881b3643e8e9"),
    (3413, b"x", "61c5f23d35e0091a"),
    (3413, b"x = 1\n", "1506f08f32bf3ff3"),
    (3413, b"1234567", "6cb74a124a81dd6e"),
    (3413, b"12345678", "8f7469e1ec48a4ff"),
    (3413, b"x = 1\r\n" * 100, "ee242088ff9b37f7"),
    (3531, b"", "baf18eedc9387a25"),
    (3531, b"x", "6aab892215f1cd94"),
    (3531, b"x = 1\n", "1522561917f5df08"),
    (3531, b"1234567", "56964585ee43bbf1"),
    (3531, b"12345678", "64efc1c8505ebb34"),
    (3531, b"x = 1\r\n" * 100, "3af04339cbd806cc"),
    # PyPy 3.9
    (336, b"", "f3548a5dfe7fe95f"),
]


@pytest.mark.parametrize(("number", "source", "digest"), HASHES)
def test_source_hash_of_other_interpreters(number: int, source: bytes, digest: str) -> None:
    assert source_hash(source, magic_of(number)) == bytes.fromhex(digest)


@given(st.binary())
def test_source_hash_agrees_with_this_interpreter(source: bytes) -> None:
    mine = identify_magic(importlib.util.MAGIC_NUMBER)
    assert mine is not None
    assert source_hash(source, mine) == importlib.util.source_hash(source)


@pytest.mark.parametrize("number", [21280, 2997])
def test_source_hash_of_unknown_formats_is_none(number: int) -> None:
    assert source_hash(b"", magic_of(number)) is None
