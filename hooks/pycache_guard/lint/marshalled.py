"""Recognize values that come from `marshal`, for the rules about loading code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycache_guard.lint.module import Module
    from pycache_guard.lint.scopes import Binding

LOAD = "marshal.load"
LOADS = "marshal.loads"


def comes_from_marshal(module: Module, node: ast.expr, hops: int = 4) -> bool:
    """Return whether `node` is a value that `marshal` has read, or a name of one."""
    if module.is_call(node, {LOAD, LOADS}):
        return True
    if isinstance(node, ast.Name) and hops:
        return is_any_unmarshalled(module, module.scope(node).lookup(node.id) or [], hops - 1)
    return False


def is_any_unmarshalled(module: Module, bindings: list[Binding], hops: int) -> bool:
    """Return whether a binding of a name is such a value; each list of bindings is followed once."""
    if not bindings:
        return False
    known: dict[tuple[int, int], bool]
    known = module.memory.setdefault(is_any_unmarshalled, {})  # type: ignore[assignment]
    key = (id(bindings), hops)  # the scopes keep the lists alive
    if key not in known:
        known[key] = any(
            comes_from_marshal(module, binding.value, hops)
            for binding in bindings
            if binding.value is not None and not binding.is_iteration
        )
    return known[key]
