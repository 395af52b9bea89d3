"""PYC436: `__cached__`, which modules no longer have."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import is_fallback
from pycache_guard.lint.module import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC436
FIX_HINT = "read module.__spec__.cached"
TRIGGER_WORDS = (("__cached__",),)

MESSAGE = "__cached__ is deprecated since Python 3.13, and modules do not have it since 3.15"


def check(module: Module) -> Iterator[Violation]:
    """Find `module.__cached__` and the `__cached__` of a module itself, without a fallback."""
    for node in module.all(ast.Attribute):
        if (
            node.attr == "__cached__"
            and not _is_self_attribute(node.value)
            and not is_fallback(module, node)
        ):
            yield Violation(node, MESSAGE)
    for name in module.all(ast.Name):
        # Where nothing binds it, `qualified_names` takes it for a builtin.
        if (
            name.id == "__cached__"
            and "builtins.__cached__" in module.qualified_names(name, 0)
            and not is_fallback(module, name)
        ):
            yield Violation(name, MESSAGE)


def _is_self_attribute(node: ast.expr) -> bool:
    """Return whether `node` is an object of some class that has an attribute of this name."""
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
