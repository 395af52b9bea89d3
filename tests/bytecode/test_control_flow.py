"""Which layouts of instructions provably execute the same instructions."""

from __future__ import annotations

import pytest

from bytecode.test_line_tables import magic_of
from pycache_guard.bytecode.code_object import Code, Value
from pycache_guard.bytecode.control_flow import executes_the_same

#: The opcodes of CPython 3.11 (its `opcode.opmap`) that the programs below use.
OPCODES = {
    "POP_TOP": 1, "NOP": 9, "RETURN_VALUE": 83, "YIELD_VALUE": 86, "FOR_ITER": 93, "LOAD_CONST": 100,
    "JUMP_FORWARD": 110, "POP_JUMP_FORWARD_IF_FALSE": 114, "LOAD_GLOBAL": 116, "RERAISE": 119,
    "SEND": 123, "JUMP_BACKWARD_NO_INTERRUPT": 134, "JUMP_BACKWARD": 140, "EXTENDED_ARG": 144,
    "RESUME": 151, "POP_JUMP_BACKWARD_IF_TRUE": 176, "LOAD_FAST__LOAD_FAST": 143,
}  # fmt: skip
CACHES = {"LOAD_GLOBAL": 5}
#: The same for CPython 3.13.
OPCODES_313 = {
    "END_FOR": 11, "GET_ITER": 19, "POP_TOP": 32, "BUILD_LIST": 47, "FOR_ITER": 72, "JUMP_BACKWARD": 77,
    "LOAD_FAST": 85, "LOAD_FAST_AND_CLEAR": 86, "MAKE_CELL": 94, "RETURN_CONST": 103, "STORE_FAST": 110,
    "SWAP": 115, "RESUME": 149,
}  # fmt: skip
CACHES_313 = {"FOR_ITER": 1, "JUMP_BACKWARD": 1}
BACKWARD = ("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "POP_JUMP_BACKWARD_IF_TRUE")


def varint(number: int, start: int = 0) -> bytes:
    """Return a big-endian varint of an exception table; tables here have numbers below 64."""
    assert number < 64
    return bytes([start | number])


def assemble(
    text: str,
    stacksize: int = 2,
    opcodes: dict[str, int] = OPCODES,
    caches: dict[str, int] = CACHES,
    names: tuple[str, ...] = (),
) -> Code:
    """Assemble a program.

    One instruction a line: `OPCODE`, `OPCODE NUMBER`, `OPCODE =LABEL`; `LABEL:` names the next one.
    `try FROM TO HANDLER DEPTH` is an entry of the exception table.
    """
    labels: dict[str, int] = {}
    words = [line.split() for line in text.splitlines() if line.strip()]
    place = 0
    for name, *_ in words:
        if name.endswith(":"):
            labels[name[:-1]] = place
        elif name != "try":
            place += 1 + caches.get(name, 0)
    code, table = b"", b""
    for name, *rest in words:
        if name == "try":
            start, end, handler = (labels[label] for label in rest[:3])
            table += varint(start, 0x80) + varint(end - start) + varint(handler)
            table += varint(int(rest[3]) << 1)
        elif not name.endswith(":"):
            after = len(code) // 2 + 1 + caches.get(name, 0)
            argument = 0
            if rest and rest[0].startswith("="):
                distance = labels[rest[0][1:]] - after
                argument = -distance if name in BACKWARD else distance
            elif rest:
                argument = int(rest[0])
            code += bytes([opcodes[name], argument & 255]) + bytes(2 * caches.get(name, 0))
    return program(code, table, stacksize, names)


def program(
    code: bytes, table: bytes = b"", stacksize: int = 2, names: tuple[str, ...] = ()
) -> Code:
    fields: dict[str, Value] = {"code": code, "exceptiontable": table, "stacksize": stacksize}
    return Code({**fields, "localsplusnames": names})


BRANCH = """
    RESUME 0
    LOAD_GLOBAL 1
    POP_JUMP_FORWARD_IF_FALSE =no
    LOAD_CONST 1
    RETURN_VALUE
no:
    LOAD_CONST 2
    RETURN_VALUE
"""
LOOP = """
    RESUME 0
    LOAD_GLOBAL 1
again:
    FOR_ITER =done
    POP_TOP
    JUMP_BACKWARD =again
done:
    LOAD_CONST 0
    RETURN_VALUE
"""
TRY = """
    RESUME 0
a:
    LOAD_GLOBAL 1
    POP_TOP
b:
    LOAD_CONST 0
    RETURN_VALUE
handler:
    POP_TOP
    LOAD_CONST 1
    RETURN_VALUE
end:
    try a b handler 0
"""
AWAIT = """
    RESUME 0
    LOAD_CONST 0
send:
    SEND =done
    YIELD_VALUE
    RESUME 3
    JUMP_BACKWARD_NO_INTERRUPT =send
done:
    RETURN_VALUE
"""
UNTIL = """
    RESUME 0
again:
    LOAD_GLOBAL 1
    POP_JUMP_BACKWARD_IF_TRUE =again
    LOAD_CONST 0
    RETURN_VALUE
"""

SAME = {
    "the same": (BRANCH, BRANCH),
    "a NOP": (BRANCH, BRANCH.replace("no:", "no:\n NOP")),
    "NOPs that nothing reaches": (BRANCH, BRANCH.replace("no:", "NOP\nno:")),
    "a jump to the next instruction": (
        BRANCH,
        BRANCH.replace("LOAD_CONST 1", "JUMP_FORWARD =next\n next:\n LOAD_CONST 1"),
    ),
    "a block elsewhere": (
        BRANCH,
        """
    RESUME 0
    LOAD_GLOBAL 1
    POP_JUMP_FORWARD_IF_FALSE =no
    JUMP_FORWARD =yes
no:
    LOAD_CONST 2
    RETURN_VALUE
yes:
    LOAD_CONST 1
    RETURN_VALUE
""",
    ),
    "an end that two branches share": (
        BRANCH.replace("LOAD_CONST 2", "LOAD_CONST 1"),
        """
    RESUME 0
    LOAD_GLOBAL 1
    POP_JUMP_FORWARD_IF_FALSE =no
no:
    LOAD_CONST 1
    RETURN_VALUE
""",
    ),
    "a loop": (LOOP, LOOP.replace("POP_TOP", "NOP\n POP_TOP\n NOP")),
    "a loop that ends with a condition": (UNTIL, UNTIL.replace("LOAD_CONST", "NOP\n LOAD_CONST")),
    "an exception table that leaves out a NOP": (
        TRY,
        TRY.replace("POP_TOP\nb:", "x:\n NOP\n y:\n POP_TOP\nb:").replace(
            "try a b handler 0", "try a x handler 0\n try y b handler 0"
        ),
    ),
    "a NOP with a handler": (TRY, TRY.replace("a:", "a:\n NOP")),
    "a NOP that alone has a handler": (
        TRY.replace("a:\n    LOAD_GLOBAL 1\n    POP_TOP", "a:\n NOP"),
        TRY.replace("a:\n    LOAD_GLOBAL 1\n    POP_TOP", "a:\n NOP\n NOP"),
    ),
    "await": (AWAIT, AWAIT.replace("done:", "NOP\ndone:")),
}


@pytest.mark.parametrize(("expected", "found"), SAME.values(), ids=SAME)
def test_other_layouts_execute_the_same(expected: str, found: str) -> None:
    magic = magic_of(3495)
    assert executes_the_same(assemble(expected), assemble(found), magic)
    assert executes_the_same(assemble(found), assemble(expected), magic)


OTHER = {
    "another constant": (BRANCH, BRANCH.replace("LOAD_CONST 2", "LOAD_CONST 3")),
    "another instruction": (TRY, TRY.replace("POP_TOP\nb:", "LOAD_CONST 0\nb:")),
    "exchanged branches": (
        BRANCH,
        BRANCH.replace("CONST 1", "CONST 9").replace("CONST 2", "CONST 1").replace("9", "2"),
    ),
    "no handler": (TRY, TRY.replace("try a b handler 0", "").replace("handler:", "handler:")),
    "another handler": (TRY, TRY.replace("try a b handler", "try a b b")),
    "another depth of the stack": (TRY, TRY.replace("handler 0", "handler 1")),
    "a handler for more": (TRY, TRY.replace("try a b", "try a handler")),
    "an instruction that nothing reaches": (BRANCH, BRANCH.replace("no:", "POP_TOP\nno:")),
    "a NOP with a handler of another depth": (
        TRY.replace("a:\n    LOAD_GLOBAL 1\n    POP_TOP", "a:\n NOP"),
        TRY.replace("a:\n    LOAD_GLOBAL 1\n    POP_TOP", "a:\n NOP").replace("r 0", "r 1"),
    ),
    "a NOP with a handler that does something else": (
        TRY.replace("a:\n    LOAD_GLOBAL 1\n    POP_TOP", "a:\n NOP"),
        TRY.replace("a:\n    LOAD_GLOBAL 1\n    POP_TOP", "a:\n NOP").replace("CONST 1", "CONST 2"),
    ),
    "a NOP with an argument": (BRANCH, BRANCH.replace("no:", "no:\n NOP 1")),
    "a prefix without an effect": (BRANCH, BRANCH.replace("no:", "no:\n EXTENDED_ARG 0")),
    "a prefix with an effect": (BRANCH, BRANCH.replace("no:", "no:\n EXTENDED_ARG 1")),
    "a loop that does nothing": (BRANCH, BRANCH.replace("no:", "no:\n JUMP_BACKWARD_NO_INTERRUPT =no")),
    "a NOP after a yield": (AWAIT, AWAIT.replace("RESUME 3", "NOP\n RESUME 3")),
    "a NOP after a SEND": (AWAIT, AWAIT.replace("YIELD_VALUE", "NOP\n YIELD_VALUE")),
    "a NOP where a SEND ends": (AWAIT, AWAIT.replace("done:", "done:\n NOP")),
    "a NOP where a loop ends": (LOOP, LOOP.replace("done:", "done:\n NOP")),
    "a NOP after the first instruction where a loop ends": (
        LOOP, LOOP.replace("LOAD_CONST 0", "LOAD_CONST 0\n NOP"),
    ),
    "a loop that no signal interrupts": (
        LOOP, LOOP.replace("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"),
    ),
    "a NOP before the start": (BRANCH, BRANCH.replace("RESUME", "NOP\n RESUME")),
    "no start": (BRANCH, BRANCH.replace("RESUME 0", "POP_TOP")),
    "more NOPs in a row than a compiler writes": (
        BRANCH + "NOP\n" * 70, BRANCH.replace("no:", "no:\n" + "NOP\n" * 70),
    ),
    "much longer": (BRANCH, BRANCH + "NOP\n" * 200),
    "a jump out of the code": (BRANCH, BRANCH.replace("FALSE =no", "FALSE 40")),
    "a jump into a cache": (BRANCH, BRANCH.replace("CONST 1\n", "CONST 1\n JUMP_BACKWARD 3\n")),
    "a specialized instruction": (BRANCH, BRANCH.replace("CONST 2", "CONST 2\nLOAD_FAST__LOAD_FAST")),
    "the last one falls off the end": (TRY, TRY.replace("RETURN_VALUE\nend:", "POP_TOP\nend:")),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "found"), OTHER.values(), ids=OTHER)
def test_anything_else_is_not_proved(expected: str, found: str) -> None:
    assert expected != found
    assert not executes_the_same(assemble(expected), assemble(found), magic_of(3495))


#: Instructions and exception tables that no compiler writes, beside those of `TRY`.
START = bytes([OPCODES["RESUME"], 0])
RAISE = bytes([OPCODES["LOAD_CONST"], 0, OPCODES["RETURN_VALUE"], 0])
LOAD_GLOBAL = bytes([OPCODES["LOAD_GLOBAL"], 1])
MALFORMED = {
    "a filled cache": (START + LOAD_GLOBAL + b"\0" * 9 + b"\1" + RAISE, b""),
    "a prefix at the end": (START + RAISE + bytes([OPCODES["EXTENDED_ARG"], 1]), b""),
    "an argument of 40 bits": (
        START + bytes([OPCODES["EXTENDED_ARG"], 1]) * 4 + RAISE,
        b"",
    ),
    "a cut table": (START + RAISE, b"\x81"),
    "entries that overlap": (START + RAISE, bytes([0x80, 2, 1, 0, 0x81, 1, 1, 0])),
    "an entry that starts in an instruction": (
        START + LOAD_GLOBAL + bytes(10) + RAISE,
        bytes([0x82, 5, 7, 0]),
    ),
    "an entry that ends in an instruction": (
        START + LOAD_GLOBAL + bytes(10) + RAISE,
        bytes([0x81, 3, 7, 0]),
    ),
}


@pytest.mark.parametrize(("code", "table"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_code_is_never_proved(code: bytes, table: bytes) -> None:
    forged = program(code, table)
    assert not executes_the_same(forged, forged, magic_of(3495))


@pytest.mark.parametrize("stacksize", [1, 3])
def test_stack_of_another_size_is_not_proved(stacksize: int) -> None:
    other = assemble(BRANCH, stacksize=stacksize)
    assert not executes_the_same(assemble(BRANCH), other, magic_of(3495))


@pytest.mark.parametrize("number", [3439, 3571 - 1, 432])
def test_unknown_instruction_sets_prove_nothing(number: int) -> None:
    assert not executes_the_same(assemble(BRANCH), assemble(BRANCH), magic_of(number))


GENERATOR = """
    RESUME 0
start:
    LOAD_FAST 0
    {get_iter}
loop:
    FOR_ITER =done
    POP_TOP
    JUMP_BACKWARD =loop
done:
    END_FOR
    POP_TOP
    RETURN_CONST 0
"""
COMPREHENSION = """
    RESUME 0
    LOAD_FAST 0
    GET_ITER
    LOAD_FAST_AND_CLEAR 1
    MAKE_CELL 1
    SWAP 2
    BUILD_LIST 0
    SWAP 2
    {get_iter}
loop:
    FOR_ITER =done
    STORE_FAST 1
    JUMP_BACKWARD =loop
done:
    END_FOR
    POP_TOP
    RETURN_CONST 0
"""
#: Program, name of its first variable, and whether a GET_ITER may be missing.
ITERATED_TWICE = {
    "a generator expression": (GENERATOR, ".0", True),
    "a comprehension in a function": (COMPREHENSION, "a", True),
    "a comprehension with two variables": (
        COMPREHENSION.replace("MAKE_CELL 1\n    SWAP 2", "LOAD_FAST_AND_CLEAR 2\n    SWAP 3"),
        "a",
        True,
    ),
    "a loop over an argument": (GENERATOR, "a", False),
    "another argument": (GENERATOR.replace("LOAD_FAST 0", "LOAD_FAST 1"), ".0", False),
    "not at once": (GENERATOR.replace("LOAD_FAST 0", "LOAD_FAST 0\n POP_TOP"), ".0", False),
    "not before a loop": (GENERATOR.replace("loop:\n", "loop:\n POP_TOP\n"), ".0", False),
    "at the end": ("RESUME 0\n LOAD_FAST 0\n RETURN_CONST 0\n LOAD_FAST 0\n {get_iter}", ".0", False),
    "in every round": (
        GENERATOR.replace("loop:\n", "").replace("{get_iter}", "loop:\n {get_iter}"), ".0", False,
    ),
    "another handler": (GENERATOR + "end:\n try start loop done 0", ".0", False),
    "of what is below the iterator": (
        COMPREHENSION.replace("BUILD_LIST 0\n    SWAP 2", "BUILD_LIST 0"), "a", False,
    ),
    "of a list": (COMPREHENSION.replace("BUILD_LIST 0", "BUILD_LIST 1"), "a", False),
    "a variable comes to the top": (
        COMPREHENSION.replace("SWAP 2\n    BUILD", "SWAP 3\n    BUILD"), "a", False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "name", "is_same"), ITERATED_TWICE.values(), ids=ITERATED_TWICE)
def test_patch_levels_of_313_iterate_once_or_twice(text: str, name: str, is_same: bool) -> None:
    def build(get_iter: str) -> Code:
        return assemble(
            text.format(get_iter=get_iter), 2, OPCODES_313, CACHES_313, (name, "x", "y")
        )

    once, twice, magic = build(""), build("GET_ITER"), magic_of(3571)
    assert executes_the_same(once, twice, magic) is is_same
    assert executes_the_same(twice, once, magic) is is_same


#: CPython 3.15: RESUME and POP_JUMP_IF_FALSE have a cache.
BRANCH_315 = """
    RESUME 0
a:
    LOAD_CONST 0
    POP_JUMP_IF_FALSE =no
b:
    NOT_TAKEN
c:
    LOAD_CONST 1
no:
    LOAD_CONST 2
    RETURN_VALUE
handler:
    RERAISE 0
"""
OPCODES_315 = {
    "NOT_TAKEN": 26, "RETURN_VALUE": 33, "LOAD_CONST": 81, "POP_JUMP_IF_FALSE": 99, "RERAISE": 104,
    "RESUME": 128,
}  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "is_same"),
    [
        ("try a no handler 0", True),
        ("try a b handler 0\ntry c no handler 0", True),
        ("try a b handler 0\ntry b c handler 1\ntry c no handler 0", False),
        ("try a c handler 0", False),
    ],
)
def test_handler_of_a_marked_branch_does_not_matter(entries: str, is_same: bool) -> None:
    def build(entries: str) -> Code:
        caches = {"RESUME": 1, "POP_JUMP_IF_FALSE": 1}
        return assemble(BRANCH_315 + entries, 2, OPCODES_315, caches)

    expected = build("try a no handler 0")
    assert executes_the_same(expected, build(entries), magic_of(3666)) is is_same
