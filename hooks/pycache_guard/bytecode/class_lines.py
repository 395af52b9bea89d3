"""The line numbers that class bodies store since CPython 3.13, as `__firstlineno__`.

A comment that takes a line more changes them, and with them a constant or an instruction, although
nothing else of the code changes. Source: CPython `Python/codegen.c`, `codegen_class_body`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.bytecode.code_facts import is_since, iter_instructions
from pycache_guard.bytecode.tampering import code_objects

if TYPE_CHECKING:
    from pycache_guard.bytecode.code_facts import Instruction
    from pycache_guard.bytecode.code_object import Code, Value
    from pycache_guard.bytecode.magic import Magic

_NAME = "__firstlineno__"
#: Indexes below this need no EXTENDED_ARG.
_MAX_CONSTANTS = 255


class _Opcodes(NamedTuple):
    store_name: int
    load_const: int
    load_small_int: int | None
    #: Opcodes whose argument is an index of the constants.
    has_const: tuple[int, ...]


#: The first magic number of a version, and its opcodes.
_OPCODES = (
    (3650, _Opcodes(115, 81, 93, (81,))),
    (3600, _Opcodes(116, 82, 94, (82,))),
    (3550, _Opcodes(114, 83, None, (83, 103))),
)


def stores_class_lines(magic: Magic) -> bool:
    """Return whether compilers that write this magic number store first lines in class bodies."""
    return is_since(magic, _OPCODES[-1][0])


def mask_class_lines(code: Code, magic: Magic) -> None:
    """Replace the stored first lines in the tree of `code` by 0. This changes the tree.

    The constants of class bodies are renumbered in the order of their first use, because a line number can be
    equal to a constant, or small enough for an instruction without one. Class bodies with 255 constants
    or more are left as they are.
    """
    opcodes = next((row for first, row in _OPCODES if is_since(magic, first)), None)
    if opcodes is not None:
        for nested in code_objects(code):
            names = cast("tuple[str, ...]", nested.fields["names"])
            if _NAME in names:
                _mask(nested, names.index(_NAME), magic, opcodes)


def _mask(code: Code, name: int, magic: Magic, opcodes: _Opcodes) -> None:
    before, line = None, None
    uses: list[Instruction] = []
    for instruction in iter_instructions(code.code, magic):
        if line is None and instruction[:2] == (opcodes.store_name, name):
            line = before
        if instruction.opcode in opcodes.has_const:
            uses.append(instruction)
        before = instruction
    if line is None or len(code.consts) >= _MAX_CONSTANTS or not _loads_line(line, code, opcodes):
        return
    changed = bytearray(code.code)
    consts: list[Value] = [0]
    places: dict[int, int] = {}
    for use in uses:
        if use == line or use.argument >= len(code.consts):
            continue
        if use.argument not in places:
            places[use.argument] = len(consts)
            consts.append(code.consts[use.argument])
        changed[use.offset + 1] = places[use.argument]
    changed[line.offset : line.offset + 2] = bytes([opcodes.load_const, 0])
    unused = [
        value
        for n, value in enumerate(code.consts)
        if n not in places and not (line.opcode == opcodes.load_const and n == line.argument)
    ]
    code.fields["code"] = bytes(changed)
    code.fields["consts"] = (*consts, *unused)


def _loads_line(instruction: Instruction, code: Code, opcodes: _Opcodes) -> bool:
    """Return whether an instruction loads the first line of `code`."""
    if instruction.opcode == opcodes.load_small_int:
        return instruction.argument == code.firstlineno
    if instruction.opcode != opcodes.load_const or instruction.argument >= len(code.consts):
        return False
    value = code.consts[instruction.argument]
    return type(value) is int and value == code.firstlineno
