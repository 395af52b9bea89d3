"""How each era marshals a code object, and which types its marshal knows.

Sources: CPython `Python/marshal.c` (`w_complex_object`, `r_object`) of each release; PyPy
`pypy/interpreter/pycode.py` and `pypy/objspace/std/marshal_impl.py`.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from pycache_guard.bytecode.magic import Magic
from pycache_guard.bytecode.magic_numbers import NEWEST_CPYTHON


class Layout(NamedTuple):
    """The fields of a code object, in the order of the file."""

    #: Whether integer fields take 2 bytes, not 4.
    has_shorts: bool
    integers: tuple[str, ...]
    objects: tuple[str, ...]
    #: Behind the integer `firstlineno`; where there are none, there is no such integer either.
    tail: tuple[str, ...]


class Dialect(NamedTuple):
    """One era of marshal."""

    #: The codes of types that may be read.
    types: frozenset[int]
    #: Bit 7 of a type makes an object one that `r` may refer to.
    has_flag_ref: bool
    #: Names are `s` and `t`, and `t` adds to the texts that `R` refers to.
    texts_are_bytes: bool
    layout: Layout


_1_3 = Layout(
    True,
    ("argcount", "nlocals", "flags"),
    ("code", "consts", "names", "varnames", "filename", "name"),
    (),
)
_1_5 = _1_3._replace(
    integers=("argcount", "nlocals", "stacksize", "flags"),
    tail=("linetable",),
)
_2_1 = _1_5._replace(
    objects=("code", "consts", "names", "varnames", "freevars", "cellvars", "filename", "name"),
)
_2_3 = _2_1._replace(has_shorts=False)
_3_0 = _2_3._replace(integers=("argcount", "kwonlyargcount", "nlocals", "stacksize", "flags"))
# PEP 570.
_3_8 = _3_0._replace(
    integers=("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags"),
)
_3_11 = Layout(
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
_PYPY_416 = _3_8._replace(objects=(*_3_8.objects, "qualname"))
_PYPY_432 = _PYPY_416._replace(tail=("linetable", "exceptiontable"))

_TYPES_3_0 = frozenset(b"0NFTS.iIlfxgysu([<>{c")
_TYPES_2 = _TYPES_3_0 | frozenset(b"tR")
_TYPES_3_4 = _TYPES_3_0 | frozenset(b"taAzZ)r")
_TYPES_3_14 = _TYPES_3_4 | frozenset(b":")
_TYPES_3_15 = _TYPES_3_14 | frozenset(b"}")

#: Implementation, its magic numbers, their dialect. Missing: pre-releases in between whose layout
#: changed with every step, formats that are not CPython's marshal, and every CPython after the last
#: that has a row in `magic_numbers`: nobody has looked whether its layout is still the last one here.
_ROWS = (
    ("CPython", range(11913, 11914), Dialect(_TYPES_2, False, True, _1_3)),
    ("CPython", range(5892, 5893), Dialect(_TYPES_2, False, True, _1_3)),
    ("CPython", range(20121, 20122), Dialect(_TYPES_2, False, True, _1_5)),
    ("CPython", range(50428, 50825), Dialect(_TYPES_2, False, True, _1_5)),
    ("CPython", range(60202, 60719), Dialect(_TYPES_2, False, True, _2_1)),
    ("CPython", range(62011, 62213), Dialect(_TYPES_2, False, True, _2_3)),
    ("CPython", range(3030, 3250), Dialect(_TYPES_3_0, False, False, _3_0)),
    ("CPython", range(3250, 3410), Dialect(_TYPES_3_4, True, False, _3_0)),
    ("CPython", range(3410, 3450), Dialect(_TYPES_3_4, True, False, _3_8)),
    ("CPython", range(3460, 3600), Dialect(_TYPES_3_4, True, False, _3_11)),
    ("CPython", range(3600, 3650), Dialect(_TYPES_3_14, True, False, _3_11)),
    ("CPython", range(3650, NEWEST_CPYTHON + 1), Dialect(_TYPES_3_15, True, False, _3_11)),
    ("PyPy", range(62218, 62219), Dialect(_TYPES_2, False, True, _2_3)),
    ("PyPy", range(48, 49), Dialect(_TYPES_2, False, True, _3_0)),
    ("PyPy", range(112, 256), Dialect(_TYPES_3_4, True, False, _3_0)),
    ("PyPy", range(256, 416), Dialect(_TYPES_3_4, True, False, _3_8)),
    ("PyPy", range(416, 432), Dialect(_TYPES_3_4, True, False, _PYPY_416)),
    ("PyPy", range(432, 448), Dialect(_TYPES_3_4, True, False, _PYPY_432)),
)


@functools.lru_cache(maxsize=64)
def dialect_of(magic: Magic) -> Dialect | None:
    """Tell how the code behind `magic` is to be read; `None` where we do not know."""
    for implementation, numbers, dialect in _ROWS:
        if magic.implementation == implementation and magic.number in numbers:
            return dialect
    return None
