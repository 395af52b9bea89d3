"""The tree of code objects, shortened for display."""

from __future__ import annotations

from typing import cast

from pycache_guard.bytecode.code_object import Code
from pycache_guard.bytecode.code_object import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.code_object import Value

#: Characters of a text, items of a collection, levels of nesting, bits of a number.
MAX_REPR_CHARS = 40
MAX_ITEMS = 4
MAX_DEPTH = 4
_BITS = 1024


def walk_code(code: Code) -> Iterator[tuple[int, Code]]:
    """Yield each code object once, with its depth, in the order of the file."""
    seen: set[int] = set()
    pending: list[tuple[int, Value]] = [(0, code)]
    while pending:
        depth, value = pending.pop()
        if id(value) in seen or not isinstance(value, tuple):
            continue
        seen.add(id(value))
        parts = value.items if isinstance(value, Container) else value
        if isinstance(value, Code):
            yield depth, value
            parts, depth = value.consts, depth + 1
        pending.extend((depth, part) for part in reversed(cast("tuple[Value, ...]", parts)))


def names(code: Code) -> tuple[str, ...]:
    """Return the names that the code uses: globals and attributes."""
    return cast("tuple[str, ...]", code.fields["names"])


def constants(code: Code) -> list[str]:
    """Return the constants, code objects left out."""
    return [short_repr(value) for value in code.consts if not isinstance(value, Code)]


def short_repr(value: Value, depth: int = 0) -> str:
    """Return the repr of a constant, shortened if it is long or deep."""
    if isinstance(value, str | bytes):
        return repr(value) if len(value) <= MAX_REPR_CHARS else f"{value[:MAX_REPR_CHARS]!r}…"
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"<int of {value.bit_length()} bits>"
    if isinstance(value, Code):
        return f"<code {value.name}>"
    if not isinstance(value, tuple):
        return repr(value)
    if isinstance(value, Container):
        return _write_collection(value.kind, value.items, depth)
    return _write_collection("tuple", cast("tuple[Value, ...]", value), depth)


#: The brackets of a collection, and the text of an empty one.
_BRACKETS = {
    "tuple": ("(", ")", "()"),
    "list": ("[", "]", "[]"),
    "set": ("{", "}", "set()"),
    "frozenset": ("frozenset({", "})", "frozenset()"),
    "dict": ("{", "}", "{}"),
    "frozendict": ("frozendict({", "})", "frozendict()"),
    "slice": ("slice(", ")", "slice()"),
}


def _write_collection(kind: str, items: tuple[Value, ...], depth: int) -> str:
    step = 2 if kind in ("dict", "frozendict") else 1
    if depth == MAX_DEPTH:
        return f"<{kind} of {len(items) // step}>"
    written = [short_repr(item, depth + 1) for item in items[: step * MAX_ITEMS]]
    if step == 2:
        written = [": ".join(written[at : at + 2]) for at in range(0, len(written), 2)]
    if len(items) > step * MAX_ITEMS:
        written.append("…")
    opening, closing, empty = _BRACKETS[kind]
    if not items:
        return empty
    comma = "," if kind == "tuple" and len(items) == 1 else ""
    return f"{opening}{', '.join(written)}{comma}{closing}"
