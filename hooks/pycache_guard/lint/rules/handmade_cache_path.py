"""PYC431: a path in `__pycache__` is put together by hand."""

from __future__ import annotations

import ast
import re

from pycache_guard.findings import Rule
from pycache_guard.lint.hit import Hit
from pycache_guard.lint.paths import pieces
from pycache_guard.lint.paths import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC431
REMEDY = "ask importlib.util.cache_from_source(path)"
MARKS = ("__pycache__",)

BUILDS = (ast.BinOp, ast.JoinedStr, ast.Call)
CACHE = re.compile(r"(?:^|[/\\\0])__pycache__[/\\]([^/\\]*)$", re.IGNORECASE)


def check(module: Module) -> Iterator[Hit]:
    """Find the outermost expression that builds a path of bytecode in `__pycache__`."""
    for kind in BUILDS:
        for node in module.all(kind):
            if is_cache_file(shown(pieces(module, node))) and not is_part(module, node):
                yield Hit(
                    node,
                    "a path in __pycache__ is built by hand; the tag, the optimisation level"
                    " and sys.pycache_prefix decide where bytecode is",
                )


def is_part(module: Module, node: ast.expr) -> bool:
    """Whether a path that is built around `node` will be told instead."""
    return any(
        isinstance(parent, BUILDS) and is_cache_file(shown(pieces(module, parent)))
        for parent, _ in module.above(node)
    )


def is_cache_file(path: str) -> bool:
    """Whether a path with NULs for what is not known is that of bytecode in `__pycache__`.

    A pattern to search for is none, nor is one without anything unknown: a fixture's name.
    """
    found = CACHE.search(path)
    return (
        found is not None
        and "\0" in path
        and "*" not in found[1]
        and found[1].lower().endswith((".pyc", ".pyo"))
    )
