"""The code objects of a file with their qualified names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.code_object import Code, Container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.code_object import Value

#: Characters of one name, and of a qualified name; a file can nest long names.
MAX_NAME_CHARS = 80
MAX_QUALIFIED_CHARS = 300


class Scope(NamedTuple):
    """A code object, and where it stands."""

    #: `<module>`, `f`, `C.f`, `f.<lambda>`: the names of the enclosing code objects, without the module.
    name: str
    code: Code


def walk_scopes(code: Code) -> Iterator[Scope]:
    """Yield every code object in the tree of `code` once, itself first, in the order of the file."""
    seen: set[int] = set()
    pending: list[tuple[str, Value]] = [("", code)]
    while pending:
        outer, value = pending.pop()
        if not isinstance(value, tuple) or id(value) in seen:
            continue
        seen.add(id(value))
        inner = outer
        if isinstance(value, Code):
            name = qualify(outer, value.name)
            yield Scope(name, value)
            inner = "" if value is code else name
            parts = value.consts
        else:
            parts = value.items if isinstance(value, Container) else value
        pending.extend((inner, part) for part in reversed(parts) if isinstance(part, tuple))


def qualify(outer: str, name: str) -> str:
    """Return the qualified name of `name` in `outer`, an empty string for the module; long ones are cut."""
    if len(name) > MAX_NAME_CHARS:
        name = f"{name[:MAX_NAME_CHARS]}…"
    whole = f"{outer}.{name}" if outer else name
    return whole if len(whole) <= MAX_QUALIFIED_CHARS else f"…{whole[-MAX_QUALIFIED_CHARS:]}"
