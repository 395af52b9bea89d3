"""PYC421: importing a module changes how the whole process treats bytecode."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint import paths
from pycache_guard.lint.context import is_main_guard, is_script
from pycache_guard.lint.module import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC421
FIX_HINT = "set it where the program starts, or run `python -B` (PYTHONDONTWRITEBYTECODE=1)"
TRIGGER_WORDS = (("dont_write_bytecode", "pycache_prefix", "cache_tag", "check_hash_based_pycs"),)

SWITCHES = frozenset(
    {
        "sys.dont_write_bytecode",
        "sys.pycache_prefix",
        "sys.implementation.cache_tag",
        "_imp.check_hash_based_pycs",
    }
)


def check(module: Module) -> Iterator[Violation]:
    """Find assignments that are made when an importable module is imported.

    Not those of a script, which starts the process; nor of a module that keeps the old
    value, which will put it back.
    """
    found = [*find_assignments(module)]
    if not found or is_script(module):
        return
    kept = set(find_saved_switches(module))
    for switch, node in found:
        if switch not in kept and is_run_at_import(module, node):
            yield Violation(node, f"importing this module sets {switch} for the whole process")


def find_assignments(module: Module) -> Iterator[tuple[str, ast.stmt | ast.expr]]:
    """Yield each switch with the statement or `setattr` that sets it."""
    for node in module.all(ast.Attribute):
        parent = module.parent(node)
        if isinstance(node.ctx, ast.Store) and isinstance(parent, (ast.Assign, ast.AnnAssign)):
            for switch in module.qualified_names(node) & SWITCHES:
                yield switch, parent
    for call in module.calls({"builtins.setattr"}):
        if len(call.args) == 3:
            name = paths.read_literal(getattr(call.args[1], "value", None))[0]
            for base in module.qualified_names(call.args[0]):
                if f"{base}.{name}" in SWITCHES:
                    yield f"{base}.{name}", call


def find_saved_switches(module: Module) -> Iterator[str]:
    """Yield each switch whose value is kept in a variable."""
    for node in module.all(ast.Attribute):
        kept = isinstance(module.parent(node), (ast.Assign, ast.AnnAssign, ast.Tuple))
        if kept and isinstance(node.ctx, ast.Load):
            yield from module.qualified_names(node) & SWITCHES


def is_run_at_import(module: Module, node: ast.AST) -> bool:
    """Return whether `node` is run when the module is imported."""
    return not any(
        isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        or (isinstance(parent, ast.If) and is_main_guard(parent.test))
        for parent, _ in module.ancestors(node)
    )
