"""PYC402: code loaded with `marshal` is executed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.marshalled import comes_from_marshal
from pycache_guard.lint.module import Violation, find_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC402
FIX_HINT = "keep the source and import it, or compile() it"
TRIGGER_WORDS = (
    ("marshal",),
    ("load",),
    ("exec", "eval", "FunctionType", "LambdaType", "__code__"),
)

RUNS = {
    "builtins.exec": "exec",
    "builtins.eval": "eval",
    "six.exec_": "exec",
    "types.FunctionType": "a function",
    "types.LambdaType": "a function",
}


def check(module: Module) -> Iterator[Violation]:
    """Find `exec(marshal.loads(…))`, `types.FunctionType(code, …)` and `f.__code__ = code`."""
    for call in module.calls(RUNS):
        code = find_argument(call, 0, "code")
        if code is not None and comes_from_marshal(module, code):
            yield Violation(
                call,
                "unmarshalled code is run; nobody can review it, and marshal checks nothing",
            )
    for node in module.all(ast.Assign):
        for target in node.targets:
            # Of one value only: `__code__` may be an attribute of any object.
            if getattr(target, "attr", None) == "__code__" and comes_from_marshal(
                module, module.value(node.value), 0
            ):
                yield Violation(
                    node, "a function is made of unmarshalled code; nobody can review it"
                )
