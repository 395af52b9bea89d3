"""What surrounds a node: guards, handlers, conditions, and whether the module is a script."""

from __future__ import annotations

import ast
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

#: `ast.TryStar`, from 3.11 on, has the same fields.
TRIES: tuple[type[ast.Try], ...] = tuple(
    kind for name in ("Try", "TryStar") if (kind := getattr(ast, name, None)) is not None
)
#: Files that are a process's own start, or configure one, by the custom of their tools.
SCRIPTS = frozenset(
    {
        "__main__.py",
        "asgi.py",
        "conf.py",
        "conftest.py",
        "fabfile.py",
        "manage.py",
        "noxfile.py",
        "setup.py",
        "sitecustomize.py",
        "tasks.py",
        "usercustomize.py",
        "wsgi.py",
    }
)


def is_script(module: Module) -> bool:
    """Whether the module is run rather than imported.

    It says so by a `#!` line or by `if __name__ == "__main__"`, or its name cannot be imported, or
    is one that a tool runs. `__init__.py` is imported whatever it says.
    """
    name = re.split(r"[/\\]", module.path)[-1]
    return name != "__init__.py" and (
        module.text.startswith("#!")
        or name in SCRIPTS
        or not name.partition(".")[0].isidentifier()
        or any(is_main_guard(node.test) for node in module.all(ast.If))
    )


def is_main_guard(test: ast.expr) -> bool:
    """Whether `test` is `__name__ == "__main__"`, in any order."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, *test.comparators]
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def handlers(module: Module, node: ast.AST) -> Iterator[ast.ExceptHandler]:
    """Yield the handlers of every `try` whose body holds `node`, up to the enclosing function."""
    for parent, child in module.above(node):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return
        if isinstance(parent, TRIES) and child in parent.body:
            yield from parent.handlers


def catches(handler: ast.ExceptHandler, names: Collection[str]) -> bool:
    """Whether `handler` names one of `names`, or everything."""
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        (node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)) in names
        for node in caught
    )


def is_fallback(module: Module, node: ast.AST) -> bool:
    """Whether `node` is for some versions of Python only.

    It is tried and may fail with an import or attribute error, is what is done after such an error,
    or stands below a condition on the version.
    """
    wanted = ("ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException")
    if any(catches(handler, wanted) for handler in handlers(module, node)):
        return True
    for parent, child in module.above(node):
        if isinstance(parent, ast.ExceptHandler) and catches(parent, wanted):
            return True
        test = parent.test if isinstance(parent, (ast.If, ast.IfExp)) else child
        if test is not child and asks_version(test):
            return True
    return False


def asks_version(test: ast.AST) -> bool:
    """Whether a condition asks for a version of Python, or whether something exists."""
    for node in ast.walk(test):
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if isinstance(name, str) and re.search(
            r"version|hexversion|hasattr|\bpy_?[23]|^is_?py", name, re.IGNORECASE
        ):
            return True
    return False


def conditions(module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """Yield what must be true where `node` is reached, as enclosing `if`s and filters say."""
    for parent, child in module.above(node):
        if (isinstance(parent, (ast.If, ast.While)) and child in parent.body) or (
            isinstance(parent, ast.IfExp) and child is parent.body
        ):
            yield parent.test
        elif isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            return
