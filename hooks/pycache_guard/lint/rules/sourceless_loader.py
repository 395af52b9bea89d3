"""PYC403: a loader runs bytecode without source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC403
FIX_HINT = "load the source: importlib.machinery.SourceFileLoader(name, path)"
TRIGGER_WORDS = (("SourcelessFileLoader", "load_compiled", "PY_COMPILED"),)

LOADERS = frozenset(
    {
        "importlib.machinery.SourcelessFileLoader",
        "importlib._bootstrap.SourcelessFileLoader",
        "importlib._bootstrap_external.SourcelessFileLoader",
        "_frozen_importlib_external.SourcelessFileLoader",
        "imp.load_compiled",
    }
)


def check(module: Module) -> Iterator[Violation]:
    """Find calls of such loaders, and finders that get one."""
    for call in module.calls(LOADERS):
        yield Violation(
            call, "bytecode is loaded without its source, and only its magic number is checked"
        )
    for details in module.all(ast.Tuple):
        if is_argument(module, details) and not module.qualified_names(details.elts[0]).isdisjoint(
            LOADERS
        ):
            yield Violation(details, "a finder gets a loader for bytecode without source")
    for call in module.calls({"imp.load_module"}):
        if any("imp.PY_COMPILED" in module.qualified_names(node) for node in ast.walk(call)):
            yield Violation(
                call, "bytecode is loaded without its source, and only its magic number is checked"
            )


def is_argument(module: Module, node: ast.Tuple) -> bool:
    """Return whether a tuple of loader details `(loader, suffixes)` is given to a call or put in a list."""
    return len(node.elts) == 2 and isinstance(
        module.parent(node), (ast.Call, ast.List, ast.Starred)
    )
