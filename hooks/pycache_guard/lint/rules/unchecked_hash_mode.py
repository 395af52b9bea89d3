"""PYC411: bytecode is written that is never compared with its source."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation, find_argument
from pycache_guard.lint.paths import read_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC411
FIX_HINT = "use py_compile.PycInvalidationMode.CHECKED_HASH, and do not set --check-hash-based-pycs"
TRIGGER_WORDS = (
    (
        "UNCHECKED_HASH",
        "unchecked-hash",
        "check_hash_based_pycs",
        "check-hash-based-pycs",
        "_code_to_hash_pyc",
    ),
)

MODE = frozenset({"py_compile.PycInvalidationMode.UNCHECKED_HASH"})
MODES = "py_compile.PycInvalidationMode"
HASHED = frozenset(
    {
        "importlib._bootstrap_external._code_to_hash_pyc",
        "_frozen_importlib_external._code_to_hash_pyc",
    }
)
MESSAGE = "Python runs unchecked-hash bytecode without checking its source, even after a change"
NEVER = "hash-based bytecode is never compared with its source"
#: In one word of a command, in two, or anywhere in a line for a shell.
OPTION = re.compile(
    r"--invalidation-mode(?:=|\s+)unchecked-hash\b|--check-hash-based-pycs(?:=|\s+)never\b"
)


def check(module: Module) -> Iterator[Violation]:
    """Find the mode where it is chosen, not where it is named or compared."""
    for kind in (ast.Attribute, ast.Name, ast.Subscript):
        for node in module.all(kind):
            if is_mode(module, node) and is_chosen(module, node):
                yield Violation(node, MESSAGE)
    for call in module.calls(HASHED):
        checked = find_argument(call, 2, "checked")
        if isinstance(checked, ast.Constant) and not checked.value:
            yield Violation(call, MESSAGE)
    for assignment in module.all(ast.Assign):
        for target in assignment.targets:
            never = isinstance(assignment.value, ast.Constant) and assignment.value.value == "never"
            if never and "_imp.check_hash_based_pycs" in module.qualified_names(target):
                yield Violation(assignment, NEVER)
    yield from find_options(module)


def is_mode(module: Module, node: ast.expr) -> bool:
    """Return whether `node` is the mode, by attribute, imported name or `PycInvalidationMode["…"]`."""
    if isinstance(node, ast.Subscript):
        named = isinstance(node.slice, ast.Constant) and node.slice.value == "UNCHECKED_HASH"
        return named and MODES in module.qualified_names(node.value)
    if isinstance(node, ast.Name):
        # A name that was assigned the mode is told where it was assigned.
        return any(b.origin in MODE for b in module.scope(node).lookup(node.id) or [])
    return not module.qualified_names(node).isdisjoint(MODE)


def is_chosen(module: Module, node: ast.AST) -> bool:
    """Return whether a value goes into a call, a variable, a default or a result."""
    parent = module.parent(node)
    while isinstance(parent, (ast.IfExp, ast.BoolOp)):
        node, parent = parent, module.parent(parent)
    if isinstance(parent, ast.Call):
        return node in parent.args
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        return node is parent.value
    return isinstance(parent, (ast.keyword, ast.Return, ast.arguments))


def find_options(module: Module) -> Iterator[Violation]:
    """Find the options among the words of a list or the arguments of a call."""
    sequences: list[ast.List | ast.Tuple] = [*module.all(ast.List), *module.all(ast.Tuple)]
    words = [node.elts for node in sequences] + [call.args for call in module.all(ast.Call)]
    for nodes in filter(None, words):
        texts = [read_literal(getattr(node, "value", None))[0] or "" for node in nodes]
        for node, text, after in zip(nodes, texts, [*texts[1:], ""], strict=True):
            found = OPTION.search(text) or OPTION.fullmatch(f"{text} {after}")
            if found:
                yield Violation(node, NEVER if found[0].endswith("never") else MESSAGE)
