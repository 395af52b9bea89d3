"""PYC433: an interface for bytecode that was removed in newer Python versions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import is_fallback
from pycache_guard.lint.module import Violation, find_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC433
FIX_HINT = "use MAGIC_NUMBER, cache_from_source, source_from_cache of importlib.util, sys.implementation.cache_tag"
TRIGGER_WORDS = (
    (
        "get_magic",
        "get_tag",
        "cache_from_source",
        "source_from_cache",
        "_bootstrap",
        "py_compile",
        "BYTECODE_SUFFIXES",
    ),
    (
        "get_magic",
        "get_tag",
        "cache_from_source",
        "source_from_cache",
        "MAGIC",
        "wr_long",
        "BYTECODE_SUFFIXES",
    ),
)

IMP = "was removed with imp in Python 3.12"
MOVED = "was removed in Python 3.5"
GONE = {
    "imp.get_magic": IMP,
    "imp.get_tag": IMP,
    "imp.cache_from_source": IMP,
    "imp.source_from_cache": IMP,
    "py_compile.MAGIC": "was removed in Python 3.4",
    "py_compile.wr_long": "was removed in Python 3.4",
    "importlib._bootstrap.MAGIC_NUMBER": MOVED,
    "importlib._bootstrap._MAGIC_NUMBER": MOVED,
    "importlib._bootstrap._MAGIC_BYTES": MOVED,
    "importlib._bootstrap.cache_from_source": MOVED,
    "importlib._bootstrap.source_from_cache": MOVED,
    "importlib.machinery.DEBUG_BYTECODE_SUFFIXES": "is deprecated since Python 3.5: BYTECODE_SUFFIXES",
    "importlib.machinery.OPTIMIZED_BYTECODE_SUFFIXES": "is deprecated since Python 3.5: BYTECODE_SUFFIXES",
}
#: What an attribute must be to be one of them.
LAST_NAMES = frozenset(name.rpartition(".")[2] for name in GONE)


def check(module: Module) -> Iterator[Violation]:
    """Find uses of removed interfaces, except next to their replacement or where they may be missing."""
    nodes: list[ast.Attribute | ast.Name]
    nodes = [node for node in module.all(ast.Attribute) if node.attr in LAST_NAMES]
    for node in [*nodes, *module.all(ast.Name)]:
        origins = module.qualified_names(node)
        gone = origins <= GONE.keys() and isinstance(node.ctx, ast.Load)
        if origins and gone and not is_optional(module, node):
            name = min(origins)
            yield Violation(node, f"{name} {GONE[name]}")
    for call in module.calls({"importlib.util.cache_from_source"}):
        given = find_argument(call, 1, "debug_override")
        if given is not None and not (is_parameter(module, given) or is_optional(module, call)):
            yield Violation(
                call,
                "debug_override of cache_from_source is deprecated since Python 3.5: optimization",
            )


def is_parameter(module: Module, node: ast.expr) -> bool:
    """Return whether `node` is passed through by a function that replaces another."""
    bindings = module.scope(node).lookup(node.id) if isinstance(node, ast.Name) else None
    return any(isinstance(binding.node, ast.arg) for binding in bindings or [])


def is_optional(module: Module, node: ast.expr) -> bool:
    """Return whether `node`, or the import of what it begins with, is for old versions only."""
    if is_fallback(module, node):
        return True
    base: ast.AST = node
    while isinstance(base, (ast.Attribute, ast.Call)):
        base = base.value if isinstance(base, ast.Attribute) else base.func
    bindings = module.scope(base).lookup(base.id) if isinstance(base, ast.Name) else None
    return any(is_fallback(module, binding.node) for binding in bindings or [])
