"""When bytes alone prove that two files hold the same code."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bytecode.code_diff import equal_ignoring_filename
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.magic import identify_magic

if TYPE_CHECKING:
    from pycache_guard.bytecode.code_object import MarshalFormat

#: CPython writes the name of the file once and refers to it; PyPy writes it in every code object.
cpython_only = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="the name is written once only by CPython"
)

NAME = "<source 0123456789abcdef>"
OURS = NAME.encode()
SOURCE = "def f(a):\n    return [a, 'x', 2.5, lambda: a]\n"


def dialect(magic: bytes) -> MarshalFormat:
    known = identify_magic(magic)
    assert known is not None
    found = marshal_format(known)
    assert found is not None
    return found


MINE = dialect(importlib.util.MAGIC_NUMBER)
PYTHON_2 = dialect(b"\x03\xf3\r\n")
PYTHON_33 = dialect((3230).to_bytes(2, "little") + b"\r\n")


def dumped(name: str, source: str = SOURCE) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True)
    return marshal.dumps(code)


def equal(expected: bytes, found: bytes, start: int = 0) -> bool:
    return equal_ignoring_filename(expected, found, start, OURS, MINE)


NAMES = ["m.py", "/p/m.py", "/p" * 200, "ü.py", "/ü" * 200, NAME]
#: On PyPy an empty name is one object in all code objects, unlike others: the trees are compared.
EMPTY = pytest.param("", marks=cpython_only)


@pytest.mark.parametrize("name", [EMPTY, *NAMES])
def test_any_name_is_equal(name: str) -> None:
    assert equal(dumped(NAME), b"head" + dumped(name), 4)


@pytest.mark.parametrize(
    "source", ["", "def f(a):\n    return [a, 'y', 2.5, lambda: a]\n", SOURCE + "1"]
)
def test_other_code_is_not_equal(source: str) -> None:
    assert not equal(dumped(NAME), dumped("m.py", source))


@cpython_only
def test_every_changed_bit_outside_the_name_is_seen() -> None:
    honest = dumped("other name")
    start = honest.index(b"other name")
    # Interned or not is the one thing that means nothing: `z` and `Z`.
    kinds = {honest[start - 2] & 0x80 | ord("z"), honest[start - 2] & 0x80 | ord("Z")}
    for place in range(len(honest)):
        for bit in range(8):
            found = bytearray(honest)
            found[place] ^= 1 << bit
            inside = start <= place < start + len(b"other name") and 0 < found[place] < 0x80
            expected = inside or (place == start - 2 and found[place] in kinds)
            assert equal(dumped(NAME), bytes(found)) is expected, (place, bit)


@given(st.data())
def test_changed_bytes_are_seen(data: st.DataObject) -> None:
    found = bytearray(dumped("other name"))
    place = data.draw(st.integers(0, len(found) - 1))
    found[place] ^= data.draw(st.integers(1, 255))
    start = dumped("other name").index(b"other name") - 2
    if not start <= place < start + 2 + len("other name"):
        assert not equal(dumped(NAME), bytes(found))


def test_reference_flag_of_the_name_counts() -> None:
    """With it, one number more is taken: every reference after it means another object."""
    honest = dumped("m.py")
    place = honest.index(b"m.py") - 2
    assert chr(honest[place] & 0x7F) in "zZ"  # interned or not
    for kind in (
        b"z\x04",
        b"Z\x04",
        b"a\x04\0\0\0",
        b"A\x04\0\0\0",
        b"u\x04\0\0\0",
        b"t\x04\0\0\0",
    ):
        for flag in (0, 0x80):
            text = bytes([kind[0] | flag]) + kind[1:]
            found = honest[:place] + text + honest[place + 2 :]
            assert equal(dumped(NAME), found) is (flag == honest[place] & 0x80), text


def test_bytes_in_the_place_of_the_name_are_not_equal() -> None:
    honest = dumped("m.py")
    place = honest.index(b"m.py") - 2
    flag = honest[place] & 0x80
    found = honest[:place] + bytes([ord("s") | flag]) + b"\x04\0\0\0" + honest[place + 2 :]
    assert not equal(dumped(NAME), found)


def test_trailing_and_missing_bytes_are_not_equal() -> None:
    assert not equal(dumped(NAME), dumped("m.py") + b"\0")
    for cut in range(1, len(dumped("m.py"))):
        assert not equal(dumped(NAME), dumped("m.py")[:-cut])


@pytest.mark.parametrize("text", [b"\xff\xff.py", b"\xc3\xbc.py", b"\0\0.py"])
def test_name_that_cannot_be_decoded_is_not_equal(text: bytes) -> None:
    # The second one is UTF-8, and its type is that of ASCII; no file is named as the third one.
    kind = b"u" if text[0] == 0xFF else b"a"
    honest = dumped("ü.py")
    place = honest.index("ü.py".encode()) - 5
    flagged = bytes([kind[0] | honest[place] & 0x80])
    found = honest[:place] + flagged + honest[place + 1 : place + 5] + text + honest[place + 10 :]
    assert not equal(dumped(NAME), found)


@pytest.mark.parametrize("data", [b"", OURS, b"abcdef" + OURS, b"z" + OURS, dumped("no name")])
def test_data_without_a_name_is_not_equal(data: bytes) -> None:
    assert not equal(data, data)


def dumped_2(*names: bytes, kind: bytes = b"s") -> bytes:
    texts = [kind + len(text).to_bytes(4, "little") + text for text in names]
    return b"c123" + b"code".join(texts) + b"end"


@pytest.mark.parametrize("name", [b"m.py", b"", b"long" * 99, b"\xff"])
def test_python_2_repeats_its_names(name: bytes) -> None:
    def equal_2(expected: bytes, found: bytes) -> bool:
        return equal_ignoring_filename(expected, found, 0, OURS, PYTHON_2)

    assert equal_2(dumped_2(OURS, OURS), dumped_2(name, name))
    assert not equal_2(dumped_2(OURS, OURS), dumped_2(name, name + b"x"))
    assert not equal_2(dumped_2(OURS, OURS), dumped_2(name + b"x", name))
    assert not equal_2(dumped_2(OURS, OURS), dumped_2(name))
    assert not equal_2(dumped_2(OURS), dumped_2(name, name))
    # An interned text takes a number that `R` refers to.
    assert not equal_2(dumped_2(OURS), dumped_2(name, kind=b"t"))
    assert not equal_2(dumped_2(OURS, kind=b"t"), dumped_2(name))
    assert equal_2(dumped_2(OURS, kind=b"t"), dumped_2(name, kind=b"t"))
    assert not equal_2(dumped_2(OURS, kind=b"u"), dumped_2(name))
    assert not equal_2(dumped_2(OURS, OURS), dumped_2(name, name)[:-1])


def test_python_33_has_one_type_of_text() -> None:
    for kind in (b"u", b"t", b"z", b"\xf5"):
        found = dumped_2(b"m.py", kind=kind)
        same = equal_ignoring_filename(dumped_2(OURS, kind=b"u"), found, 0, OURS, PYTHON_33)
        assert same is (kind == b"u")
