"""PYC422: an environment variable is set after this interpreter has read it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation
from pycache_guard.lint.paths import read_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC422
FIX_HINT = "assign sys.dont_write_bytecode or sys.pycache_prefix, or set it before Python starts"
TRIGGER_WORDS = (("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),)

VARIABLES = {
    "PYTHONDONTWRITEBYTECODE": "sys.dont_write_bytecode",
    "PYTHONPYCACHEPREFIX": "sys.pycache_prefix",
}
ENVIRONMENTS = frozenset({"os.environ", "os.environb"})
#: Modules that start processes, which do inherit the variable.
PARENTS = frozenset(
    {
        "asyncio",
        "concurrent",
        "fabric",
        "invoke",
        "multiprocessing",
        "nox",
        "pexpect",
        "plumbum",
        "pty",
        "sh",
        "subprocess",
        "tox",
    }
)
STARTS = ("os.exec", "os.spawn", "os.posix_spawn", "os.system", "os.popen", "os.fork", "runpy.")


def check(module: Module) -> Iterator[Violation]:
    """Find the variables being set, in a module that starts no process and sets no switch."""
    found = [*find_settings(module)]
    if not found or starts_processes(module):
        return
    set_too = {
        origin
        for node in module.all(ast.Attribute)
        if isinstance(node.ctx, ast.Store)
        for origin in module.qualified_names(node)
    }
    for variable, node in found:
        if VARIABLES[variable] not in set_too:
            yield Violation(
                node,
                f"{variable} is set too late for this interpreter, which reads it at start-up",
            )


def find_settings(module: Module) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    """Yield each variable with what sets it."""
    for node in module.all(ast.Subscript):
        if isinstance(node.ctx, ast.Store) and is_environment(module, node.value):
            for variable in _literal_variables([node.slice]):
                yield variable, node
    for call in module.all(ast.Call):
        for variable in _literal_variables(_environment_keys(module, call)):
            yield variable, call


def _environment_keys(module: Module, call: ast.Call) -> list[ast.expr | None]:
    """Return the keys that `call` sets in the environment of this process."""
    if "os.putenv" in module.qualified_names(call.func):
        return [*call.args[:1]]
    if not isinstance(call.func, ast.Attribute) or not is_environment(module, call.func.value):
        return []
    if call.func.attr == "setdefault":
        return [*call.args[:1]]
    if call.func.attr != "update":
        return []
    literal = [key for given in call.args if isinstance(given, ast.Dict) for key in given.keys]
    return [*literal, *(ast.Constant(given.arg) for given in call.keywords)]


def is_environment(module: Module, node: ast.expr) -> bool:
    """Return whether `node` is the environment of this process, not a copy."""
    return not module.qualified_names(node).isdisjoint(ENVIRONMENTS)


def _literal_variables(nodes: list[ast.expr | None]) -> Iterator[str]:
    """Yield the literals that name one of `VARIABLES`."""
    for node in nodes:
        name = read_literal(node.value)[0] if isinstance(node, ast.Constant) else None
        if name in VARIABLES:
            yield name


def starts_processes(module: Module) -> bool:
    """Return whether the module imports or calls what starts processes."""
    imported = [alias.name for node in module.all(ast.Import) for alias in node.names]
    imported += [node.module or "" for node in module.all(ast.ImportFrom)]
    if any(name.partition(".")[0] in PARENTS for name in imported):
        return True
    return any(
        origin.startswith(STARTS)
        for call in module.all(ast.Call)
        for origin in module.qualified_names(call.func)
    )
