from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from pycache_guard.bytecode.code_object import Code, MarshalFormat, Value, marshal_format
from pycache_guard.bytecode.header import parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.magic_numbers import NEWEST_CPYTHON, ROWS
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.unmarshal import read_code, read_value

if TYPE_CHECKING:
    from collections.abc import Callable


def dialect(number: int) -> MarshalFormat:
    magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    found = marshal_format(magic)
    assert found is not None
    return found


PYTHON_313 = dialect(3571)


def i32(number: int) -> bytes:
    return struct.pack("<i", number)


NAMES = b"(" + i32(1) + b"s" + i32(1) + b"n"
TEXT_27 = b"s" + i32(1) + b"t"
BYTES = b"s" + i32(2) + b"ab"
NAMES_3 = b")\x01z\x01n"
#: Enough for the arguments.
NAMES_8 = b"(" + i32(8) + (b"s" + i32(1) + b"n") * 8
NAMES_3_8 = b")\x08" + b"z\x01n" * 8
TEXT_3 = b"z\x01t"
CONSTS = b"(" + i32(1) + b"N"
S, L = "<h", "<i"


def numbers(layout: str, *values: int) -> bytes:
    return b"".join(struct.pack(layout, value) for value in values)


ERAS = [
    (
        *("1.3", 11913, b"c" + numbers(S, 1, 2, 64) + BYTES + CONSTS + NAMES * 2 + TEXT_27 * 2),
        {"argcount": 1, "nlocals": 2, "flags": 64, "varnames": ("n",), "filename": "t"},
    ),
    (
        "1.5",
        20121,
        b"c" + numbers(S, 1, 2, 3, 64) + BYTES + CONSTS + NAMES * 2 + TEXT_27 * 2
        + numbers(S, 7) + BYTES,
        {"stacksize": 3, "flags": 64, "name": "t", "firstlineno": 7, "linetable": b"ab"},
    ),
    (
        "2.1",
        60202,
        b"c" + numbers(S, 1, 2, 3, 64) + BYTES + CONSTS + NAMES * 4 + TEXT_27 * 2
        + numbers(S, 7) + BYTES,
        {"freevars": ("n",), "cellvars": ("n",), "firstlineno": 7},
    ),
    (
        "2.7",
        62211,
        b"c" + numbers(L, 1, 2, 3, 64) + BYTES + CONSTS + NAMES * 4 + TEXT_27 * 2
        + numbers(L, 7) + BYTES,
        {"argcount": 1, "nlocals": 2, "stacksize": 3, "flags": 64, "firstlineno": 7},
    ),
    (
        "PyPy 3.2",
        48,
        b"c" + numbers(L, 1, 5, 2, 3, 64) + BYTES + CONSTS + NAMES + NAMES_8 + NAMES * 2 + TEXT_27 * 2
        + numbers(L, 7) + BYTES,
        {"kwonlyargcount": 5, "nlocals": 2, "names": ("n",), "firstlineno": 7},
    ),
    (
        "3.7",
        3394,
        b"\xe3" + numbers(L, 1, 5, 2, 3, 64) + BYTES + CONSTS + NAMES_3 + NAMES_3_8 + NAMES_3 * 2 + TEXT_3 * 2
        + numbers(L, 7) + BYTES,
        {"argcount": 1, "kwonlyargcount": 5, "nlocals": 2, "firstlineno": 7},
    ),
    (
        "3.8",
        3413,
        b"\xe3" + numbers(L, 2, 1, 5, 4, 3, 64) + BYTES + CONSTS + NAMES_3 + NAMES_3_8 + NAMES_3 * 2 + TEXT_3 * 2
        + numbers(L, 7) + BYTES,
        {"posonlyargcount": 1, "kwonlyargcount": 5, "nlocals": 4, "linetable": b"ab"},
    ),
    (
        "PyPy 3.11, first",
        400,
        b"c" + numbers(L, 2, 1, 5, 4, 3, 64) + BYTES + CONSTS + NAMES_3 + NAMES_3_8 + NAMES_3 * 2 + TEXT_3 * 2
        + numbers(L, 7) + BYTES,
        {"name": "t", "linetable": b"ab"},
    ),
    (
        "PyPy 3.11, second",
        416,
        b"c" + numbers(L, 2, 1, 5, 4, 3, 64) + BYTES + CONSTS + NAMES_3 + NAMES_3_8 + NAMES_3 * 2 + TEXT_3 * 3
        + numbers(L, 7) + BYTES,
        {"qualname": "t", "linetable": b"ab"},
    ),
    (
        "PyPy 3.11, third",
        432,
        b"c" + numbers(L, 2, 1, 5, 4, 3, 64) + BYTES + CONSTS + NAMES_3 + NAMES_3_8 + NAMES_3 * 2 + TEXT_3 * 3
        + numbers(L, 7) + BYTES * 2,
        {"qualname": "t", "exceptiontable": b"ab"},
    ),
    (
        "3.11",
        3495,
        b"\xe3" + numbers(L, 1, 1, 0, 3, 0) + BYTES + CONSTS + NAMES_3 * 2 + b"s" + i32(1) + b"\x20"
        + TEXT_3 * 3 + numbers(L, 7) + BYTES * 2,
        {
            "stacksize": 3, "localsplusnames": ("n",), "localspluskinds": b"\x20",
            "qualname": "t", "exceptiontable": b"ab",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "data", "expected"),
    [row[1:] for row in ERAS],
    ids=[str(row[0]) for row in ERAS],
)
def test_read_code_of_every_format(number: int, data: bytes, expected: dict[str, Value]) -> None:
    code, end = read_code(data, 0, dialect(number))
    assert end == len(data)
    assert code.fields.items() >= expected.items()
    assert (code.code, code.consts, code.firstlineno) == (b"ab", (None,), code.firstlineno)
    for length in range(end):
        with pytest.raises(MarshalError, match=r"^marshal data too short"):
            read_code(data[:length], 0, dialect(number))


def test_firstlineno_before_1_5_is_0() -> None:
    code, _ = read_code(ERAS[0][2], 0, dialect(11913))
    assert code.firstlineno == 0
    assert "linetable" not in code.fields


#: The last is of a CPython that nobody has looked at.
@pytest.mark.parametrize("number", [3000, 3455, 64, 21290, 2997, 62135, NEWEST_CPYTHON + 1])
def test_marshal_format_of_unknown_layouts_is_none(number: int) -> None:
    magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    assert marshal_format(magic) is None


def test_marshal_format_of_every_release_since_1_3_is_known() -> None:
    for implementation, version, _, _, releases in ROWS:
        if implementation == "CPython":
            assert all(map(dialect, releases)), version


def code_311(**changes: bytes) -> bytes:
    parts = {
        "integers": numbers(L, 0, 0, 0, 1, 0),
        "code": BYTES,
        "consts": CONSTS,
        "names": NAMES_3,
        "localsplusnames": NAMES_3,
        "localspluskinds": b"s" + i32(1) + b"\x20",
        "filename": TEXT_3,
        "name": TEXT_3,
        "qualname": TEXT_3,
        "firstlineno": i32(-1),
        "linetable": BYTES,
        "exceptiontable": BYTES,
    }
    return b"c" + b"".join({**parts, **changes}.values())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"integers": numbers(L, -1, 0, 0, 1, 0)}, "negative argcount"),
        ({"integers": numbers(L, 0, 0, 0, 1, -1)}, "negative flags"),
        ({"code": TEXT_3}, "code of the wrong type"),
        ({"code": b"i" + i32(1)}, "code of the wrong type"),
        ({"consts": b"[" + i32(0)}, "consts of the wrong type"),
        ({"names": b"[" + i32(0)}, "names of the wrong type"),
        ({"names": b")\x01N"}, "names of the wrong type"),
        ({"names": b")\x01s" + i32(1) + b"n"}, "names of the wrong type"),
        ({"filename": BYTES}, "filename of the wrong type"),
        ({"qualname": b"N"}, "qualname of the wrong type"),
        ({"linetable": b"N"}, "linetable of the wrong type"),
        ({"code": b"s" + i32(1) + b"a"}, "half an instruction at the end of code"),
        (
            {"integers": numbers(L, 0, 1, 0, 1, 0)},
            "more positional-only arguments than arguments",
        ),
        ({"integers": numbers(L, 2, 0, 0, 1, 0)}, "more arguments than names of variables"),
        ({"integers": numbers(L, 1, 0, 1, 1, 0)}, "more arguments than names of variables"),
        ({"integers": numbers(L, 1, 0, 0, 1, 4)}, "more arguments than names of variables"),
        ({"integers": numbers(L, 0, 0, 0, 1, 12)}, "more arguments than names of variables"),
        (
            {
                "integers": numbers(L, 1, 0, 0, 1, 0),
                "localspluskinds": b"s" + i32(1) + b"\x80",
            },
            "more arguments than names of variables",
        ),
        ({"localsplusnames": b")\0"}, "localsplusnames and localspluskinds of different lengths"),
    ],
)
def test_code_that_no_interpreter_makes_is_an_error(changes: dict[str, bytes], reason: str) -> None:
    assert read_code(code_311(), 0, PYTHON_313)[0].firstlineno == -1
    with pytest.raises(MarshalError) as caught:
        read_code(b"--" + code_311(**changes), 2, PYTHON_313)
    assert str(caught.value) == f"bad code object ({reason}) at offset 2"


def test_names_shared_by_many_code_objects_are_checked_once() -> None:
    count = 1000
    names = b"\xa8" + i32(count) + b"z\x01n" * count
    codes = b"(" + i32(count) + code_311(names=b"r" + i32(0)) * count
    value, _ = read_value(b")\x02" + names + codes, 0, PYTHON_313)
    shared: Any = value
    assert len({id(code.fields["names"]) for code in shared[1]}) == 1


# Files of other interpreters

TAGS = [
    *("cpython-27", "cpython-36", "cpython-37", "cpython-38", "cpython-39", "cpython-310"),
    *(
        "cpython-311",
        "cpython-312",
        "cpython-313",
        "cpython-314",
        "cpython-315",
        "pypy39",
        "pypy311",
    ),
]


def names_of(code: Code) -> set[str]:
    inner = [names_of(value) for value in code.consts if isinstance(value, Code)]
    return {code.name}.union(*inner)


@pytest.mark.parametrize("tag", TAGS)
def test_files_of_other_interpreters_are_read_whole(
    tag: str, foreign_pyc: Callable[[str], bytes]
) -> None:
    data = foreign_pyc(tag)
    header = parse_header(data)
    assert header.magic.released
    dialect = marshal_format(header.magic)
    assert dialect is not None
    code, end = read_code(data, header.magic.header_length, dialect)
    assert end == len(data)
    assert (code.name, code.filename, code.firstlineno) in [
        ("<module>", "basic.py", 0),
        ("<module>", "basic.py", 1),
        ("<module>", "basic.py", 2),
    ]
    assert names_of(code) >= {
        *("<module>", "plain", "outer", "middle", "inner", "Base", "hidden", "gen"),
        *("<lambda>", "Derived", "guarded"),
    }
    assert code.consts[0] in (
        "Module docstring: valid on Python 2.7 and on every Python 3.",
        b"Module docstring: valid on Python 2.7 and on every Python 3.",
    )
    plain = next(part for part in code.consts if isinstance(part, Code) and part.name == "plain")
    assert plain.fields["argcount"] == 2
    assert plain.flags & 0x0C == 0x0C
    numbers = [part for part in code.consts if isinstance(part, int | complex)]
    assert {123456789012345678901234567890123456789, -98765432109876543210, 2.5 + 4j} <= {
        *numbers,
        *[-number for number in numbers],
    }
    consts: Any = code.consts
    floats = [part for part in consts if type(part) is tuple and 1.5 in part]
    assert [str(part[1]) for part in floats] in (["-0.0"], [])
