from __future__ import annotations

import importlib.util
import marshal
from typing import TYPE_CHECKING

import pytest

from pycache_guard.bytecode.code_object import Code, Container, Value, marshal_format
from pycache_guard.bytecode.header import parse_header
from pycache_guard.bytecode.magic import Magic, identify_magic
from pycache_guard.bytecode.tampering import (
    ForgedInstruction,
    code_objects,
    find_forged_instructions,
)
from pycache_guard.bytecode.unmarshal import read_code

if TYPE_CHECKING:
    from collections.abc import Callable


def magic_of(number: int) -> Magic:
    found = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert found is not None
    return found


def code(instructions: bytes, *consts: Value) -> Code:
    return Code({"name": "f", "code": instructions, "consts": consts})


#: RESUME and RETURN_GENERATOR, whatever they are called: instructions without a cache.
PLAIN = {3495: b"\x97\0\x53\0", 3531: b"\x97\0\x53\0", 3571: b"\x95\0\x24\0"}
#: Magic, instruction with its cache, offset in it, reason.
ODD = [
    (3495, b"\x00\0", 0, "opcode 0 is never written to files"),
    (3495, b"\x03\0", 0, "opcode 3 is never written to files"),
    (3531, b"\xfe\0", 0, "opcode 254 is never written to files"),
    (3571, b"\x96\0", 0, "opcode 150 is never written to files"),
    (3627, b"\xff\0", 0, "opcode 255 is never written to files"),
    (3666, b"\xff\0", 0, "opcode 255 is never written to files"),
    # BINARY_OP
    (3495, b"\x7a\0\x01\0", 0, "opcode 122 has a filled inline cache"),
    (3531, b"\x7a\0\0\x01", 0, "opcode 122 has a filled inline cache"),
    (3571, b"\x2d\0\0\x01", 0, "opcode 45 has a filled inline cache"),
    (3627, b"\x2c\0" + bytes(9) + b"\1", 0, "opcode 44 has a filled inline cache"),
    (3666, b"\x2a\0" + bytes(9) + b"\1", 0, "opcode 42 has a filled inline cache"),
    (3571, b"\x2d\0\0", 0, "opcode 45 is cut off"),
    (3571, b"\x2d\0", 0, "opcode 45 is cut off"),
    (3571, b"\x95\0\x2d", 2, "opcode 45 is cut off"),
]


@pytest.mark.parametrize(("number", "instructions", "offset", "reason"), ODD)
def test_forged_instruction_is_found(
    number: int, instructions: bytes, offset: int, reason: str
) -> None:
    odd = code(instructions)
    found = [ForgedInstruction(odd, offset, reason)]
    assert list(find_forged_instructions(odd, magic_of(number))) == found
    assert list(find_forged_instructions(code(b"", None, (odd,), odd), magic_of(number))) == found


@pytest.mark.parametrize("number", list(PLAIN))
def test_forged_instruction_after_plain_ones_is_found(number: int) -> None:
    odd = code(PLAIN[number] + b"\0\0")
    reason = "opcode 0 is never written to files"
    assert list(find_forged_instructions(odd, magic_of(number))) == [
        ForgedInstruction(odd, 4, reason)
    ]
    assert list(find_forged_instructions(code(PLAIN[number]), magic_of(number))) == []


@pytest.mark.parametrize("number", [3439, 3494, 3570, 3700, 432])
def test_unknown_instruction_set_has_no_findings(number: int) -> None:
    assert list(find_forged_instructions(code(b"\0\0"), magic_of(number))) == []


TAGS = ["cpython-310", "cpython-311", "cpython-312", "cpython-313", "cpython-314", "cpython-315"]


@pytest.mark.parametrize("tag", TAGS)
def test_files_of_other_interpreters_have_no_findings(
    tag: str, foreign_pyc: Callable[[str], bytes]
) -> None:
    data = foreign_pyc(tag)
    magic = parse_header(data).magic
    dialect = marshal_format(magic)
    assert dialect is not None
    tree, _ = read_code(data, magic.header_length, dialect)
    assert len(list(code_objects(tree))) > 10
    assert list(find_forged_instructions(tree, magic)) == []


def test_code_that_ran_in_this_interpreter_is_found() -> None:
    magic = identify_magic(importlib.util.MAGIC_NUMBER)
    assert magic is not None
    dialect = marshal_format(magic)
    assert dialect is not None
    for _ in range(100):
        magic_of(3571)
    tree, _ = read_code(marshal.dumps(magic_of.__code__), 0, dialect)
    assert list(find_forged_instructions(tree, magic)) == []


def test_code_objects_come_in_order_and_once() -> None:
    inner = code(b"i")
    first, second = code(b"a", inner, None), code(b"b", inner)
    whole = code(b"w", (first,), Container("list", (second, first)), "text")
    assert [found.code for found in code_objects(whole)] == [b"w", b"a", b"i", b"b"]
