"""PYC431: a path in `__pycache__` is built by hand."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import position_of
from pycache_guard.lint.module import Violation
from pycache_guard.lint.paths import MAX_PATH_DEPTH, render_parts, string_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC431
FIX_HINT = "use importlib.util.cache_from_source(path)"
TRIGGER_WORDS = (("__pycache__",),)

BUILDS = (ast.BinOp, ast.JoinedStr, ast.Call)
CACHE = re.compile(r"(?:^|[/\\\0])__pycache__[/\\]([^/\\]*)$", re.IGNORECASE)


def check(module: Module) -> Iterator[Violation]:
    """Find the expression that completes a path of bytecode in `__pycache__`.

    One path is one finding: what only passes it on, or changes its form, is not another, nor is one
    that continues the same `__pycache__`, as with several suffixes after one stem.
    """
    found = [
        node
        for kind in BUILDS
        for node in module.all(kind)
        if builds_cache_file(module, node) and not has_whole_part(module, node)
    ]
    seen: set[ast.expr | None] = set()
    for node in sorted(found, key=position_of):
        start = find_literal(module, node)
        if start is None or start not in seen:
            seen.add(start)
            yield Violation(
                node,
                "a path in __pycache__ is built by hand, but the tag, the optimization level"
                " and sys.pycache_prefix decide where Python puts bytecode",
            )


def find_literal(module: Module, node: ast.expr, depth: int = MAX_PATH_DEPTH) -> ast.expr | None:
    """Return the literal with the `__pycache__` of a path, `None` if it is not found."""
    node = module.value(node)
    if isinstance(node, ast.Constant) or not depth:
        value = node.value if isinstance(node, ast.Constant) else None
        return node if isinstance(value, str) and "__pycache__" in value else None
    found = (find_literal(module, part, depth - 1) for part in iter_parts(node))
    return next((start for start in found if start is not None), None)


def builds_cache_file(module: Module, node: ast.expr) -> bool:
    """Return whether `node` builds the path of bytecode in `__pycache__`."""
    return is_cache_file(render_parts(string_parts(module, node)))


def has_whole_part(module: Module, node: ast.expr) -> bool:
    """Return whether a part of `node`, or a name in it, is such a path already."""
    return any(builds_cache_file(module, part) for part in iter_parts(node))


def iter_parts(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the operands, arguments, values or receiver of which `node` makes a path."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Attribute, ast.FormattedValue, ast.Starred)):
            yield child.value
        elif isinstance(child, ast.Tuple):
            yield from child.elts
        elif isinstance(child, ast.expr):
            yield child


def is_cache_file(path: str) -> bool:
    """Return whether a path, with NUL for unknown pieces, is that of bytecode in `__pycache__`.

    A pattern to search for is none, nor is one without anything unknown: a fixture's name.
    """
    found = CACHE.search(path)
    return (
        found is not None
        and "\0" in path
        and "*" not in found[1]
        and found[1].lower().endswith((".pyc", ".pyo"))
    )
