"""Whether a file holds bytecode, told from its first bytes, whatever its name.

Asked of every new file at each commit: imports nothing but the table.
"""

from __future__ import annotations

from pycache_guard.bytecode.magic_numbers import CRLF
from pycache_guard.bytecode.magic_numbers import find

#: As many first bytes of a file as `is_bytecode` wants; no more matter.
HEAD_LENGTH = 64

#: marshal's TYPE_CODE, without and with FLAG_REF.
_CODE = b"c\xe3"
#: The same with GraalPy's, which is CPython's before 1.3 as well.
_ANY_CODE = _CODE + b"C\xc3"
_MAX_FLAGS = 3


def is_bytecode(head: bytes) -> bool:
    """Judge a file by its first `HEAD_LENGTH` bytes.

    It is bytecode when a known magic, a whole header and the type of a code object follow each
    other, or when a module's code stands behind something like a header. A header alone is not:
    there is nothing to run.
    """
    # The fields of a code object hold zero bytes. Text does not, and must never be taken for
    # bytecode, although `3\r\r\n` is a magic.
    if 0 not in head[:HEAD_LENGTH]:
        return False
    if head[2:4] == CRLF and any(_holds_module(head, end) for end in (8, 12, 16)):
        return True
    row = find(head[:4])
    return row is not None and _follows_header(head, row[2], _ANY_CODE)


def _holds_module(head: bytes, end: int) -> bool:
    """Whether code without arguments stands behind `end` bytes of header: needs no table."""
    return _follows_header(head, end, _CODE) and head[end + 1 : end + 5] == bytes(4)


def _follows_header(head: bytes, end: int, types: bytes) -> bool:
    flags = int.from_bytes(head[4:8], "little") if end == 16 else 0
    return flags <= _MAX_FLAGS and head[end : end + 1] != b"" and head[end] in types
