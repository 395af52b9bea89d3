from __future__ import annotations

import contextlib
import importlib.util
import marshal
import struct
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.memory import trace_memory
from pycache_guard.bytecode import unmarshal
from pycache_guard.bytecode.code_object import (
    Code,
    Container,
    HugeInt,
    Long,
    MarshalFormat,
    Value,
    marshal_format,
)
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.marshal_scalars import MAX_INT_DIGITS, MarshalError
from pycache_guard.bytecode.unmarshal import MAX_DEPTH, MAX_OBJECTS, read_code, read_value

if TYPE_CHECKING:
    from types import CodeType


def dialect(number: int) -> MarshalFormat:
    magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    found = marshal_format(magic)
    assert found is not None
    return found


PYTHON_22 = dialect(60717)
PYTHON_27 = dialect(62211)
PYTHON_33 = dialect(3230)
PYTHON_313 = dialect(3571)
PYTHON_314 = dialect(3627)
PYTHON_315 = dialect(3666)
MINE = dialect(int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"))


def i32(number: int) -> bytes:
    return struct.pack("<i", number)


VALUES: list[tuple[MarshalFormat, bytes, Value]] = [
    (PYTHON_313, b"N", None),
    (PYTHON_313, b"T", True),
    (PYTHON_313, b"F", False),
    (PYTHON_313, b".", ...),
    (PYTHON_313, b"S", StopIteration),
    (PYTHON_313, b"i" + i32(-2), -2),
    (PYTHON_313, b"I" + struct.pack("<q", -(2**40)), -(2**40)),
    (PYTHON_313, b"l" + i32(0), 0),
    (PYTHON_313, b"l" + i32(2) + struct.pack("<HH", 1, 2), 1 + 2 * 2**15),
    (PYTHON_313, b"l" + i32(-1) + struct.pack("<H", 0x7FFF), -0x7FFF),
    (PYTHON_313, b"f\x031.5", 1.5),
    (PYTHON_313, b"f\x04-1e3", -1000.0),
    (PYTHON_313, b"x\x011\x02-2", 1 - 2j),
    (PYTHON_313, b"g" + struct.pack("<d", 0.1), 0.1),
    (PYTHON_313, b"y" + struct.pack("<dd", 0.1, -0.2), 0.1 - 0.2j),
    (PYTHON_313, b"s" + i32(2) + b"\xff\0", b"\xff\0"),
    (PYTHON_313, b"u" + i32(2) + "é".encode(), "é"),
    (PYTHON_313, b"u" + i32(3) + b"\xed\xa0\x80", "\ud800"),
    (PYTHON_313, b"t" + i32(1) + b"a", "a"),
    (PYTHON_313, b"a" + i32(1) + b"a", "a"),
    (PYTHON_313, b"A" + i32(1) + b"e", "e"),
    (PYTHON_313, b"z\x01a", "a"),
    (PYTHON_313, b"Z\x02ab", "ab"),
    (PYTHON_313, b"(" + i32(2) + b"NT", (None, True)),
    (PYTHON_313, b")\x00", ()),
    (PYTHON_313, b")\x01)\x01N", ((None,),)),
    (PYTHON_313, b"[" + i32(1) + b"N", Container("list", (None,))),
    (PYTHON_313, b"<" + i32(1) + b"N", Container("set", (None,))),
    (PYTHON_313, b">" + i32(0), Container("frozenset", ())),
    (PYTHON_313, b"{z\x01aT0", Container("dict", ("a", True))),
    (PYTHON_313, b"{0", Container("dict", ())),
    (PYTHON_314, b":NTF", Container("slice", (None, True, False))),
    (PYTHON_315, b"}TF0", Container("frozendict", (True, False))),
    # References count the types that bear the flag, before their parts.
    (PYTHON_313, b"\xa9\x02\xe9" + i32(7) + b"r" + i32(1), (7, 7)),
    (PYTHON_313, b")\x03\xa9\x01\xfa\x01ar" + i32(0) + b"r" + i32(1), (("a",), ("a",), "a")),
    # Twice, which 3.15.0rc1 itself cannot read (gh-155315).
    (PYTHON_315, b")\x02\xfd0r" + i32(0), (Container("frozendict", ()),) * 2),
    (PYTHON_27, b"(" + i32(2) + b"t" + i32(1) + b"aR" + i32(0), (b"a", b"a")),
    (PYTHON_27, b"u" + i32(1) + b"a", "a"),
]


@pytest.mark.parametrize(("dialect", "data", "expected"), VALUES)
def test_read_value_of_every_type(dialect: MarshalFormat, data: bytes, expected: Value) -> None:
    value, end = read_value(b"??" + data + b"more", 2, dialect)
    assert repr(value) == repr(expected)
    assert end == 2 + len(data)


@pytest.mark.parametrize(("dialect", "data", "expected"), VALUES)
def test_read_value_of_a_truncated_type_is_an_error(
    dialect: MarshalFormat, data: bytes, expected: Value
) -> None:
    for length in range(len(data)):
        with pytest.raises(MarshalError, match="marshal data too short"):
            read_value(data[:length], 0, dialect)


ERRORS = [
    (PYTHON_313, b"", 0, "marshal data too short"),
    (PYTHON_313, b"?", 0, "bad marshal data (unknown type code 0x3f)"),
    (PYTHON_313, b":NNN", 0, "bad marshal data (unknown type code 0x3a)"),
    (PYTHON_314, b"}0", 0, "bad marshal data (unknown type code 0x7d)"),
    (PYTHON_33, b")\0", 0, "bad marshal data (unknown type code 0x29)"),
    (PYTHON_33, b"\xe9" + i32(1), 0, "bad marshal data (unknown type code 0xe9)"),
    (PYTHON_313, b"R" + i32(0), 0, "bad marshal data (unknown type code 0x52)"),
    (PYTHON_27, b"R" + i32(0), 1, "bad marshal data (string ref out of range)"),
    (PYTHON_27, b"R" + i32(-1), 1, "bad marshal data (string ref out of range)"),
    (PYTHON_313, b"0", 0, "NULL object in marshal data for object"),
    (PYTHON_313, b")\x010", 2, "NULL object in marshal data for tuple"),
    (PYTHON_313, b"{N0", 2, "NULL object in marshal data for dict"),
    (PYTHON_313, b"s" + i32(-1), 1, "bad marshal data (bytes object size out of range)"),
    (PYTHON_313, b"u" + i32(-1), 1, "bad marshal data (string size out of range)"),
    (PYTHON_313, b"(" + i32(-1), 1, "bad marshal data (tuple size out of range)"),
    (PYTHON_313, b"<" + i32(-1), 1, "bad marshal data (set size out of range)"),
    (PYTHON_313, b"c" + bytes(19), 17, "marshal data too short"),
    (PYTHON_22, b"c" + bytes(7), 7, "marshal data too short"),
    (PYTHON_313, b"(" + i32(0x7FFFFFFF), 5, "marshal data too short"),
    (PYTHON_313, b"s" + i32(0x7FFFFFFF), 5, "marshal data too short"),
    (PYTHON_313, b"l" + i32(-(2**31)), 5, "marshal data too short"),
    (PYTHON_313, b"I" + struct.pack("<q", 2**31 - 1), 1, "64 bits for a number of 32"),
    (PYTHON_27, b"I" + struct.pack("<q", -(2**31)), 1, "64 bits for a number of 32"),
    (PYTHON_313, b"a" + i32(1) + b"\xe9", 1, "bad marshal data (not ASCII)"),
    (PYTHON_313, b"Z\1\xe9", 1, "bad marshal data (not ASCII)"),
    (PYTHON_313, b"l" + i32(1) + b"\0\0", 1, "bad marshal data (unnormalized long data)"),
    (PYTHON_313, b"l" + i32(1) + b"\0\x80", 1, "bad marshal data (digit out of range in long)"),
    (PYTHON_313, b"f\x021x", 1, "bad marshal data (not a float)"),
    (PYTHON_313, b"f\x021 ", 1, "bad marshal data (not a float)"),
    (PYTHON_313, b"f\x031_0", 1, "bad marshal data (not a float)"),
    (PYTHON_313, b"x\x011\x00", 3, "bad marshal data (not a float)"),
    (PYTHON_313, b"u" + i32(1) + b"\xff", 1, "bad marshal data (not UTF-8)"),
    (PYTHON_313, b"r" + i32(0), 0, "bad marshal data (invalid reference)"),
    # PyPy takes a number for these among the references, and CPython does not.
    *(
        (PYTHON_313, bytes([code | 0x80]), 0, f"FLAG_REF on type code {code:#04x}")
        for code in b"NTFS.0"
    ),
    (PYTHON_313, b")\x02\xe9" + i32(5) + b"\xf2" + i32(0), 7, "FLAG_REF on type code 0x72"),
    (PYTHON_313, b"r" + i32(-1), 0, "bad marshal data (invalid reference)"),
    (PYTHON_313, b"\xa9\x01r" + i32(0), 2, "reference to the tuple that it stands in"),
    (PYTHON_313, b"\xdb" + i32(1) + b"r" + i32(0), 5, "reference to the list that it stands in"),
    (
        PYTHON_313,
        b"\xbe" + i32(1) + b"r" + i32(0),
        5,
        "reference to the frozenset that it stands in",
    ),
]


@pytest.mark.parametrize(("dialect", "data", "offset", "reason"), ERRORS)
def test_read_value_refuses_what_interpreters_refuse(
    dialect: MarshalFormat, data: bytes, offset: int, reason: str
) -> None:
    with pytest.raises(MarshalError) as caught:
        read_value(data, 0, dialect)
    assert (caught.value.offset, caught.value.reason) == (offset, reason)
    assert str(caught.value) == f"{reason} at offset {offset}"


def test_read_code_of_another_object_is_an_error() -> None:
    with pytest.raises(MarshalError, match=r"^non-code object at offset 16$"):
        read_code(bytes(16) + b"N", 16, PYTHON_313)


# Hostile data


@pytest.mark.parametrize("opening", [b")\x01", b"(" + i32(1), b"[" + i32(1), b"{N"])
def test_depth_is_bounded_as_in_cpython(opening: bytes) -> None:
    closing = b"N" + b"0" * MAX_DEPTH if opening == b"{N" else b"N"
    read_value(opening * (MAX_DEPTH - 1) + closing, 0, PYTHON_313)
    with pytest.raises(MarshalError, match=r"^recursion limit exceeded"):
        read_value(opening * MAX_DEPTH + closing, 0, PYTHON_313)


def test_references_that_expand_without_bound_are_an_error() -> None:
    levels = 64
    data = b")" + bytes([levels]) + b"\xa9\x00"
    for level in range(levels - 1):
        data += b"\xa9\x02" + (b"r" + i32(level)) * 2
    with pytest.raises(MarshalError, match=r"^references make 10000000 objects and more"):
        read_value(data, 0, PYTHON_313)


def test_references_that_expand_a_little_are_read() -> None:
    data = b")\x15\xa9\x02NN" + b"".join(
        b"\xa9\x02" + (b"r" + i32(level)) * 2 for level in range(20)
    )
    value, end = read_value(data, 0, PYTHON_313)
    parts: Any = value
    assert parts[20][0] is parts[20][1]
    assert end == len(data)


@pytest.mark.parametrize("code", [b"(", b"[", b"<", b">", b"s", b"u", b"l"])
def test_declared_sizes_take_no_memory(code: bytes) -> None:
    with trace_memory() as peak:
        with pytest.raises(MarshalError):
            read_value(code + i32(0x7FFFFFFF) + b"N" * 16, 0, PYTHON_313)
        assert peak() < 100_000


@pytest.mark.parametrize("sign", [1, -1])
def test_huge_number_is_kept_as_its_digits(sign: int) -> None:
    digits = 31_000_000
    data = b"l" + i32(sign * digits) + b"\x01\0" * digits
    with trace_memory() as peak:
        value, end = read_value(data, 0, PYTHON_313)
        assert peak() < 8 << 20
    assert end == len(data)
    assert isinstance(value, HugeInt)
    assert repr(value) == f"<int of {15 * (digits - 1) + 1} bits>"
    assert value.is_negative == (sign < 0)


def test_huge_numbers_are_equal_by_sign_and_digits() -> None:
    count = MAX_INT_DIGITS + 1

    def huge(last: int, sign: int = 1) -> Value:
        return read_value(
            b"l" + i32(sign * count) + b"\1\0" * (count - 1) + struct.pack("<H", last), 0, MINE
        )[0]

    assert huge(5) == huge(5)
    assert len({huge(5), huge(5), huge(4), huge(5, -1)}) == 3
    assert huge(5) != 5
    for last, reason in ((0, "unnormalized"), (0x8000, "out of range")):
        with pytest.raises(MarshalError, match=reason):
            huge(last)


def test_number_at_the_bound_is_an_int() -> None:
    count = MAX_INT_DIGITS
    assert read_value(b"l" + i32(count) + b"\1\0" * count, 0, MINE)[0] == sum(
        1 << 15 * n for n in range(count)
    )


@pytest.mark.parametrize(
    "data",
    [
        b"(" + i32(60_000_000) + b"N" * 60_000_000,
        b">" + i32(60_000_000) + b"N" * 60_000_000,
        b"{" + b"N" * 200_000,
        b"{N" * 1000 + b"N" * 200_000,
        b"(" + i32(1000) + (b"(" + i32(100) + b"N" * 100) * 1000,
        b"(" + i32(30_000_000) + b"{0" * 30_000_000,
    ],
    ids=["tuple", "frozenset", "dict", "dicts", "tuples", "many dicts"],
)
def test_more_objects_than_any_module_has_take_no_memory(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmarshal, "MAX_OBJECTS", 20_000)
    with trace_memory() as peak:
        with pytest.raises(MarshalError, match="more than 20000 objects"):
            read_value(data, 0, PYTHON_313)
        assert peak() < 4 << 20


@pytest.mark.unmeasured
def test_largest_allowed_number_of_objects_is_read() -> None:
    count = MAX_OBJECTS - 1
    assert (
        len(cast("tuple[Value, ...]", read_value(b"(" + i32(count) + b"N" * count, 0, MINE)[0]))
        == count
    )
    with pytest.raises(MarshalError, match="more than 2000000 objects"):
        read_value(b"(" + i32(count + 1) + b"N" * (count + 1), 0, MINE)


def test_long_of_python_2_is_not_its_int() -> None:
    found = read_value(b"l" + i32(1) + b"\5\0", 0, PYTHON_27)[0]
    assert type(found) is Long
    assert repr(found) == "5L"
    assert type(read_value(b"i" + i32(5), 0, PYTHON_27)[0]) is int


@given(st.sampled_from([PYTHON_27, PYTHON_33, PYTHON_315]), st.binary())
def test_any_bytes_give_a_value_or_the_one_error(dialect: MarshalFormat, data: bytes) -> None:
    with contextlib.suppress(MarshalError):
        _, end = read_value(data, 0, dialect)
        assert 0 < end <= len(data)


TYPES = st.sampled_from(sorted(PYTHON_315.types)).map(lambda code: bytes([code]))
FLAGGED = st.sampled_from(sorted(PYTHON_315.types)).map(lambda code: bytes([code | 0x80]))
SMALL = st.integers(-1, 3).map(i32)


@given(st.lists(st.one_of(TYPES, FLAGGED, SMALL, st.binary(max_size=3))).map(b"".join))
def test_likely_bytes_give_a_value_or_the_one_error(data: bytes) -> None:
    with contextlib.suppress(MarshalError):
        _, end = read_value(data, 0, PYTHON_315)
        assert 0 < end <= len(data)


# marshal.dumps as oracle


def native(value: Value) -> Any:
    if isinstance(value, Container):
        items = [native(item) for item in value.items]
        if value.kind == "dict":
            return dict(zip(items[::2], items[1::2], strict=True))
        return {"list": list, "set": set, "frozenset": frozenset}[value.kind](items)
    if type(value) is tuple:
        return tuple(native(item) for item in value)
    return value


def shape(value: Any) -> str:
    """Write out what `==` would overlook: types, NaN, the sign of zero. Sets have no order."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__} of {sorted(shape(item) for item in value)}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {[shape(item) for item in value]}"
    if isinstance(value, dict):
        return f"dict of {[shape(item) for item in value.items()]}"
    if isinstance(value, float):
        return struct.pack("<d", value).hex()
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag).hex()
    return repr(value)


HASHABLE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.complex_numbers(),
        st.text(st.characters()),
        st.text("\ud800\udfff"),
        st.binary(),
        st.just(...),
        st.just(StopIteration),
    ),
    lambda parts: st.one_of(st.lists(parts).map(tuple), st.frozensets(parts)),
    max_leaves=8,
)
ANY = st.recursive(
    HASHABLE,
    lambda parts: st.one_of(
        st.lists(parts),
        st.sets(HASHABLE),
        st.dictionaries(HASHABLE, parts),
        st.tuples(parts, parts),
    ),
    max_leaves=8,
)


@given(ANY, st.integers(0, 4))
def test_read_value_agrees_with_marshal(value: Any, version: int) -> None:
    data = marshal.dumps(value, version)
    read, end = read_value(data, 0, MINE if version > 2 else PYTHON_33)
    assert end == len(data)
    # Versions 0 and 1 round floats, so that `value` itself is no oracle.
    assert shape(native(read)) == shape(marshal.loads(data))


SOURCE = """
def outer(a, /, b, *args, c=(1, -0.0, b"x"), **rest):
    d = [e for e in rest if e in {1, "two", (3, 4.5j)}]
    def inner():
        nonlocal d
        return a, d
    return lambda: (inner, ...)
class Scope:
    '''Doc.'''
    big = 2 ** 70
"""
ATTRIBUTES = [
    *("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags"),
    *("code", "names", "varnames", "freevars", "cellvars", "filename", "name", "qualname"),
    *("firstlineno", "linetable", "exceptiontable"),
]


def assert_same(code: CodeType, read: Code) -> None:
    for field in ATTRIBUTES:
        if field in read.fields:
            assert read.fields[field] == getattr(code, f"co_{field}")
    assert (code.co_name, code.co_flags) == (read.name, read.flags)
    assert (code.co_filename, code.co_firstlineno) == (read.filename, read.firstlineno)
    assert code.co_code == read.code
    for constant, value in zip(code.co_consts, read.consts, strict=True):
        if isinstance(value, Code):
            assert_same(constant, value)
        else:
            assert shape(native(value)) == shape(constant)


@pytest.mark.parametrize("version", [3, 4])
def test_read_code_of_this_interpreter(version: int) -> None:
    code = compile(SOURCE, "source.py", "exec")
    data = marshal.dumps(code, version)
    read, end = read_code(data, 0, MINE)
    assert end == len(data)
    assert_same(code, read)


def test_read_code_of_truncated_code_is_an_error() -> None:
    data = marshal.dumps(compile(SOURCE, "source.py", "exec"))
    for length in range(len(data)):
        with pytest.raises(MarshalError, match=r"^marshal data too short"):
            read_code(data[:length], 0, MINE)
