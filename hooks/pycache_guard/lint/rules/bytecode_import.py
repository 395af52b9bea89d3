"""PYC404: a bytecode file is imported by its path."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation, find_argument
from pycache_guard.lint.paths import BYTECODE_WORDS, is_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC404
FIX_HINT = "pass the source path to importlib.util.spec_from_file_location"
TRIGGER_WORDS = (
    BYTECODE_WORDS,
    ("spec_from_file_location", "SourceFileLoader", "load_source", "load_module", "run_path"),
)

#: Calls that run a file: position and name of the path among their arguments.
IMPORTS = {
    "importlib.util.spec_from_file_location": (1, "location"),
    "importlib.machinery.SourceFileLoader": (1, "path"),
    "imp.load_source": (1, "pathname"),
    "imp.load_module": (2, "pathname"),
    "runpy.run_path": (0, "path_name"),
}
MESSAGE = "bytecode is imported by its path: it runs even if its source differs, on one Python version only"


def check(module: Module) -> Iterator[Violation]:
    """Find `spec_from_file_location(name, "x.pyc")` and its like, also through a function."""
    for call in module.calls(IMPORTS):
        origin = min(module.qualified_names(call.func) & IMPORTS.keys())
        path = find_argument(call, *IMPORTS[origin])
        if path is None:
            continue
        if is_bytecode(module, path):
            yield Violation(call, MESSAGE)
        elif isinstance(path, ast.Name):
            yield from _calls_passing_bytecode(module, path)


def _calls_passing_bytecode(module: Module, path: ast.Name) -> Iterator[Violation]:
    """Find what hands bytecode to the function whose parameter `path` is."""
    function = module.scope(path).node
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    names = [parameter.arg for parameter in (*function.args.posonlyargs, *function.args.args)]
    if path.id not in names:
        return
    for call in calls_by_name(module).get(function.name, []):
        bindings = module.scope(call.func).lookup(function.name) or []
        given = find_argument(call, names.index(path.id), path.id)
        is_own = len(bindings) == 1 and bindings[0].node is function
        if is_own and is_bytecode(module, given):
            yield Violation(call, MESSAGE)


def calls_by_name(module: Module) -> dict[str, list[ast.Call]]:
    """Return the calls of plain names, by name; the module is searched once."""
    found: dict[str, list[ast.Call]] | None
    found = module.memory.get(calls_by_name)  # type: ignore[assignment]
    if found is None:
        found = {}
        module.memory[calls_by_name] = found
        for call in module.all(ast.Call):
            if isinstance(call.func, ast.Name):
                found.setdefault(call.func.id, []).append(call)
    return found
