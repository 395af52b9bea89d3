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


def test_a_name_that_cannot_be_decoded() -> None:
    found = dumped("ü.py").replace("ü".encode(), b"\xff\xff")
    assert not same_but_for_name(dumped(NAME), found, 0, NAME.encode())


def test_nothing_that_is_a_name() -> None:
    for data in (b"", NAME.encode(), b"abcdef" + NAME.encode()):
        assert not same_but_for_name(data, data, 0, NAME.encode())


@pytest.mark.parametrize("name", [b"m.py", b"", b"long" * 99])
def test_python_2_repeats_its_names(name: bytes) -> None:
    def dumped_2(*names: bytes, kind: bytes = b"s") -> bytes:
        texts = [kind + len(text).to_bytes(4, "little") + text for text in names]
        return b"c123" + b"code".join(texts) + b"end"

    ours = NAME.encode()
    assert same_but_for_name(dumped_2(ours, ours), dumped_2(name, name), 0, ours)
    assert not same_but_for_name(dumped_2(ours, ours), dumped_2(name), 0, ours)
    assert not same_but_for_name(dumped_2(ours), dumped_2(name, name), 0, ours)
    assert not same_but_for_name(dumped_2(ours, kind=b"u"), dumped_2(name), 0, ours)
    assert not same_but_for_name(dumped_2(ours, ours), dumped_2(name, name)[:-1], 0, ours)
