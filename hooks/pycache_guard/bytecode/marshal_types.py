"""The type codes of marshal whose objects have parts, or are alone of their type.

Source: CPython `Python/marshal.c`.
"""

from __future__ import annotations

from pycache_guard.bytecode.code_tree import Value

#: Set in a type whose object `REFERENCE` may refer to.
FLAG_REF = 0x80
NULL = ord("0")
REFERENCE = ord("r")
SMALL_TUPLE = ord(")")
SINGLETONS: dict[int, Value] = {
    ord("N"): None,
    ord("F"): False,
    ord("T"): True,
    ord("S"): StopIteration,
    ord("."): ...,
}
KINDS = {
    ord("("): "tuple",
    ord(")"): "tuple",
    ord("["): "list",
    ord("<"): "set",
    ord(">"): "frozenset",
    ord("{"): "dict",
    ord("}"): "frozendict",
    ord(":"): "slice",
    ord("c"): "code",
}
#: What a NULL ends.
DICTS = ("dict", "frozendict")
