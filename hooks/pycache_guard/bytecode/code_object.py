"""Build `Code` from the fields of a code object, as strictly as interpreters do."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from pycache_guard.bytecode.magic_numbers import NEWEST_CPYTHON

if TYPE_CHECKING:
    from types import EllipsisType

    from pycache_guard.bytecode.magic import Magic

#: Fields that are kept as they are, if they have this type.
_PLAIN_FIELDS: dict[str, type] = {
    "consts": tuple,
    **dict.fromkeys(("code", "localspluskinds", "linetable", "exceptiontable"), bytes),
}
_NAMES = frozenset(("names", "varnames", "freevars", "cellvars", "localsplusnames"))
_TEXTS = frozenset(("filename", "name", "qualname"))

#: Bits of `co_flags` (CPython `Include/cpython/code.h`): an argument `*args`, an argument `**kwargs`.
_VARARGS = 0x4
_VARKEYWORDS = 0x8
#: CPython `Include/internal/pycore_code.h`, `CO_FAST_LOCAL`.
_FAST_LOCAL = 0x20
_OTHER_KINDS = bytes([kind for kind in range(256) if not kind & _FAST_LOCAL])


class CodeBuilder:
    """Builds the code objects of one file."""

    def __init__(self, *, texts_are_bytes: bool) -> None:
        self._text_type = bytes if texts_are_bytes else str
        #: Many code objects may share one long tuple, which is checked once. The original tuple is
        #: kept too, so that no other one gets its id.
        self._names: dict[int, tuple[Value, Value]] = {}
        #: The same for the kinds of variables, with the number of local ones.
        self._local_counts: dict[int, tuple[bytes, int]] = {}

    def build(self, integers: dict[str, int], objects: dict[str, Value]) -> Code:
        """Check the fields, and convert texts to one type.

        Raises `ValueError` with a reason if no interpreter makes a code object of them (CPython
        `Objects/codeobject.c`, `_PyCode_Validate`).
        """
        for field, number in integers.items():
            # Any line is possible: CPython itself writes 0 and, for generated code, negative ones.
            if number < 0 and field != "firstlineno":
                raise ValueError(f"negative {field}")
        fields: dict[str, Any] = {**integers}
        for field, value in objects.items():
            is_plain = type(value) is _PLAIN_FIELDS.get(field)
            fields[field] = value if is_plain else self._read(field, value)
        if "localspluskinds" in fields:
            _check_locals(fields["localsplusnames"], fields["localspluskinds"])
        self._check_arguments(fields)
        if "localspluskinds" in fields and len(fields["code"]) % 2:
            raise ValueError("half an instruction at the end of code")
        return Code(fields)

    def _read(self, field: str, value: Value) -> Value:
        if field in _NAMES and type(value) is tuple:
            return self._names_of(field, value)
        if field in _TEXTS and type(value) is self._text_type:
            text = value if isinstance(value, str) else _text(value)
            if field == "filename" and "\0" in text:  # PyPy refuses it, and no file is named so
                raise ValueError("NUL in filename")
            return text
        raise ValueError(f"{field} of the wrong type")

    def _check_arguments(self, fields: dict[str, Any]) -> None:
        """Raise `ValueError` if the numbers of arguments do not fit together or exceed their names."""
        if fields.get("posonlyargcount", 0) > fields["argcount"]:
            raise ValueError("more positional-only arguments than arguments")
        flags = fields["flags"]
        arguments = fields["argcount"] + fields.get("kwonlyargcount", 0)
        arguments += bool(flags & _VARARGS) + bool(flags & _VARKEYWORDS)
        if "localspluskinds" in fields:
            names = self._count_locals(fields["localspluskinds"])
        else:
            names = len(fields["varnames"])
        if arguments > names:
            raise ValueError("more arguments than names of variables")

    def _count_locals(self, kinds: bytes) -> int:
        if id(kinds) not in self._local_counts:
            self._local_counts[id(kinds)] = kinds, len(kinds.translate(None, _OTHER_KINDS))
        return self._local_counts[id(kinds)][1]

    def _names_of(self, field: str, names: tuple[Any, ...]) -> Value:
        if id(names) not in self._names:
            if names and {*map(type, names)} != {self._text_type}:
                raise ValueError(f"{field} of the wrong type")
            is_text = self._text_type is str
            self._names[id(names)] = names, names if is_text else tuple(map(_text, names))
        return self._names[id(names)][1]


def _text(value: Value) -> str:
    return (
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else cast("str", value)
    )


def _check_locals(names: Value, kinds: Value) -> None:
    assert isinstance(names, tuple)
    assert isinstance(kinds, bytes)
    if len(names) != len(kinds):
        raise ValueError("localsplusnames and localspluskinds of different lengths")


class Layout(NamedTuple):
    """The fields of a code object, in the order of the file."""

    #: Whether integer fields take 2 bytes, not 4.
    int16_fields: bool
    integers: tuple[str, ...]
    objects: tuple[str, ...]
    #: The fields after the integer `firstlineno`; if there are none, there is no `firstlineno` either.
    fields_after_firstlineno: tuple[str, ...]


class MarshalFormat(NamedTuple):
    """One era of marshal."""

    #: The codes of types that may be read.
    types: frozenset[int]
    #: Bit 7 of a type makes an object one that `r` may refer to.
    has_flag_ref: bool
    #: Names are `s` and `t`, and `t` adds to the texts that `R` refers to.
    str_is_bytes: bool
    layout: Layout


_LAYOUT_1_3 = Layout(
    True,
    ("argcount", "nlocals", "flags"),
    ("code", "consts", "names", "varnames", "filename", "name"),
    (),
)
_LAYOUT_1_5 = _LAYOUT_1_3._replace(
    integers=("argcount", "nlocals", "stacksize", "flags"),
    fields_after_firstlineno=("linetable",),
)
_LAYOUT_2_1 = _LAYOUT_1_5._replace(
    objects=("code", "consts", "names", "varnames", "freevars", "cellvars", "filename", "name"),
)
_LAYOUT_2_3 = _LAYOUT_2_1._replace(int16_fields=False)
_LAYOUT_3_0 = _LAYOUT_2_3._replace(
    integers=("argcount", "kwonlyargcount", "nlocals", "stacksize", "flags")
)
# PEP 570.
_LAYOUT_3_8 = _LAYOUT_3_0._replace(
    integers=("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags"),
)
_LAYOUT_3_11 = Layout(
    False,
    ("argcount", "posonlyargcount", "kwonlyargcount", "stacksize", "flags"),
    (
        "code",
        "consts",
        "names",
        "localsplusnames",
        "localspluskinds",
        "filename",
        "name",
        "qualname",
    ),
    ("linetable", "exceptiontable"),
)
_LAYOUT_PYPY_416 = _LAYOUT_3_8._replace(objects=(*_LAYOUT_3_8.objects, "qualname"))
_LAYOUT_PYPY_432 = _LAYOUT_PYPY_416._replace(
    fields_after_firstlineno=("linetable", "exceptiontable")
)

_TYPES_3_0 = frozenset(b"0NFTS.iIlfxgysu([<>{c")
_TYPES_2 = _TYPES_3_0 | frozenset(b"tR")
_TYPES_3_4 = _TYPES_3_0 | frozenset(b"taAzZ)r")
_TYPES_3_14 = _TYPES_3_4 | frozenset(b":")
_TYPES_3_15 = _TYPES_3_14 | frozenset(b"}")

#: Implementation, its magic numbers, their dialect. Missing: pre-releases in between whose layout
#: changed with every step, formats that are not CPython's marshal, and every CPython after the last
#: that has a row in `magic_numbers`: its layout has not been checked yet.
_ROWS = (
    ("CPython", range(11913, 11914), MarshalFormat(_TYPES_2, False, True, _LAYOUT_1_3)),
    ("CPython", range(5892, 5893), MarshalFormat(_TYPES_2, False, True, _LAYOUT_1_3)),
    ("CPython", range(20121, 20122), MarshalFormat(_TYPES_2, False, True, _LAYOUT_1_5)),
    ("CPython", range(50428, 50825), MarshalFormat(_TYPES_2, False, True, _LAYOUT_1_5)),
    ("CPython", range(60202, 60719), MarshalFormat(_TYPES_2, False, True, _LAYOUT_2_1)),
    ("CPython", range(62011, 62213), MarshalFormat(_TYPES_2, False, True, _LAYOUT_2_3)),
    ("CPython", range(3030, 3250), MarshalFormat(_TYPES_3_0, False, False, _LAYOUT_3_0)),
    ("CPython", range(3250, 3410), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_3_0)),
    ("CPython", range(3410, 3450), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_3_8)),
    ("CPython", range(3460, 3600), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_3_11)),
    ("CPython", range(3600, 3650), MarshalFormat(_TYPES_3_14, True, False, _LAYOUT_3_11)),
    (
        "CPython",
        range(3650, NEWEST_CPYTHON + 1),
        MarshalFormat(_TYPES_3_15, True, False, _LAYOUT_3_11),
    ),
    ("PyPy", range(62218, 62219), MarshalFormat(_TYPES_2, False, True, _LAYOUT_2_3)),
    ("PyPy", range(48, 49), MarshalFormat(_TYPES_2, False, True, _LAYOUT_3_0)),
    ("PyPy", range(112, 256), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_3_0)),
    ("PyPy", range(256, 416), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_3_8)),
    ("PyPy", range(416, 432), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_PYPY_416)),
    ("PyPy", range(432, 448), MarshalFormat(_TYPES_3_4, True, False, _LAYOUT_PYPY_432)),
)


@functools.lru_cache(maxsize=64)
def marshal_format(magic: Magic) -> MarshalFormat | None:
    """Return the format of the code after `magic`, None if it is unknown."""
    for implementation, numbers, dialect in _ROWS:
        if magic.implementation == implementation and magic.number in numbers:
            return dialect
    return None


class Long(int):
    """A `long` of Python 2: another type than its `int`, and another constant (`5L` is not `5`)."""

    def __repr__(self) -> str:
        return f"{int(self)}L"


class HugeInt:
    """An integer that is kept as the digits in the file: it is compared and described only.

    Two objects are equal if and only if the numbers are, because digits are read in normal form.
    """

    __slots__ = ("digits", "is_negative")

    def __init__(self, digits: memoryview, *, is_negative: bool) -> None:
        #: 15 bits in two bytes each, the least significant first; not a copy.
        self.digits = digits
        self.is_negative = is_negative

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, HugeInt)
            and self.is_negative == other.is_negative
            and self.digits == other.digits
        )

    def __hash__(self) -> int:
        return hash((self.is_negative, self.bit_length()))

    def __repr__(self) -> str:
        return f"<int of {self.bit_length()} bits>"

    def bit_length(self) -> int:
        """Return the number of bits of the absolute value, as `int.bit_length` does."""
        last = int.from_bytes(self.digits[-2:], "little")
        return 15 * (len(self.digits) // 2 - 1) + last.bit_length()


class Container(NamedTuple):
    """A list, set, frozenset, dict, frozendict or slice.

    Its items are in the order of the file and are not hashed, because the file may lie about them.
    """

    #: The name of the type.
    kind: str
    #: A dict's and frozendict's keys and values take turns; a slice has start, stop, step.
    items: tuple[Value, ...]


class Code(NamedTuple):
    """A code object with the fields of its era, in the order of the file.

    The names are those of `inspect`'s table of code attributes, without `co_`; the line table is
    `linetable` in every era. Texts are `str`; Python 2's are decoded with `surrogateescape`.
    """

    fields: dict[str, Value]

    @property
    def name(self) -> str:
        """`co_name`."""
        return cast("str", self.fields["name"])

    @property
    def filename(self) -> str:
        """`co_filename`: the source, as named to the compiler."""
        return cast("str", self.fields["filename"])

    @property
    def firstlineno(self) -> int:
        """`co_firstlineno`; 0 where the era has none."""
        return cast("int", self.fields.get("firstlineno", 0))

    @property
    def flags(self) -> int:
        """`co_flags`."""
        return cast("int", self.fields["flags"])

    @property
    def code(self) -> bytes:
        """`co_code`: the instructions."""
        return cast("bytes", self.fields["code"])

    @property
    def consts(self) -> tuple[Value, ...]:
        """`co_consts`, the code of nested scopes among them."""
        return cast("tuple[Value, ...]", self.fields["consts"])


#: Everything that marshal can contain. Python 2's `str` is `bytes`. Tuples alone are tuples.
Value: TypeAlias = (
    "bool | int | HugeInt | float | complex | str | bytes | EllipsisType | type[StopIteration]"
    " | tuple[Value, ...] | Container | Code | None"
)
