"""Prove that two code objects execute the same instructions although they store them differently.

Patch levels of one magic number lay out the same instructions differently: CPython 3.13.1 and later place
blocks, jumps and NOPs differently than 3.13.0. The proof is a bisimulation of both control flows: from
the start, after every instruction and for every exception, both execute the same instruction with the same
argument. Two layouts that pass cannot compute different things, no matter who wrote them. What the interpreter
reads apart from executing it (the start, and what follows SEND, FOR_ITER and YIELD_VALUE) must be the
same too.

Sources: CPython `Python/bytecodes.c`, `InternalDocs/exception_handling.md`, `Objects/genobject.c`
(`_PyGen_yf`, `gen_close`), `Objects/frameobject.c`; the numbers are those of each interpreter's `opcode.opmap`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.bytecode.line_tables import TableError, read_exception_entries
from pycache_guard.bytecode.tampering import OPCODES

if TYPE_CHECKING:
    from pycache_guard.bytecode.code_object import Code
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.tampering import Opcodes


class Flow(NamedTuple):
    """How the instructions of one magic number continue."""

    nop: int
    extended_arg: int
    resume: int
    #: Jump forward and do nothing else.
    jump_forward: int
    #: Jump backward and do nothing else.
    jump_backward_no_interrupt: int
    #: Jumps backward, and lets signals and other threads run.
    jump_backward: int
    for_iter: int
    send: int
    yield_value: int
    #: Jump forward or continue.
    forward: frozenset[int]
    #: Jump backward or continue.
    backward: frozenset[int]
    #: End the frame, or raise.
    final: frozenset[int]
    #: Marks a branch for sys.monitoring, and does nothing. Patch levels (3.15.0rc1 and 3.15.2) differ in whether
    #: a handler covers it.
    not_taken: int | None = None


FLOWS = {
    # CPython 3.11
    3495: Flow(9, 144, 151, 110, 134, 140, 93, 123, 86,
               frozenset((111, 112, 114, 115, 128, 129)), frozenset((173, 174, 175, 176)),
               frozenset((83, 119, 130))),
    # CPython 3.12
    3531: Flow(9, 144, 151, 110, 134, 140, 93, 123, 150,
               frozenset((114, 115, 128, 129)), frozenset(), frozenset((83, 119, 121, 130))),
    # CPython 3.13
    3571: Flow(30, 71, 149, 79, 78, 77, 72, 104, 118,
               frozenset((97, 98, 99, 100)), frozenset(), frozenset((36, 101, 102, 103))),
    # CPython 3.14. END_ASYNC_FOR names the place of its loop for sys.monitoring.
    3627: Flow(27, 69, 128, 77, 76, 75, 70, 106, 120,
               frozenset((100, 101, 102, 103)), frozenset((68,)), frozenset((35, 104, 105)), 28),
    # CPython 3.15
    3666: Flow(25, 67, 128, 76, 75, 74, 68, 105, 119,
               frozenset((99, 100, 101, 102)), frozenset((66,)), frozenset((33, 103, 104)), 26),
}  # fmt: skip


class Comprehension(NamedTuple):
    """The instructions around the outermost loop of a comprehension."""

    load_fast: int
    get_iter: int
    swap: int
    make_cell: int
    load_fast_and_clear: int
    #: Push an empty list, set or dict if their argument is 0.
    builds: frozenset[int]


#: Magic numbers whose patch levels differ in one GET_ITER: since 3.13.1, CPython 3.13 calls `iter` again on
#: the iterator that the outermost loop of a comprehension or generator expression gets (gh-125038).
COMPREHENSIONS = {3571: Comprehension(85, 19, 115, 94, 86, frozenset((47, 48, 49)))}
#: The argument of a generator expression.
_ITERATOR = ".0"

#: The most NOPs and jumps in a row. Compilers write a few; forged code must not take quadratic time.
_MAX_SILENT = 64

#: Bytes of an instruction, without its caches.
_UNIT_BYTES = 2


class _Unproved(Exception):
    """The two flows differ, or are not what a compiler writes."""


class _Handler(NamedTuple):
    target: int
    #: The depth of the stack, and whether the offset of the instruction is pushed.
    depth_and_flag: int


class _Instruction(NamedTuple):
    opcode: int
    argument: int
    #: The offset after its caches.
    end: int


def executes_the_same(expected: Code, found: Code, magic: Magic) -> bool:
    """Return whether both code objects provably execute the same instructions in the same order.

    `expected` is the output of a compiler, `found` is untrusted. All fields other than the instructions,
    tables and stack sizes must have been compared; nested code objects are not looked at. Returns False
    if the instruction set of `magic` is unknown.
    """
    if magic.implementation != "CPython" or magic.number not in FLOWS:
        return False
    # The same instructions need the same stack, and another layout is not much longer.
    is_forged = found.fields["stacksize"] != expected.fields["stacksize"]
    if is_forged or len(found.code) > 2 * len(expected.code) + 64:
        return False
    try:
        _Bisimulation(_Program(expected, magic.number), _Program(found, magic.number)).prove()
    except (_Unproved, TableError):
        return False
    return True


class _Program:
    """The instructions of one code object, by offset."""

    def __init__(self, code: Code, number: int) -> None:
        self.flow: Flow = FLOWS[number]
        self.instructions: dict[int, _Instruction] = {}
        self._decode(code.code, OPCODES[number])
        self._handlers: dict[int, _Handler] = {}
        self._assign_handlers(cast("bytes", code.fields["exceptiontable"]))
        self.start = self._start(code.code)
        self._second_iters = self._find_second_iters(code, number)

    def _decode(self, code: bytes, opcodes: Opcodes) -> None:
        """Read every instruction, with its EXTENDED_ARG prefixes."""
        begin = offset = argument = 0
        while offset < len(code):
            opcode = code[offset]
            argument = argument << 8 | code[offset + 1]
            if argument >> 32:
                raise _Unproved
            end = offset + _UNIT_BYTES * (1 + opcodes.caches.get(opcode, 0))
            if opcode not in opcodes.compiler_emitted or any(code[offset + _UNIT_BYTES : end]):
                raise _Unproved
            if opcode == self.flow.extended_arg and not argument:
                raise _Unproved  # hides the next instruction from what reads it without executing
            offset = end
            if opcode != self.flow.extended_arg:
                self.instructions[begin] = _Instruction(opcode, argument, end)
                begin, argument = end, 0
        if begin != len(code):
            raise _Unproved

    def _assign_handlers(self, table: bytes) -> None:
        """Find the handler of every instruction. An entry covers whole instructions, which no other covers."""
        offset = 0
        for start, end, target, depth_and_flag in read_exception_entries(table):
            if start < offset:
                raise _Unproved
            handler = _Handler(target, depth_and_flag)
            offset = start
            while offset < end:
                if offset not in self.instructions:
                    raise _Unproved
                self._handlers[offset] = handler
                offset = self.instructions[offset].end
            if offset != end:
                raise _Unproved

    def _start(self, code: bytes) -> bytes:
        """Return the bytes up to the first RESUME, which the interpreter searches for."""
        for instruction in self.instructions.values():
            if instruction.opcode == self.flow.resume:
                return code[: instruction.end]
        raise _Unproved

    def _find_second_iters(self, code: Code, number: int) -> frozenset[int]:
        """Return the offsets of the GET_ITER before a FOR_ITER that apply to an iterator for sure.

        They are executed once: compilers write no jump to them.
        """
        kinds = COMPREHENSIONS.get(number)
        if kinds is None:
            return frozenset()
        names = cast("tuple[str, ...]", code.fields["localsplusnames"])
        found = set()
        depth: int | None = None  # of the iterator below the top of the stack
        for offset, (opcode, argument, end) in self.instructions.items():
            if opcode == kinds.get_iter:
                if depth == 0 and self._is_loop(end) and self.handler(offset) == self.handler(end):
                    found.add(offset)
                depth = 0
            elif opcode == kinds.load_fast and offset == len(self.start):
                depth = 0 if argument == 0 and names[:1] == (_ITERATOR,) else None
            elif depth is not None and (
                opcode == kinds.load_fast_and_clear or (opcode in kinds.builds and not argument)
            ):
                depth += 1
            elif depth is not None and opcode == kinds.swap:
                depth = {0: argument - 1, argument - 1: 0}.get(depth, depth)
            elif opcode != kinds.make_cell:
                depth = None
        jumps = [each for each in self.instructions.values() if self.is_jump(each.opcode)]
        targets = {self._target(each) for each in jumps}
        return frozenset(found - targets - {each.target for each in self._handlers.values()})

    def _is_loop(self, offset: int) -> bool:
        instruction = self.instructions.get(offset)
        return instruction is not None and instruction.opcode == self.flow.for_iter

    def handler(self, offset: int) -> _Handler | None:
        """Return the handler of the instruction at an offset."""
        return self._handlers.get(offset)

    def at(self, offset: int) -> _Instruction:
        """Return the instruction at an offset."""
        if offset not in self.instructions:
            raise _Unproved
        return self.instructions[offset]

    def is_silent(self, offset: int) -> bool:
        """Return whether the instruction at an offset only leads to another one."""
        flow = self.flow
        silent = (flow.nop, flow.jump_forward, flow.jump_backward_no_interrupt)
        return self.at(offset).opcode in silent or offset in self._second_iters

    def skip_silent(self, offset: int) -> tuple[int, list[_Handler]]:
        """Return the offset of the first instruction from `offset` on that does something.

        Also returns the handlers on the way. They are compared if both programs have as many, because the
        body of a `try` may be a NOP, which raises only if a debugger does.
        """
        handlers: list[_Handler] = []
        for _ in range(_MAX_SILENT):
            if not self.is_silent(offset):
                return offset, handlers
            handler = self.handler(offset)
            if handler is not None and handler not in handlers[-1:]:
                handlers.append(handler)
            instruction = self.at(offset)
            if instruction.opcode == self.flow.nop and instruction.argument:
                raise _Unproved
            is_jump = instruction.opcode in (
                self.flow.jump_forward,
                self.flow.jump_backward_no_interrupt,
            )
            offset = self._target(instruction) if is_jump else instruction.end
        raise _Unproved  # a loop that does nothing, or more than compilers write

    def successors(self, offset: int) -> list[int]:
        """Return where the program continues after an instruction that is not silent."""
        flow, instruction = self.flow, self.at(offset)
        opcode, after = instruction.opcode, instruction.end
        if opcode in flow.final:
            return []
        if opcode == flow.jump_backward:
            return [self._target(instruction)]
        if opcode in flow.backward or opcode in flow.forward:
            return [after, self._target(instruction)]
        if opcode in (flow.for_iter, flow.send):
            target = self._target(instruction)
            self._require_plain(target)
            self._require_plain(after if opcode == flow.send else self.at(target).end)
            return [after, target]
        if opcode == flow.yield_value:
            self._require_plain(after)
        return [after]

    def is_jump(self, opcode: int) -> bool:
        """Return whether the argument of an instruction is a distance."""
        flow = self.flow
        always = (flow.jump_forward, flow.jump_backward, flow.jump_backward_no_interrupt)
        return (
            opcode in flow.forward
            or opcode in flow.backward
            or opcode in (*always, flow.for_iter, flow.send)
        )

    def _require_plain(self, *offsets: int) -> None:
        """Raise `_Unproved` if the interpreter would find NOPs or jumps where it expects something else.

        It skips END_FOR and POP_TOP after a loop, and looks for the RESUME after a YIELD_VALUE.
        """
        if any(self.is_silent(offset) for offset in offsets):
            raise _Unproved

    def _target(self, instruction: _Instruction) -> int:
        flow, distance = self.flow, _UNIT_BYTES * instruction.argument
        back = (flow.jump_backward, flow.jump_backward_no_interrupt)
        if instruction.opcode in flow.backward or instruction.opcode in back:
            distance = -distance
        return instruction.end + distance


def _pair_handlers(ours: _Handler, theirs: _Handler) -> tuple[int, int]:
    """Return the places of two handlers. Raises `_Unproved` if their stacks differ."""
    if ours.depth_and_flag != theirs.depth_and_flag:
        raise _Unproved
    return ours.target, theirs.target


class _Bisimulation:
    """Walks two programs in step (Hopcroft and Karp, so in nearly linear time)."""

    def __init__(self, expected: _Program, found: _Program) -> None:
        self._expected = expected
        self._found = found
        #: A forest of places found to be the same. Places of `found` are negative.
        self._same: dict[int, int] = {}

    def prove(self) -> None:
        """Raise `_Unproved` if the programs may execute different instructions."""
        expected, found = self._expected, self._found
        if expected.start != found.start:
            raise _Unproved
        reached = set()
        pending = [(0, 0)]
        while pending:
            places = pending.pop()
            ours, our_handlers = expected.skip_silent(places[0])
            theirs, their_handlers = found.skip_silent(places[1])
            if not self._union(ours, ~theirs):
                continue
            reached.add(theirs)
            pending += self._compare(ours, theirs)
            if len(our_handlers) == len(their_handlers):
                pending += map(_pair_handlers, our_handlers, their_handlers)
        if any(not found.is_silent(at) and at not in reached for at in found.instructions):
            raise _Unproved  # compilers remove code that is not executed

    def _compare(self, ours: int, theirs: int) -> list[tuple[int, int]]:
        """Compare two instructions. Returns where both continue."""
        expected, found = self._expected, self._found
        first, second = expected.at(ours), found.at(theirs)
        if first.opcode != second.opcode:
            raise _Unproved
        if first.argument != second.argument and not expected.is_jump(first.opcode):
            raise _Unproved
        pairs = list(zip(expected.successors(ours), found.successors(theirs), strict=True))
        handler, other = expected.handler(ours), found.handler(theirs)
        if handler is not None and other is not None:
            pairs.append(_pair_handlers(handler, other))
        elif handler is not other and first.opcode != expected.flow.not_taken:
            raise _Unproved
        return pairs

    def _union(self, ours: int, theirs: int) -> bool:
        """Record that two places are the same. Returns False if that was known or assumed already."""
        first, second = self._root(ours), self._root(theirs)
        self._same[first] = second
        return first != second

    def _root(self, place: int) -> int:
        while (above := self._same.get(place, place)) != place:
            self._same[place] = self._same.get(above, above)
            place = above
        return place
