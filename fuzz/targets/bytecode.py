"""A bytecode file, or what is called one: header, marshal, first bytes."""

from __future__ import annotations

from fuzz import corpus
from fuzz.target import Target
from pycache_guard.bytecode.code_diff import find_difference
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.magic_numbers import find_magic
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import UnsupportedFormat, read_pyc
from pycache_guard.bytecode.sniff import HEAD_BYTES, is_bytecode
from pycache_guard.bytecode.tampering import find_forged_instructions

#: marshal's types, with and without FLAG_REF.
TYPES = tuple(
    bytes([code | flag]) for code in b"0NFTS.iIlfgxystRuaAzZ()[<>{:}cr?" for flag in (0, 0x80)
)


def read_file(data: bytes) -> str:
    """Read a file, compare its code with itself, look for tampering."""
    try:
        pyc = read_pyc(data)
    except InvalidHeader:
        return "no header"
    try:
        code = pyc.code
    except (MarshalError, UnsupportedFormat):
        return "no code"
    assert find_difference(code, code) is None
    list(find_forged_instructions(code, pyc.header.magic))
    return "code"


def sniff(data: bytes) -> str:
    """Hold the verdict on the first bytes to the reader's, and to a plainer way to say the rule."""
    head = data[:HEAD_BYTES]
    verdict = is_bytecode(head)
    assert verdict is is_bytecode(data), "more than the first bytes counts"
    assert verdict is plainly(head), "not the rule"
    if read_file(data) == "code":
        assert verdict, "what can be read and run is passed"
    return "bytecode" if verdict else "other"


def plainly(head: bytes) -> bool:
    """Say again, slowly, when first bytes are those of bytecode."""
    if 0 not in head:
        return False
    ends = {end for end in (8, 12, 16) if head[2:4] == b"\r\n" and is_module(head, end)}
    row = find_magic(head[:4])
    if row and head[row[2] : row[2] + 1] in (b"c", b"\xe3", b"C", b"\xc3"):
        ends.add(row[2])
    return any(end < 16 or int.from_bytes(head[4:8], "little") in range(4) for end in ends)


def is_module(head: bytes, end: int) -> bool:
    """Whether a code object without arguments begins at `end`."""
    return head[end : end + 5] in (b"c\0\0\0\0", b"\xe3\0\0\0\0")


TARGETS = {
    "pyc": Target(read_file, corpus.bytecode, TYPES),
    "sniff": Target(sniff, corpus.bytecode, (*TYPES, b"\r\n", bytes(4), bytes(8))),
}
