"""Facts about one code object in the words of its source: arguments, flags, docstring, imports.

Sources: CPython `Lib/inspect.py` (`getargs`, `formatargspec`), `Lib/__future__.py`, `Lib/dis.py`, and
`Lib/opcode.py` of each version; `tests/bytecode/test_code_facts.py` asks every interpreter it finds.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.bytecode.code_object import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.code_object import Value
    from pycache_guard.bytecode.magic import Magic

#: Bits of `co_flags` that mean the same in every version, named as by `dis`.
_FLAGS = {
    0x1: "OPTIMIZED",
    0x2: "NEWLOCALS",
    0x4: "VARARGS",
    0x8: "VARKEYWORDS",
    0x10: "NESTED",
    0x20: "GENERATOR",
    0x40: "NOFREE",
    0x80: "COROUTINE",
    0x100: "ITERABLE_COROUTINE",
    0x200: "ASYNC_GENERATOR",
    0x4000000: "HAS_DOCSTRING",
    0x8000000: "METHOD",
}
_OPTIMIZED, _VARARGS, _VARKEYWORDS, _HAS_DOCSTRING = 0x1, 0x4, 0x8, 0x4000000
#: The features of `__future__` in the order of their bits, and the first bit: before and since 3.8.
_FUTURES = (
    *("DIVISION", "ABSOLUTE_IMPORT", "WITH_STATEMENT", "PRINT_FUNCTION", "UNICODE_LITERALS"),
    *("BARRY_AS_BDFL", "GENERATOR_STOP", "ANNOTATIONS"),
)
_FIRST_FUTURE, _FIRST_FUTURE_38 = 0x2000, 0x20000
#: Magic numbers: the first ones of CPython 3.8 and 3.14; see `magic_numbers`.
_CPYTHON_38, _CPYTHON_314 = 3400, 3600
#: Where instructions have 2 bytes: CPython 3.6 and later, PyPy 3.6 and later.
_WORDCODE, _WORDCODE_PYPY = 3360, 160


def is_since(magic: Magic, number: int) -> bool:
    """Return whether `magic` is that of a CPython 3 with this magic number or a later one."""
    return magic.implementation == "CPython" and number <= magic.number < 5000


def name_flags(flags: int, magic: Magic) -> list[str]:
    """Return the names of the bits of `co_flags`; an unknown bit as a hexadecimal number."""
    is_new = is_since(magic, _CPYTHON_38) or (
        magic.implementation == "PyPy" and 256 <= magic.number < 1000
    )
    first = _FIRST_FUTURE_38 if is_new else _FIRST_FUTURE
    names = {**_FLAGS, **{first << n: f"FUTURE_{name}" for n, name in enumerate(_FUTURES)}}
    bits = [1 << n for n in range(flags.bit_length()) if flags >> n & 1]
    return [names.get(bit, f"{bit:#x}") for bit in bits]


def local_names(code: Code) -> tuple[str, ...]:
    """Return the local variables, arguments first, then those that nested functions share."""
    names = code.fields.get("localsplusnames")
    if names is None:
        names = (
            *cast("tuple[str, ...]", code.fields.get("varnames", ())),
            *cast("tuple[str, ...]", code.fields.get("cellvars", ())),
            *cast("tuple[str, ...]", code.fields.get("freevars", ())),
        )
    return cast("tuple[str, ...]", names)


def list_arguments(code: Code) -> list[str]:
    """Return the arguments as a `def` writes them, without their defaults, which are not part of the code.

    An argument that Python 2 unpacks (`def f((a, b)):`) has a name such as `.0`.
    """
    names = iter(local_names(code))
    count = cast("int", code.fields.get("argcount", 0))
    positional_only = cast("int", code.fields.get("posonlyargcount", 0))
    keyword_only = cast("int", code.fields.get("kwonlyargcount", 0))
    found = [next(names, "?") for _ in range(min(count, _MAX_ARGUMENTS))]
    if positional_only:
        found.insert(positional_only, "/")
    keywords = [next(names, "?") for _ in range(min(keyword_only, _MAX_ARGUMENTS))]
    if code.flags & _VARARGS:
        found.append(f"*{next(names, '?')}")
    elif keywords:
        found.append("*")
    found += keywords
    if code.flags & _VARKEYWORDS:
        found.append(f"**{next(names, '?')}")
    return found


#: No more arguments are listed.
_MAX_ARGUMENTS = 1000


def is_function(code: Code) -> bool:
    """Return whether this is the code of a function, and not of a module, a class or an expression."""
    return bool(code.flags & _OPTIMIZED) and not code.name.startswith("<")


def find_docstring(code: Code, magic: Magic) -> str | None:
    """Return the docstring of a module, a class or a function, None if it has none.

    The compiler puts it first among the constants of a function; before CPython 3.14 it puts None there
    if there is no docstring.
    """
    if is_function(code):
        if is_since(magic, _CPYTHON_314) and not code.flags & _HAS_DOCSTRING:
            return None
        return _as_text(code.consts[0]) if code.consts else None
    names = cast("tuple[str, ...]", code.fields["names"])
    texts = [_as_text(value) for value in code.consts[:3]]
    if code.name in ("<module>", "?"):
        # Only `__conditional_annotations__` of CPython 3.14 can precede it.
        return texts[0] if texts and "__doc__" in names[:2] else None
    if code.flags & _OPTIMIZED or "__doc__" not in names:
        return None
    # In Python 3 the name of a class precedes its docstring.
    others = [text for text in texts if text is not None]
    is_named = bool(others) and others[0].rpartition(".")[2] == code.name
    return next(iter(others[1:] if is_named else others), None)


def _as_text(value: Value) -> str | None:
    """Return a text, or the text in the bytes of Python 2."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value if isinstance(value, str) else None


class _ImportOpcodes(NamedTuple):
    """The opcodes that an import statement compiles to."""

    import_name: int
    extended_arg: int
    #: The argument is an index of `co_consts`.
    load_const: int
    #: The argument is the number itself; -1 if there is no such instruction.
    load_small_int: int = -1
    #: The lowest bits of the argument of `import_name` that are not part of the index.
    flag_bits: int = 0


#: CPython: the first magic number of a version, and its opcodes. PyPy has those of 3.0.
_OPCODES = (
    (3650, _ImportOpcodes(72, 67, 81, 93, 2)),
    (3600, _ImportOpcodes(73, 69, 82, 94)),
    (3550, _ImportOpcodes(75, 71, 83)),
    (3000, _ImportOpcodes(108, 144, 100)),
)
#: CPython 2.5 to 2.7, and the first opcode that has an argument before 3.6.
_OPCODES_2 = _ImportOpcodes(108, 145, 100)
_HAVE_ARGUMENT = 90


def iter_imports(code: Code, magic: Magic) -> Iterator[str]:
    """Yield the modules that the instructions of one code object import, as an import statement names them.

    `from .a import b` yields `.a`, and `from . import b` yields `.b`. Nested code objects are left out.
    """
    opcodes = _opcodes_of(magic)
    if opcodes is None or opcodes.import_name not in code.code:
        return
    names = cast("tuple[str, ...]", code.fields["names"])
    before: list[tuple[int, int]] = [(0, 0), (0, 0)]
    for opcode, argument, _ in iter_instructions(code.code, magic):
        if opcode == opcodes.import_name:
            index = argument >> opcodes.flag_bits
            name = names[index] if index < len(names) else "?"
            yield from _name_imports(name, before, code.consts, opcodes)
        before = [before[1], (opcode, argument)]


@functools.lru_cache(maxsize=64)
def _opcodes_of(magic: Magic) -> _ImportOpcodes | None:
    if magic.implementation == "PyPy":
        return _OPCODES_2 if magic.version == "2.7" else _OPCODES[-1][1]
    if magic.implementation != "CPython":
        return None
    if magic.version in ("2.5", "2.6", "2.7"):
        return _OPCODES_2
    return next((row for first, row in _OPCODES if is_since(magic, first)), None)


def _name_imports(
    name: str, before: list[tuple[int, int]], consts: tuple[Value, ...], opcodes: _ImportOpcodes
) -> Iterator[str]:
    """Yield what one instruction imports; the two `before` it load the level and the names after `import`."""
    level = (
        before[0][1]
        if before[0][0] == opcodes.load_small_int
        else _const(before[0], consts, opcodes)
    )
    dots = "." * level if isinstance(level, int) and 0 < level <= _MAX_DOTS else ""
    if name or not dots:
        yield dots + name
        return
    listed = _const(before[1], consts, opcodes)
    if type(listed) is tuple:
        for item in listed:
            yield dots + (_as_text(item) or "?")


#: The deepest relative import that is written out.
_MAX_DOTS = 20


def _const(
    instruction: tuple[int, int], consts: tuple[Value, ...], opcodes: _ImportOpcodes
) -> Value:
    """Return the constant that an instruction loads, None if it loads none."""
    opcode, index = instruction
    return consts[index] if opcode == opcodes.load_const and index < len(consts) else None


class Instruction(NamedTuple):
    """One instruction, with the argument that EXTENDED_ARG instructions before it complete."""

    opcode: int
    argument: int
    #: Of its opcode, in the bytes of the code.
    offset: int


def iter_instructions(code: bytes, magic: Magic) -> Iterator[Instruction]:
    """Yield the instructions of a code object, inline caches included; nothing for an unknown format."""
    opcodes = _opcodes_of(magic)
    if opcodes is None:
        return
    is_wordcode = is_since(magic, _WORDCODE) or (
        magic.implementation == "PyPy" and _WORDCODE_PYPY <= magic.number < 1000
    )
    size, shift = (2, 8) if is_wordcode else (3, 16)
    at = extended = 0
    while at < len(code):
        start, opcode = at, code[at]
        if is_wordcode or opcode >= _HAVE_ARGUMENT:
            argument = int.from_bytes(code[at + 1 : at + size], "little") | extended
            at += size
        else:
            argument = 0
            at += 1
        extended = argument << shift & 0xFFFF_FFFF if opcode == opcodes.extended_arg else 0
        if opcode != opcodes.extended_arg:
            yield Instruction(opcode, argument, start)
