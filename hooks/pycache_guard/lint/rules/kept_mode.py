"""PYC414: `compileall` gets an invalidation mode, but keeps old files in their old mode."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation, find_argument, find_receiver
from pycache_guard.lint.processes import find_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC414
FIX_HINT = "add force=True (`-f`), or remove the old bytecode first"
TRIGGER_WORDS = (("compileall",),)

#: By function: the positions of `force` and `invalidation_mode` among its arguments
#: (Lib/compileall.py).
POSITIONS = {
    "compileall.compile_dir": (3, 9),
    "compileall.compile_file": (2, 7),
    "compileall.compile_path": (2, 6),
}
MODES = "py_compile.PycInvalidationMode"
#: The third, `TIMESTAMP`, keeps no other: a hash-based file is never taken for up to date.
HASH_MODES = ("CHECKED_HASH", "UNCHECKED_HASH")
MESSAGE = (
    "without force, an up-to-date timestamp-based file is kept, and keeps its mode"
    " (python/cpython#117204)"
)
#: `-f`, alone or among other letters that take no value (Lib/compileall.py, `main`).
FORCE = re.compile(r"-[lqb]*f[lqbf]*")
MODE_OPTION = "--invalidation-mode"


def check(module: Module) -> Iterator[Violation]:
    """Find calls of `compileall`, and commands, that ask for a hash-based mode without `force`."""
    for call in module.calls(POSITIONS):
        for origin in sorted(module.qualified_names(call.func) & POSITIONS.keys())[:1]:
            force, mode = POSITIONS[origin]
            if not is_open_ended(call) and keeps_mode(module, call, force, mode):
                yield Violation(call, MESSAGE)
    for call, words in find_commands(module):
        options = words[words.index("compileall") + 1 :] if "compileall" in words else []
        if command_keeps_mode(options) and not is_extended(module, call):
            yield Violation(call, MESSAGE)


def is_open_ended(call: ast.Call) -> bool:
    """Return whether arguments are passed with `*` or `**`, and so are unknown."""
    return any(given.arg is None for given in call.keywords) or any(
        isinstance(given, ast.Starred) for given in call.args
    )


def keeps_mode(module: Module, call: ast.Call, force: int, mode: int) -> bool:
    """Return whether a call asks for a hash-based mode, certainly without `force`."""
    forced = find_argument(call, force, "force")
    if forced is not None:
        forced = module.value(forced)
    if forced is not None and not (isinstance(forced, ast.Constant) and not forced.value):
        return False
    return is_hash_mode(module, find_argument(call, mode, "invalidation_mode"))


def is_hash_mode(module: Module, node: ast.expr | None) -> bool:
    """Return whether a mode is certainly hash-based."""
    node = None if node is None else module.value(node)
    if isinstance(node, ast.IfExp):
        return is_hash_mode(module, node.body) or is_hash_mode(module, node.orelse)
    if isinstance(node, ast.BoolOp):
        return any(is_hash_mode(module, value) for value in node.values)
    if isinstance(node, ast.Subscript):
        named = isinstance(node.slice, ast.Constant) and node.slice.value in HASH_MODES
        return named and MODES in module.qualified_names(node.value)
    return node is not None and any(
        f"{MODES}.{mode}" in module.qualified_names(node) for mode in HASH_MODES
    )


def is_extended(module: Module, call: ast.Call) -> bool:
    """Return whether a command gets unknown words: `*options`, `command.append(…)`."""
    if any(isinstance(node, ast.Starred) for node in ast.walk(call)):
        return True
    names = {node.id for node in call.args if isinstance(node, ast.Name)}
    if any(
        isinstance(node, ast.Starred)
        for given in call.args
        for node in ast.walk(module.value(given))
    ):
        return True
    return not names.isdisjoint(extended_names(module))


def extended_names(module: Module) -> set[str]:
    """Return the names of what `append`, `extend` or `insert` is called on."""
    found: set[str] | None = module.memory.get(extended_names)  # type: ignore[assignment]
    if found is None:
        bases = [find_receiver(c, {"append", "extend", "insert"}) for c in module.all(ast.Call)]
        found = {base.id for base in bases if isinstance(base, ast.Name)}
        module.memory[extended_names] = found
    return found


def command_keeps_mode(words: list[str]) -> bool:
    """Return whether the arguments of `python -m compileall` ask for a hash-based mode without `-f`."""
    if any(FORCE.fullmatch(word) for word in words):
        return False
    modes = [after for word, after in pairwise(words) if word == MODE_OPTION]
    modes += [word.partition("=")[2] for word in words if word.startswith(f"{MODE_OPTION}=")]
    return bool(modes) and modes[-1] in ("checked-hash", "unchecked-hash")
