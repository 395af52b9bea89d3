"""The source hash in hash-based bytecode files (PEP 552).

Written out, because `_imp.source_hash` knows the running interpreter's family only; it is used there,
being a hundred times as fast.
"""

from __future__ import annotations

import _imp
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycache_guard.bytecode.magic import Magic

#: Which family the hash of the running interpreter is of; PyPy has that of CPython 3.7 to 3.10.
_RUNNING_IS_NEW = sys.implementation.name == "cpython" and sys.version_info >= (3, 11)
_MASK = 0xFFFF_FFFF_FFFF_FFFF


def source_hash(source: bytes, magic: Magic) -> bytes | None:
    """Return the 8-byte hash of `source` as writers of `magic` compute it, None if that is unknown.

    The key is the magic itself. CPython 3.7 to 3.10 and PyPy use SipHash-2-4, CPython from 3.11
    on SipHash-1-3 (`_Py_KeyedHash`, `Python/pyhash.c`; PyPy `pypy/module/imp/interp_imp.py`).
    """
    key = int.from_bytes(magic.data, "little")
    if magic.implementation not in ("CPython", "PyPy"):
        return None
    is_new = magic.implementation == "CPython" and magic.number in range(3450, 5000)
    if is_new is _RUNNING_IS_NEW:
        return _imp.source_hash(key, source)
    compressions, finalizations = (1, 3) if is_new else (2, 4)
    return siphash(source, key, compressions=compressions, finalizations=finalizations)


def siphash(data: bytes, key: int, *, compressions: int, finalizations: int) -> bytes:
    """SipHash-`compressions`-`finalizations` of `data`, for a key whose upper half is 0.

    Aumasson and Bernstein, "SipHash: a fast short-input PRF".
    """
    padding = bytes(-(len(data) + 1) % 8)
    words = memoryview(data + padding + (len(data) & 0xFF).to_bytes(1, "little"))
    state = (
        key ^ 0x736F6D6570736575,
        0x646F72616E646F6D,
        key ^ 0x6C7967656E657261,
        0x7465646279746573,
    )
    for (word,) in struct.iter_unpack("<Q", words):
        v0, v1, v2, v3 = _rounds(state[0], state[1], state[2], state[3] ^ word, compressions)
        state = v0 ^ word, v1, v2, v3
    v0, v1, v2, v3 = _rounds(state[0], state[1], state[2] ^ 0xFF, state[3], finalizations)
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")


def _rounds(v0: int, v1: int, v2: int, v3: int, count: int) -> tuple[int, int, int, int]:
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v1 = (v1 << 13 & _MASK | v1 >> 51) ^ v0
        v0 = v0 << 32 & _MASK | v0 >> 32
        v2 = (v2 + v3) & _MASK
        v3 = (v3 << 16 & _MASK | v3 >> 48) ^ v2
        v0 = (v0 + v3) & _MASK
        v3 = (v3 << 21 & _MASK | v3 >> 43) ^ v0
        v2 = (v2 + v1) & _MASK
        v1 = (v1 << 17 & _MASK | v1 >> 47) ^ v2
        v2 = v2 << 32 & _MASK | v2 >> 32
    return v0, v1, v2, v3
