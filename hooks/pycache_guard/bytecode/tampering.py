"""The instructions that compilers write, by magic number, since CPython 3.11.

Sources: each interpreter's own `opcode.opmap`, `_inline_cache_entries` and, from 3.13 on,
`Lib/_opcode_metadata.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.code_object import Code, Container, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.magic import Magic


class Opcodes(NamedTuple):
    """The instruction set of one magic."""

    #: Opcodes that compilers write: without CACHE, RESERVED, specialized, instrumented and internal ones.
    compiler_emitted: frozenset[int]
    #: Opcode → 2-byte units of inline cache after it, if it has any.
    caches: dict[int, int]


def _ranges(*spans: tuple[int, int]) -> frozenset[int]:
    return frozenset(opcode for first, last in spans for opcode in range(first, last + 1))


#: Releases only: the numbers moved with every pre-release.
OPCODES = {
    # CPython 3.11
    3495: Opcodes(
        _ranges((1, 2), (9, 12), (15, 15), (25, 25), (30, 33), (35, 37), (49, 54), (60, 61))
        | _ranges((68, 71), (74, 75), (82, 112), (114, 120), (122, 126), (128, 140), (142, 142))
        | _ranges((144, 149), (151, 152), (155, 157), (160, 160), (162, 166), (171, 176)),
        {
            **dict.fromkeys((60, 92, 122, 166), 1),
            **dict.fromkeys((25, 95, 106, 171), 4),
            107: 2,
            116: 5,
            160: 10,
        },
    ),
    # CPython 3.12
    3531: Opcodes(
        _ranges((1, 5), (9, 9), (11, 12), (15, 15), (25, 27), (30, 33), (35, 37), (49, 55))
        | _ranges((60, 61), (68, 69), (71, 71), (74, 75), (83, 83), (85, 85), (87, 87), (89, 110))
        | _ranges((114, 147), (149, 152), (155, 157), (162, 165), (171, 176)),
        {
            **dict.fromkeys((25, 60, 92, 93, 107, 122, 123, 141), 1),
            **dict.fromkeys((95, 116), 4),
            106: 9,
            171: 3,
        },
    ),
    # CPython 3.13
    3571: Opcodes(
        _ranges((1, 2), (4, 16), (18, 69), (71, 118), (149, 149)),
        {
            **dict.fromkeys((5, 39, 45, 58, 59, 72, 77, 93, 97, 98, 99, 100, 104, 117), 1),
            **dict.fromkeys((40, 53), 3),
            **dict.fromkeys((91, 108), 4),
            82: 9,
        },
    ),
    # CPython 3.14
    3627: Opcodes(
        _ranges((1, 2), (4, 16), (18, 120), (128, 128)),
        {
            **dict.fromkeys((38, 56, 57, 70, 75, 96, 100, 101, 102, 103, 106, 119), 1),
            **dict.fromkeys((39, 52, 55), 3),
            **dict.fromkeys((92, 110), 4),
            44: 5,
            80: 9,
        },
    ),
    # CPython 3.15
    3666: Opcodes(
        _ranges((1, 2), (4, 16), (18, 119), (128, 128)),
        {
            **dict.fromkeys((4, 36, 54, 55, 68, 70, 74, 95, 99, 100, 101, 102, 105, 118, 128), 1),
            **dict.fromkeys((37, 50, 53), 3),
            **dict.fromkeys((91, 109), 4),
            42: 5,
            79: 9,
        },
    ),
}


class ForgedInstruction(NamedTuple):
    """An instruction that no compiler writes."""

    code: Code
    #: In `code.code`.
    offset: int
    reason: str


def find_forged_instructions(code: Code, magic: Magic) -> Iterator[ForgedInstruction]:
    """Yield the first forged instruction of each code object in the tree of `code`.

    Yields nothing if the instruction set of `magic` is unknown: before CPython 3.11,
    pre-releases, other implementations.
    """
    opcodes = OPCODES.get(magic.number) if magic.implementation == "CPython" else None
    if opcodes is None:
        return
    for nested in code_objects(code):
        found = _first_forgery(nested.code, opcodes)
        if found is not None:
            yield ForgedInstruction(nested, *found)


def code_objects(code: Code) -> Iterator[Code]:
    """Yield every code object in the tree of `code` once, itself first, in the order of the file."""
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
            pending.extend(reversed(value.items if isinstance(value, Container) else value))


def file_names(code: Code) -> list[str]:
    """Return the file names of the code objects in the tree of `code`, each once.

    Every compiler writes the same name into all of them.
    """
    return list(dict.fromkeys(nested.filename for nested in code_objects(code)))


def _first_forgery(code: bytes, opcodes: Opcodes) -> tuple[int, str] | None:
    offset = 0
    while offset < len(code):
        opcode = code[offset]
        if opcode not in opcodes.compiler_emitted:
            return offset, f"opcode {opcode} is never written to files"
        end = offset + 2 + 2 * opcodes.caches.get(opcode, 0)
        if end > len(code):
            return offset, f"opcode {opcode} is cut off"
        if any(code[offset + 2 : end]):
            return offset, f"opcode {opcode} has a filled inline cache"
        offset = end
    return None
