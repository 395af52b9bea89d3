"""Instructions that no compiler writes.

An interpreter specialises instructions and fills their inline caches while code runs, and marshals
neither (PEP 659). A file that holds some was not written by `import` or `py_compile`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pycache_guard.bytecode.code_tree import Code
from pycache_guard.bytecode.code_tree import Collection
from pycache_guard.bytecode.code_tree import Value
from pycache_guard.bytecode.magic import Magic
from pycache_guard.bytecode.opcodes import OPCODES
from pycache_guard.bytecode.opcodes import Opcodes


class Oddity(NamedTuple):
    """An instruction that no compiler writes."""

    code: Code
    #: In `code.code`.
    offset: int
    reason: str


def oddities(code: Code, magic: Magic) -> Iterator[Oddity]:
    """Find the first oddity of each code object in the tree of `code`.

    There are none where `magic` tells no instruction set that we know: before CPython 3.11,
    pre-releases, other implementations.
    """
    opcodes = OPCODES.get(magic.number) if magic.implementation == "CPython" else None
    if opcodes is None:
        return
    for nested in code_objects(code):
        found = _first_oddity(nested.code, opcodes)
        if found is not None:
            yield Oddity(nested, *found)


def code_objects(code: Code) -> Iterator[Code]:
    """Every code object in the tree of `code`, itself first, in the order of the file, once."""
    seen = set()
    pending: list[Value] = [code]
    while pending:
        value = pending.pop()
        if not isinstance(value, tuple) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Code):
            yield value
            pending.extend(reversed(value.consts))
        else:
            pending.extend(reversed(value.items if isinstance(value, Collection) else value))


def file_names(code: Code) -> list[str]:
    """Return the file names that the code objects in the tree of `code` bear, each once.

    Every compiler writes one and the same into all of them.
    """
    return list(dict.fromkeys(nested.filename for nested in code_objects(code)))


def _first_oddity(code: bytes, opcodes: Opcodes) -> tuple[int, str] | None:
    offset = 0
    while offset < len(code):
        opcode = code[offset]
        if opcode not in opcodes.written:
            return offset, f"opcode {opcode} is never written to files"
        end = offset + 2 + 2 * opcodes.caches.get(opcode, 0)
        if end > len(code):
            return offset, f"opcode {opcode} is cut off"
        if any(code[offset + 2 : end]):
            return offset, f"opcode {opcode} has a filled inline cache"
        offset = end
    return None
