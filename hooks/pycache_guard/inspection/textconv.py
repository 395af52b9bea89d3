"""Bytecode as text for `git diff`: one line for each fact, and nothing that depends on where the file is.

Git runs the command as `textconv` (gitattributes(5)) with a temporary file, and fails as a whole if the command fails.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.code_facts import local_names, name_flags
from pycache_guard.bytecode.code_object import Code
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import UnsupportedFormat, read_pyc
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.inspection.render import (
    cut_text,
    describe_validation,
    short_repr,
    used_names,
    write_signature,
)
from pycache_guard.inspection.scopes import walk_scopes
from pycache_guard.inspection.strings import write_value
from pycache_guard.verify.check import describe_invalid_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.code_object import Value
    from pycache_guard.bytecode.magic import Magic

#: Hexadecimal digits of the digest of instructions.
_DIGEST_DIGITS = 12


def textconv_lines(path: str, data: bytes) -> Iterator[str]:
    """Yield the lines for a file with the content `data`; the name tells a header of early pytest versions."""
    try:
        pyc = read_pyc(data, parse_cache_name(path))
    except InvalidHeader as error:
        yield describe_invalid_header(data, error)[1]
        yield describe_bytes("content", data)
        return
    magic = pyc.header.magic
    yield f"{magic.implementation} {magic.version} (magic {magic.number})"
    yield describe_validation(pyc.header)
    try:
        code = pyc.code
    except (MarshalError, UnsupportedFormat) as error:
        yield f"its code cannot be read: {error}"
        yield describe_bytes("code", data[magic.header_length :])
        return
    for name in file_names(code):
        yield f"compiled as {name}"
    for scope in walk_scopes(code):
        yield from describe_scope(scope.name, scope.code, magic)
    if pyc.trailing_bytes:
        yield describe_bytes("after the code", data[-pyc.trailing_bytes :])


def describe_scope(name: str, code: Code, magic: Magic) -> Iterator[str]:
    """Yield the lines of one code object."""
    yield ""
    yield write_signature(code, name)
    yield f"  line {code.firstlineno}"
    if flags := name_flags(code.flags, magic):
        yield f"  flags {', '.join(flags)}"
    for text in used_names(code):
        yield f"  name {cut_text(text)}"
    for text in local_names(code):
        yield f"  variable {cut_text(text)}"
    for value in code.consts:
        if not isinstance(value, Code):
            yield f"  constant {write_constant(value)}"
    yield describe_bytes("  instructions", code.code)
    if table := code.fields.get("exceptiontable"):
        yield describe_bytes("  exception table", cast("bytes", table))


def write_constant(value: Value) -> str:
    """Return a constant as Python writes it; strings are longer here than in a list of constants."""
    is_plain = isinstance(value, str | bytes | int) and not isinstance(value, bool)
    return write_value(cast("str | bytes | int", value)) if is_plain else short_repr(value)


def describe_bytes(label: str, data: bytes) -> str:
    """Return the size and the digest of some bytes."""
    return f"{label} {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:_DIGEST_DIGITS]}"
