"""PYC434: the path of a source is guessed from the path of its bytecode."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation, find_receiver
from pycache_guard.lint.paths import BYTECODE, read_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC434
FIX_HINT = "use inspect.getsourcefile(module) or module.__spec__.origin"
TRIGGER_WORDS = (BYTECODE, ("replace",), ('.pyc"', '.pyo"', ".pyc'", ".pyo'"))


def check(module: Module) -> Iterator[Violation]:
    """Find `path.replace(".pyc", ".py")`."""
    for call in module.all(ast.Call):
        old, new = [*map(literal_text, call.args[:2]), None, None][:2]
        if find_receiver(call, {"replace"}) and old in BYTECODE and new == ".py":
            yield Violation(
                call,
                "this does not turn a cache path (__pycache__/x.cpython-313.pyc) into a source path,"
                " and it replaces anywhere in the path",
            )


def literal_text(node: ast.expr) -> str | None:
    """Return a literal's text."""
    return read_literal(node.value)[0] if isinstance(node, ast.Constant) else None
