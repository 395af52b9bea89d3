"""From the fields of a code object to `Code`, as strict as the interpreters are."""

from __future__ import annotations

from typing import Any
from typing import cast

from pycache_guard.bytecode.code_tree import Code
from pycache_guard.bytecode.code_tree import Value

_BYTES = frozenset(("code", "localspluskinds", "linetable", "exceptiontable"))
_NAMES = frozenset(("names", "varnames", "freevars", "cellvars", "localsplusnames"))
_TEXTS = frozenset(("filename", "name", "qualname"))

#: Bits of `co_flags` (CPython `Include/cpython/code.h`): an argument `*args`, an argument `**kwargs`.
_VARARGS = 0x4
_VARKEYWORDS = 0x8
#: CPython `Include/internal/pycore_code.h`, `CO_FAST_LOCAL`.
_FAST_LOCAL = 0x20


class CodeBuilder:
    """Builds the code objects of one file."""

    def __init__(self, *, texts_are_bytes: bool) -> None:
        self._text_type = bytes if texts_are_bytes else str
        #: Many code objects may share one long tuple, which is judged once. The tuple as it was
        #: read is kept too, lest another one gets its id.
        self._names: dict[int, tuple[Value, Value]] = {}
        #: The same of the kinds of variables, with the number of local ones.
        self._local_counts: dict[int, tuple[bytes, int]] = {}

    def build(self, integers: dict[str, int], objects: dict[str, Value]) -> Code:
        """Check the fields, and give texts one type.

        Raises `ValueError` with a reason where no interpreter makes a code object of them (CPython
        `Objects/codeobject.c`, `_PyCode_Validate`).
        """
        for field, number in integers.items():
            # A line may be any: CPython itself writes 0 and, for generated code, negative ones.
            if number < 0 and field != "firstlineno":
                raise ValueError(f"negative {field}")
        fields = {**integers, **{field: self._read(field, objects[field]) for field in objects}}
        if "localspluskinds" in fields:
            _check_locals(fields["localsplusnames"], fields["localspluskinds"])
        self._check_arguments(fields)
        return Code(fields)

    def _read(self, field: str, value: Value) -> Value:
        if field in _NAMES and type(value) is tuple:
            return self._names_of(field, value)
        if field in _TEXTS and type(value) is self._text_type:
            text = _text(value)
            if field == "filename" and "\0" in text:  # PyPy refuses it, and no file is named so
                raise ValueError("NUL in filename")
            return text
        expected = bytes if field in _BYTES else tuple if field == "consts" else None
        if type(value) is not expected:
            raise ValueError(f"{field} of the wrong type")
        return value

    def _check_arguments(self, fields: dict[str, Any]) -> None:
        """Raise `ValueError` where there are more arguments than names for them."""
        if fields.get("posonlyargcount", 0) > fields["argcount"]:
            raise ValueError("more positional-only arguments than arguments")
        flags = fields["flags"]
        arguments = fields["argcount"] + fields.get("kwonlyargcount", 0)
        arguments += bool(flags & _VARARGS) + bool(flags & _VARKEYWORDS)
        if "localspluskinds" in fields:
            names = self._count_locals(fields["localspluskinds"])
            if len(fields["code"]) % 2:
                raise ValueError("half an instruction at the end of code")
        else:
            names = len(fields["varnames"])
        if arguments > names:
            raise ValueError("more arguments than names of variables")

    def _count_locals(self, kinds: bytes) -> int:
        if id(kinds) not in self._local_counts:
            count = sum(kind & _FAST_LOCAL != 0 for kind in kinds)
            self._local_counts[id(kinds)] = kinds, count
        return self._local_counts[id(kinds)][1]

    def _names_of(self, field: str, names: tuple[Any, ...]) -> Value:
        if id(names) not in self._names:
            if any(type(name) is not self._text_type for name in names):
                raise ValueError(f"{field} of the wrong type")
            self._names[id(names)] = names, tuple([_text(name) for name in names])
        return self._names[id(names)][1]


def _text(value: Value) -> str:
    return (
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else cast(str, value)
    )


def _check_locals(names: Value, kinds: Value) -> None:
    assert isinstance(names, tuple)
    assert isinstance(kinds, bytes)
    if len(names) != len(kinds):
        raise ValueError("localsplusnames and localspluskinds of different lengths")
