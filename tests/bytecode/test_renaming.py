from __future__ import annotations

import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bytecode.renaming import same_but_for_name

NAME = "<source 0123456789abcdef>"
SOURCE = "def f(a):\n    return [a, 'x', 2.5, lambda: a]\n"


def dumped(name: str, source: str = SOURCE) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True)
    return marshal.dumps(code)


@pytest.mark.parametrize("name", ["", "m.py", "/p/m.py", "/p" * 200, "ü.py", "/ü" * 200, NAME])
def test_any_name_will_do(name: str) -> None:
    assert same_but_for_name(dumped(NAME), b"head" + dumped(name), 4, NAME.encode())


@pytest.mark.parametrize(
    "source", ["", "def f(a):\n    return [a, 'y', 2.5, lambda: a]\n", SOURCE + "1"]
)
def test_all_else_must_be_the_same(source: str) -> None:
    assert not same_but_for_name(dumped(NAME), dumped("m.py", source), 0, NAME.encode())


@given(st.data())
def test_no_byte_but_the_names_may_change(data: st.DataObject) -> None:
    name = "other name"
    found = bytearray(dumped(name))
    at = data.draw(st.integers(0, len(found) - 1))
    found[at] ^= data.draw(st.integers(1, 255))
    same = same_but_for_name(dumped(NAME), bytes(found), 0, NAME.encode())
    start = dumped(name).index(name.encode())
    if not start <= at < start + len(name):
        # Interned or not, one flag or type more: what stands in the name's place is still a text.
        assert not same or at == start - 2


def test_a_tail_is_a_difference() -> None:
    assert not same_but_for_name(dumped(NAME), dumped("m.py") + b"\0", 0, NAME.encode())
    for cut in range(1, 40):
        assert not same_but_for_name(dumped(NAME), dumped("m.py")[:-cut], 0, NAME.encode())


def test_a_name_that_stands_twice_proves_nothing() -> None:
    expected = dumped(NAME, f"x = {NAME!r} + y")
    assert not same_but_for_name(expected, expected, 0, NAME.encode())
    assert not same_but_for_name(b"", b"", 0, NAME.encode())
    assert not same_but_for_name(NAME.encode(), NAME.encode(), 0, NAME.encode())
