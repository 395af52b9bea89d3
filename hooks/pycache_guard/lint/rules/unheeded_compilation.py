"""PYC413: compilation errors are ignored."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import expects_exception, is_test
from pycache_guard.lint.module import Violation, find_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC413
FIX_HINT = "pass doraise=True to py_compile.compile, or check the result of compileall"
TRIGGER_WORDS = (("compileall", "py_compile"),)

TREES = frozenset({"compileall.compile_dir", "compileall.compile_file", "compileall.compile_path"})
FILE = frozenset({"py_compile.compile"})


def check(module: Module) -> Iterator[Violation]:
    """Find calls whose result is ignored; not in tests, which check the files afterwards."""
    if is_test(module):
        return
    for call in module.calls(TREES | FILE):
        if not isinstance(module.parent(call), ast.Expr) or is_expected_to_raise(module, call):
            continue
        if module.is_call(call, TREES):
            yield Violation(
                call,
                "the result is ignored: it is false if a source did not compile, and no exception is raised",
            )
        elif not has_doraise(call):
            yield Violation(
                call,
                "without doraise=True an error is only printed, and the result (None) is ignored",
            )


def has_doraise(call: ast.Call) -> bool:
    """Return whether `doraise` is given, with any value."""
    if any(given.arg is None for given in call.keywords) or any(
        isinstance(a, ast.Starred) for a in call.args
    ):
        return True
    doraise = find_argument(call, 3, "doraise")
    return doraise is not None and not (isinstance(doraise, ast.Constant) and not doraise.value)


def is_expected_to_raise(module: Module, call: ast.Call) -> bool:
    """Return whether a test expects `call` to raise: `with pytest.raises(…)`, `with self.assertRaises(…)`."""
    return any(
        isinstance(item, ast.withitem) and expects_exception(item.context_expr)
        for parent, _ in module.ancestors(call)
        for item in getattr(parent, "items", [])
    )
