"""PYC432: a program deletes bytecode while it runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import find_conditions, is_one_shot
from pycache_guard.lint.module import Violation, find_receiver
from pycache_guard.lint.paths import (
    BYTECODE,
    BYTECODE_ENDS,
    BYTECODE_WORDS,
    CACHES,
    IDENTITY_CALLS,
    JOINS,
    MAX_PATH_DEPTH,
    SAME_METHODS,
    is_bytecode,
    render_parts,
    string_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC432
FIX_HINT = "run `pycache-guard clean`, or write no bytecode: `python -B`"
TRIGGER_WORDS = (
    ("__pycache__", *BYTECODE_WORDS),
    ("rmtree", "remove", "unlink", "rmdir"),
    BYTECODE_ENDS,
)

DELETIONS = frozenset({"shutil.rmtree", "os.remove", "os.unlink", "os.rmdir", "os.removedirs"})
#: Methods of `pathlib.Path`.
METHODS = frozenset({"unlink", "rmdir"})


def check(module: Module) -> Iterator[Violation]:
    """Find deletions of paths that are certainly bytecode.

    A path that was asked for, `cache_from_source(path)`, is the cache of exactly that source, and is
    no finding. Nor is anything in a test or a step of a build: nobody imports while it runs.
    """
    if is_one_shot(module):
        return
    for call in module.all(ast.Call):
        path = find_deleted_path(module, call)
        if path is None or is_returned_cache(module, path):
            continue
        if is_caches(module, path) or is_narrowed(module, call, path):
            yield Violation(
                call,
                "bytecode is deleted at run time, tracked files and files without source included,"
                " and imports that run at the same time can fail",
            )


def find_deleted_path(module: Module, call: ast.Call) -> ast.expr | None:
    """Return the path that `call` deletes, if it deletes one."""
    if call.args and not module.qualified_names(call.func).isdisjoint(DELETIONS):
        return call.args[0]
    return find_receiver(call, METHODS)


def is_returned_cache(module: Module, path: ast.expr) -> bool:
    """Return whether `path` is what `cache_from_source` returned, perhaps in another form."""
    for _ in range(MAX_PATH_DEPTH):
        path = module.value(path)
        if not isinstance(path, ast.Call) or module.is_call(path, CACHES):
            break
        same = find_receiver(path, SAME_METHODS)
        if same is None and len(path.args) == 1 and module.is_call(path, IDENTITY_CALLS | JOINS):
            same = path.args[0]
        if same is None:
            break
        path = same
    return module.is_call(path, CACHES)


def is_caches(module: Module, path: ast.expr) -> bool:
    """Return whether `path` certainly ends in `__pycache__` or is bytecode."""
    text = render_parts(string_parts(module, path)).rstrip("/\\")
    return text.lower().endswith(("__pycache__", *BYTECODE))


def is_narrowed(module: Module, call: ast.Call, path: ast.expr) -> bool:
    """Return whether a condition before `call` ensures that a name in `path` is bytecode."""
    names = {node.id for node in ast.walk(path) if isinstance(node, ast.Name)}
    return any(
        _implies_bytecode(module, test, names)
        for condition in find_conditions(module, call)
        for test in _conjuncts(condition)
    )


def _conjuncts(node: ast.expr) -> list[ast.expr]:
    """Return the operands of `a and b`, and anything else as it is."""
    return node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]


def _implies_bytecode(module: Module, test: ast.expr, names: set[str]) -> bool:
    """Return whether `test` is true only if one of `names` is a bytecode path."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return all(_implies_bytecode(module, value, names) for value in test.values)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.args:
        ends = test.func.attr == "endswith" and _mentions(test.func.value, names)
        endings = test.args[0].elts if isinstance(test.args[0], ast.Tuple) else test.args[:1]
        return ends and all(is_bytecode(module, ending) for ending in endings)
    if not isinstance(test, ast.Compare):
        return False
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operator, ast.In):
        # `"__pycache__" in path`
        left, right = right, left
    elif not isinstance(operator, ast.Eq):
        return False
    text = render_parts(string_parts(module, right)).lower()
    return _mentions(left, names) and (text == "__pycache__" or text in BYTECODE)


def _mentions(node: ast.expr, names: set[str]) -> bool:
    """Return whether `node` contains one of `names`."""
    return any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))
