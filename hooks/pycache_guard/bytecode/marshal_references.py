"""What `r` refers to: objects that were read before in the same data (marshal version 3 and on)."""

from __future__ import annotations

from pycache_guard.bytecode.code_tree import Value
from pycache_guard.bytecode.marshal_leaves import MarshalError


class References:
    """Objects whose types bore FLAG_REF, numbered as the types are met."""

    def __init__(self) -> None:
        self._values: list[Value | _Reserved] = []
        #: Number → how many objects it holds, where it does.
        self.weights: dict[int, int] = {}

    def add(self, value: Value) -> None:
        """Give the next number to an object without parts."""
        self._values.append(value)

    def reserve(self, kind: str) -> int:
        """Give the next number to an object whose parts are still to come."""
        self._values.append(_Reserved(kind))
        return len(self._values) - 1

    def fill(self, number: int, value: Value, weight: int) -> None:
        """Give a reserved number its object, which holds `weight` others."""
        self._values[number] = value
        if weight:
            self.weights[number] = weight

    def resolve(self, number: int, offset: int) -> Value:
        """Give the object of `number`. Raises `MarshalError`, at `offset`."""
        if not 0 <= number < len(self._values):
            raise MarshalError(offset, "bad marshal data (invalid reference)")
        value = self._values[number]
        # CPython makes lists and dicts of this, and crashes over tuples before 3.16 (gh-148653).
        # No compiler writes any.
        if isinstance(value, _Reserved):
            raise MarshalError(offset, f"reference to the {value.kind} that it stands in")
        return value


class _Reserved:
    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind
