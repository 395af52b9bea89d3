"""PYC401: a `.pyc` header is skipped without checking the magic number before `marshal.loads`."""

from __future__ import annotations

import ast
from bisect import bisect_left
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import position_of
from pycache_guard.lint.marshalled import LOAD, LOADS
from pycache_guard.lint.module import Violation, find_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module
    from pycache_guard.lint.scopes import Scope

RULE = Rule.PYC401
FIX_HINT = "compare the first 4 bytes with importlib.util.MAGIC_NUMBER before the rest is read"
TRIGGER_WORDS = (("marshal",), ("load",))

#: Lengths of headers: before 3.3, before 3.7, since (PEP 552).
LENGTHS = frozenset({8, 12, 16})


def check(module: Module) -> Iterator[Violation]:
    """Find `marshal.loads(data[16:])` and `file.read(16)` … `marshal.load(file)`."""
    for call in module.calls({LOAD, LOADS}):
        length = _skipped_header_length(module, call)
        if length is not None and not is_checked(module, module.scope(call)):
            yield Violation(
                call,
                f"{length} bytes are skipped as a header without a check;"
                " a header has 8, 12 or 16 bytes, and only one Python version can read the code after it",
            )


def _skipped_header_length(module: Module, call: ast.Call) -> int | None:
    """Return the length of the header that is skipped before `call`, if one is."""
    if not call.args:
        return None
    source = module.value(call.args[0])
    if isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.args:
        # memoryview(data)[16:], bytes(data[16:])
        source = module.value(source.args[0])
    if isinstance(source, ast.Subscript):
        return _slice_start(module, source)
    stream = call.args[0]
    if isinstance(source, ast.Call) and not source.args:
        # marshal.loads(file.read()), all the rest of it
        stream = find_receiver(source, {"read"}) or stream
    return _bytes_consumed_before(module, call, stream) if isinstance(stream, ast.Name) else None


def _slice_start(module: Module, node: ast.Subscript) -> int | None:
    """Return n of `data[n:]`, if it is the length of a header."""
    if isinstance(node.slice, ast.Slice) and node.slice.lower is not None and not node.slice.upper:
        return length_of(module, node.slice.lower)
    return None


def _bytes_consumed_before(module: Module, call: ast.Call, stream: ast.Name) -> int | None:
    """Return how many bytes are read from, or skipped in, `stream` before `call`."""
    totals = stream_totals(module, module.scope(call)).get(stream.id, [])
    before = bisect_left(totals, (call.lineno, call.col_offset), key=lambda step: step[0])
    total = totals[before - 1][1] if before else 0
    return total if total in LENGTHS else None


def stream_totals(module: Module, scope: Scope) -> dict[str, list[tuple[tuple[int, int], int]]]:
    """Return, for each name that is read from in `scope`, where, and how far it is read by then.

    The number is -1 from the first step on whose length is not known. Each scope is read once.
    """
    known: dict[Scope, dict[str, list[tuple[tuple[int, int], int]]]]
    known = module.memory.setdefault(stream_totals, {})  # type: ignore[assignment]
    totals = known.get(scope)
    if totals is None:
        totals = known[scope] = {}
        for step in sorted(module.nodes_in_scope(scope, ast.Call), key=position_of):
            base = find_receiver(step, {"read", "seek"})
            if isinstance(base, ast.Name) and step.args:
                steps = totals.setdefault(base.id, [])
                total = steps[-1][1] if steps else 0
                number = read_integer(module, step.args[0])
                if number is None or total < 0:
                    total = -1
                else:
                    total = number if find_receiver(step, {"seek"}) else total + number
                steps.append((position_of(step), total))
    return totals


def length_of(module: Module, node: ast.expr) -> int | None:
    """Return the value of `node` if it is the length of a header."""
    number = read_integer(module, node)
    return number if number in LENGTHS else None


def read_integer(module: Module, node: ast.expr) -> int | None:
    """Return the integer that `node` is, literally or by a name."""
    node = module.value(node)
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def is_checked(module: Module, scope: Scope) -> bool:
    """Return whether a comparison or a call in `scope` mentions a magic number."""
    known: dict[Scope, bool] = module.memory.setdefault(is_checked, {})  # type: ignore[assignment]
    if scope not in known:
        known[scope] = any(
            _mentions_magic(name)
            for kind in (ast.Compare, ast.Call)
            for node in module.nodes_in_scope(scope, kind)
            for part in ([node.func, *node.args] if isinstance(node, ast.Call) else [node])
            for name in ast.walk(part)
        )
    return known[scope]


def _mentions_magic(node: ast.AST) -> bool:
    """Return whether `node` is a name that contains `magic`, or a check of importlib."""
    name = getattr(node, "attr", None) or getattr(node, "id", None)
    return isinstance(name, str) and ("magic" in name.lower() or name == "_classify_pyc")
