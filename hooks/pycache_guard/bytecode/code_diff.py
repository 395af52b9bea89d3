"""Compare trees of code.

Two values are the same if they have one type; floats and complex are compared by their bits, sets in
any order. Two values have the same number if and only if they are the same.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.bytecode.code_object import Code, Container, HugeInt, MarshalFormat, Value

if TYPE_CHECKING:
    from collections.abc import Iterable


class ValueNumbering:
    """Assigns the same number to the same values."""

    def __init__(self) -> None:
        #: The description of a value → its number. Descriptions are bytes, because their hashes are not
        #: predictable: ints made to collide would take quadratic time.
        self._known: dict[bytes, int] = {}
        #: By identity, because values may share any number of parts. All values outlive this.
        self._numbered: dict[int, int] = {}

    def number(self, value: Value) -> int:
        """Return the number of `value`. Numbers its parts first, without recursion."""
        pending = [value]
        while pending:
            top = pending[-1]
            parts = _parts(top)
            missing = [part for part in parts if id(part) not in self._numbered]
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            if id(top) not in self._numbered:
                description = _describe(top, [self._numbered[id(part)] for part in parts])
                self._numbered[id(top)] = self._known.setdefault(description, len(self._known))
        return self._numbered[id(value)]


def is_set(value: Value) -> bool:
    """Return whether `value` is a set, whose items have no order."""
    return isinstance(value, Container) and value.kind in ("set", "frozenset")


def _parts(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Code):
        return tuple(value.fields.values())
    if isinstance(value, Container):
        return value.items
    return cast("tuple[Value, ...]", value) if isinstance(value, tuple) else ()


def _describe(value: Value, parts: list[int]) -> bytes:
    if isinstance(value, tuple):
        kind = value.kind if isinstance(value, Container) else type(value).__name__
        ordered = sorted(parts) if is_set(value) else parts
        return kind.encode() + b"\0" + struct.pack(f"<{len(ordered)}I", *ordered)
    return type(value).__name__.encode() + b"\0" + _payload(value)


def _payload(value: Value) -> bytes:
    """Return bytes that distinguish a value without parts from others of its type."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    if isinstance(value, HugeInt):
        return bytes([value.is_negative]) + value.digits
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag)
    # None, Ellipsis and StopIteration are the only values of their types.
    return b""


#: Fields in which the patch levels of one magic number differ (CPython 3.13.0 and 3.13.2, PyPy 7.3):
#: the instructions and what describes them. Names, constants and flags are the same.
PATCH_LEVEL_FIELDS = frozenset({"code", "exceptiontable", "linetable", "stacksize"})
#: Those that decide what is executed.
_INSTRUCTION_FIELDS = PATCH_LEVEL_FIELDS - {"linetable"}

#: Fields that say where the source is, and change nothing that the code does.
PLACE_FIELDS = frozenset({"filename", "firstlineno", "linetable"})

#: Fields that are not compared by `==`.
_SPECIAL_FIELDS = frozenset({"consts", "filename", "linetable"})


class Difference(NamedTuple):
    """The first difference of two trees."""

    #: The names of the code objects on the way, `<module>` first.
    path: tuple[str, ...]
    #: A field of the innermost one, such as `consts[3]`.
    field: str
    #: Whether nothing but line tables differ, in the whole tree. That alone changes no behaviour,
    #: and patch levels of one magic do it.
    only_lines: bool


def find_other_instructions(expected: Code, found: Code) -> list[tuple[Code, Code]] | None:
    """Return the pairs of code objects whose instructions, exception tables or stack sizes differ.

    Returns None if the trees differ in any field that is not in `PATCH_LEVEL_FIELDS`. A list is no proof
    of honesty: an attacker can change instructions alone too.
    """
    comparison = _Comparison(found.filename, PATCH_LEVEL_FIELDS)
    return comparison.other_instructions if comparison.run(expected, found) is None else None


def find_code_difference(expected: Code, found: Code) -> Difference | None:
    """Return the first difference of two trees of one era apart from `PLACE_FIELDS`, None if there is none."""
    return _Comparison(found.filename, PLACE_FIELDS).run(expected, found)


def find_difference(expected: Code, found: Code) -> Difference | None:
    """Return the first difference of two trees of one era, None if they are the same.

    Constants must have the same type; floats and complex are compared by their bits, sets in any
    order. Every field counts. `filename` may be any text, but must be the same in all code objects of
    `found`, as every compiler writes it: import overwrites only those that have the file name of the
    module code (CPython `Python/import.c`, `update_code_filenames`), and `inspect`, `linecache`
    and warnings use the others.
    """
    return _Comparison(found.filename).run(expected, found)


class _Scope(NamedTuple):
    """The name of a code object, and the scope around it."""

    name: str
    outer: _Scope | None


def _path(scope: _Scope | None) -> tuple[str, ...]:
    names = []
    while scope is not None:
        names.append(scope.name)
        scope = scope.outer
    return tuple(reversed(names))


class _Comparison:
    def __init__(self, filename: str, ignored: frozenset[str] = frozenset()) -> None:
        #: The name that every code object of the file must have.
        self._filename = filename
        self._ignored = ignored
        self._numbers = ValueNumbering()
        #: Pairs of code objects that differ in an ignored field, the line table excepted.
        self.other_instructions: list[tuple[Code, Code]] = []
        #: A forest of values found to be the same, by identity: shared parts are compared once,
        #: however often they are referred to. Both trees outlive this.
        self._same: dict[int, int] = {}

    def run(self, expected: Code, found: Code) -> Difference | None:
        """Walk both trees in step, without recursion."""
        lines: _Scope | None = None
        pending: list[tuple[_Scope | None, int, Value, Value]] = [(None, 0, expected, found)]
        while pending:
            scope, index, ours, theirs = pending.pop()
            if self._differ(ours, theirs):
                return Difference(_path(scope), f"consts[{index}]", only_lines=False)
            if not isinstance(ours, tuple) or not self._union(ours, theirs):
                continue
            indexes: Iterable[int] = itertools.repeat(index)
            if isinstance(ours, Code):
                scope = _Scope(ours.name, scope)
                indexes = itertools.count()
                field = self._first_field(ours, cast("Code", theirs))
                if field == "linetable":
                    lines = lines or scope
                elif field is not None:
                    return Difference(_path(scope), field, only_lines=False)
            triples = zip(indexes, _comparable_parts(ours), _comparable_parts(theirs), strict=False)
            pending.extend(reversed([(scope, *triple) for triple in triples]))
        return lines and Difference(_path(lines), "linetable", only_lines=True)

    def _first_field(self, ours: Code, theirs: Code) -> str | None:
        """Return the first field that differs in itself, the line table last."""
        for field, value in ours.fields.items():
            # Ints, texts, and tuples of texts: the reader has checked their types.
            if field in _SPECIAL_FIELDS or field in self._ignored:
                continue
            if value != theirs.fields[field]:
                return field
        if len(ours.consts) != len(theirs.consts):
            return "consts"
        if "filename" not in self._ignored and theirs.fields.get("filename") != self._filename:
            return "filename"
        if self._ignored:
            if any(ours.fields.get(f) != theirs.fields.get(f) for f in _INSTRUCTION_FIELDS):
                self.other_instructions.append((ours, theirs))
            return None
        same_lines = ours.fields.get("linetable") == theirs.fields.get("linetable")
        return None if same_lines else "linetable"

    def _differ(self, ours: Value, theirs: Value) -> bool:
        """Return whether two values differ apart from their parts."""
        if type(ours) is not type(theirs):
            return True
        if isinstance(ours, float | complex) or is_set(ours):
            return self._numbers.number(ours) != self._numbers.number(theirs)
        if isinstance(ours, Container) and ours.kind != cast("Container", theirs).kind:
            return True
        if isinstance(ours, Code):
            return False
        if isinstance(ours, tuple):
            return len(_comparable_parts(ours)) != len(_comparable_parts(theirs))
        return ours != theirs

    def _union(self, ours: Value, theirs: Value) -> bool:
        """Record that two values are the same. Returns False if that was known or assumed already.

        The assumptions are proved if the walk ends without a difference (Hopcroft and Karp).
        """
        first, second = self._root(id(ours)), self._root(id(theirs))
        self._same[first] = second
        return first != second

    def _root(self, identity: int) -> int:
        while (above := self._same.get(identity, identity)) != identity:
            self._same[identity] = self._same.get(above, above)
            identity = above
        return identity


def _comparable_parts(value: Value) -> tuple[Value, ...]:
    """Return the values to compare one by one: not those of a set, which have no order."""
    if isinstance(value, Code):
        return value.consts
    if isinstance(value, Container):
        return () if is_set(value) else value.items
    return cast("tuple[Value, ...]", value)


#: The text types of marshal, by the width of their lengths. Interned texts (`t`, `A`, `Z`) and others
#: are read alike, and both get a reference number if and only if they have FLAG_REF.
_LONG = b"aAut"
_SHORT = b"zZ"
_ASCII = b"aAzZ"
_FLAG_REF = 0x80


def equal_ignoring_filename(
    expected: bytes, found: bytes, start: int, name: bytes, dialect: MarshalFormat
) -> bool:
    """Compare `expected` with `found` from `start` on, where `name` in `expected` may be any text.

    `name` is the file name that the compiler was given: 8 to 255 bytes of
    random ASCII, so that nothing else in the output contains it. In `found`, one text must replace it
    in every place. All other bytes must be equal, FLAG_REF of the name included, so that both have the
    same references. If it returns False, the trees must be compared; they may still be the same.
    """
    done, place = 0, start
    other: bytes | None = None
    at = expected.find(name)
    while at >= 0:
        begin = _find_start(expected, at, len(name), dialect)
        place += begin - done
        if begin < done or found[place - begin + done : place] != expected[done:begin]:
            return False
        text = _text_at(found, place, expected[begin], dialect)
        if text is None or other not in (None, text[0]):
            return False
        other, place = text
        done = at + len(name)
        at = expected.find(name, done)
    rest = len(expected) - done
    return done > 0 and len(found) - place == rest and found[place:] == expected[done:]


def _find_start(data: bytes, at: int, length: int, dialect: MarshalFormat) -> int:
    """Return where the text starts whose `length` bytes are `at`; -1 if they are not a text."""
    for begin in (at - 2, at - 5):
        if begin >= 0:
            text = _text_at(data, begin, data[begin], dialect)
            if text is not None and text[1] == at + length:
                return begin
    return -1


def _text_at(
    data: bytes, start: int, kind: int, dialect: MarshalFormat
) -> tuple[bytes, int] | None:
    """Return the text that starts at `start`, as UTF-8, and its end; None if no text starts there.

    The text must be able to replace a text of the type `kind`.
    """
    if start >= len(data):
        return None
    byte = data[start]
    if not dialect.has_flag_ref:
        # Python 2 numbers interned texts and no others; before 3.4 there is one type of text.
        width = 4 if byte == kind and byte in b"stu" else 0
        plain = byte
    else:
        plain = byte & ~_FLAG_REF
        width = 1 if plain in _SHORT else 4 if plain in _LONG else 0
        if byte & _FLAG_REF != kind & _FLAG_REF:
            return None
    content = start + 1 + width
    end = content + int.from_bytes(data[start + 1 : content], "little")
    if not width or content > len(data) or end > len(data):
        return None
    text = data[content:end]
    if b"\0" in text:
        return None
    if not dialect.str_is_bytes:
        try:
            text.decode("ascii" if plain in _ASCII else "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None
    return text, end
