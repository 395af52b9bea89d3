"""PYC402: what `marshal` has read is run."""

from __future__ import annotations

import ast

from pycache_guard.findings import Rule
from pycache_guard.lint.hit import Hit
from pycache_guard.lint.marshalled import is_unmarshalled
from pycache_guard.lint.module import argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC402
REMEDY = "keep the source and import it, or compile() it"
MARKS = ("marshal",)

RUNS = {
    "builtins.exec": "exec",
    "builtins.eval": "eval",
    "six.exec_": "exec",
    "types.FunctionType": "a function",
    "types.LambdaType": "a function",
}


def check(module: Module) -> Iterator[Hit]:
    """Find `exec(marshal.loads(…))`, `types.FunctionType(code, …)` and `f.__code__ = code`."""
    for call in module.calls(RUNS):
        code = argument(call, 0, "code")
        if code is not None and is_unmarshalled(module, code):
            yield Hit(
                call,
                "code that was unmarshalled is run; nobody can review it, and marshal checks nothing",
            )
    for node in module.all(ast.Assign):
        for target in node.targets:
            # Of one value only: `__code__` may be an attribute of any object.
            if getattr(target, "attr", None) == "__code__" and is_unmarshalled(
                module, module.value(node.value), 0
            ):
                yield Hit(node, "a function gets code that was unmarshalled; nobody can review it")
