"""Whether two trees of code are the same program, and where they part.

The same source gives different bytes from run to run: marshal's references depend on reference
counts, interning on luck, the order of frozensets on a hash seed. So trees are compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import NamedTuple
from typing import cast

from pycache_guard.bytecode.canonical import Numbers
from pycache_guard.bytecode.canonical import is_set
from pycache_guard.bytecode.code_tree import Code
from pycache_guard.bytecode.code_tree import Collection
from pycache_guard.bytecode.code_tree import Value

#: Fields that are not compared by `==`.
_APART = frozenset({"consts", "filename", "linetable"})


class Difference(NamedTuple):
    """Where two trees part first."""

    #: The names of the code objects on the way, `<module>` first.
    path: tuple[str, ...]
    #: Of the innermost one, `consts[3]` for instance.
    field: str
    #: Whether nothing but line tables differ, in the whole tree. That alone changes no behaviour,
    #: and patch levels of one magic do it.
    only_lines: bool


def difference(expected: Code, found: Code) -> Difference | None:
    """Compare two trees of one era; `None` when they are the same.

    Constants are the same when their types are, floats and complex by their bits, sets in any
    order. Every field counts. `filename` may be any text, and the same in all code objects of
    `found`, as every compiler writes it: import overwrites only those that bear the name of the
    module's code (CPython `Python/import.c`, `update_code_filenames`), and `inspect`, `linecache`
    and warnings go by the others.
    """
    return _Comparison(found.filename).run(expected, found)


class _Scope(NamedTuple):
    """A code object by its name, and the one around it."""

    name: str
    outer: _Scope | None


def _path(scope: _Scope | None) -> tuple[str, ...]:
    names = []
    while scope is not None:
        names.append(scope.name)
        scope = scope.outer
    return tuple(reversed(names))


class _Comparison:
    def __init__(self, filename: str) -> None:
        #: What every code object found must bear.
        self._filename = filename
        self._numbers = Numbers()
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
            if not isinstance(ours, tuple) or not self._unite(ours, theirs):
                continue
            indexes: Iterable[int] = itertools.repeat(index)
            if isinstance(ours, Code):
                scope = _Scope(ours.name, scope)
                indexes = itertools.count()
                field = self._first_field(ours, cast(Code, theirs))
                if field == "linetable":
                    lines = lines or scope
                elif field is not None:
                    return Difference(_path(scope), field, only_lines=False)
            triples = zip(indexes, _parts(ours), _parts(theirs), strict=False)
            pending.extend(reversed([(scope, *triple) for triple in triples]))
        return lines and Difference(_path(lines), "linetable", only_lines=True)

    def _first_field(self, ours: Code, theirs: Code) -> str | None:
        """Return the first field that differs in itself, the line table last."""
        for field, value in ours.fields.items():
            # Ints, texts, and tuples of texts: the reader has checked their types.
            if field not in _APART and value != theirs.fields[field]:
                return field
        if len(ours.consts) != len(theirs.consts):
            return "consts"
        if theirs.fields.get("filename") != self._filename:
            return "filename"
        same_lines = ours.fields.get("linetable") == theirs.fields.get("linetable")
        return None if same_lines else "linetable"

    def _differ(self, ours: Value, theirs: Value) -> bool:
        """Whether two values differ in themselves, whatever their parts."""
        if type(ours) is not type(theirs):
            return True
        if isinstance(ours, float | complex) or is_set(ours):
            return self._numbers.of(ours) != self._numbers.of(theirs)
        if isinstance(ours, Collection) and ours.kind != cast(Collection, theirs).kind:
            return True
        if isinstance(ours, Code):
            return False
        if isinstance(ours, tuple):
            return len(_parts(ours)) != len(_parts(theirs))
        return ours != theirs

    def _unite(self, ours: Value, theirs: Value) -> bool:
        """Note that two values are the same; `False` when that was known or supposed already.

        What was supposed is proved when the walk ends without a difference (Hopcroft and Karp).
        """
        first, second = self._root(id(ours)), self._root(id(theirs))
        self._same[first] = second
        return first != second

    def _root(self, identity: int) -> int:
        while (above := self._same.get(identity, identity)) != identity:
            self._same[identity] = self._same.get(above, above)
            identity = above
        return identity


def _parts(value: Value) -> tuple[Value, ...]:
    """Name the values to compare one by one: a set's are not, they have no order."""
    if isinstance(value, Code):
        return value.consts
    if isinstance(value, Collection):
        return () if is_set(value) else value.items
    return cast("tuple[Value, ...]", value)
