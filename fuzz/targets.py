"""What is fed: one function for any bytes, which may only return, or raise what it says it raises."""

from __future__ import annotations

from pycache_guard.bytecode.compare import difference
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_leaves import MarshalError
from pycache_guard.bytecode.pyc import UnknownFormat
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.sniff import is_bytecode
from pycache_guard.bytecode.tampering import oddities


def one(data: bytes) -> str:
    """Read `data` as a file; return how far that went."""
    is_bytecode(data[:64])
    try:
        pyc = read_pyc(data)
    except InvalidHeader:
        return "no header"
    try:
        code = pyc.code
    except (MarshalError, UnknownFormat):
        return "no code"
    assert difference(code, code) is None
    list(oddities(code, pyc.header.magic))
    return "code"
