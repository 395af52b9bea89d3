"""Values that come from `marshal`."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.lint.module import Module

LOAD = "marshal.load"
LOADS = "marshal.loads"


def is_unmarshalled(module: Module, node: ast.expr, hops: int = 4) -> bool:
    """Whether `node` is, or is named after, what `marshal` has read."""
    if module.is_call(node, {LOAD, LOADS}):
        return True
    if isinstance(node, ast.Name) and hops:
        bindings = module.scope(node).lookup(node.id) or []
        return any(
            is_unmarshalled(module, binding.value, hops - 1)
            for binding in bindings
            if binding.value is not None and not binding.each
        )
    return False
