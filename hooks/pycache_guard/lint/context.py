"""What surrounds a node: guards, handlers, conditions, and whether the module is a script."""

from __future__ import annotations

import ast
import builtins
import re
from typing import TYPE_CHECKING

from pycache_guard.lint.module import find_receiver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pycache_guard.lint.module import Module
    from pycache_guard.lint.scopes import Binding

#: `ast.TryStar`, from 3.11 on, has the same fields.
TRIES: tuple[type[ast.Try], ...] = tuple(
    kind for name in ("Try", "TryStar") if (kind := getattr(ast, name, None)) is not None
)
#: Context managers that catch what they are given, by their dotted names.
SUPPRESS = frozenset({"contextlib.suppress", "contextlib2.suppress"})
#: How the names end, in lower case, of contexts in which a test expects an exception: those of
#: unittest, pytest, nose and testtools.
EXPECTS = ("raises", "raisesregex", "raisesregexp", "raisesgroup", "raises_regex", "raises_regexp")
#: What a condition on the version of Python reads.
VERSIONS = frozenset(
    {
        "builtins.hasattr",
        "platform.python_version",
        "platform.python_version_tuple",
        "sys.hexversion",
        "sys.version",
        "sys.version_info",
    }
)
#: `PY2`, `IS_PY3`, `PY312`, `python3`: what compatibility modules call such a condition.
VERSION_NAME = re.compile(r"_*(?:is_?|has_?)?py(?:thon)?_?[23]\w*", re.IGNORECASE)
#: Files that start or configure a process, by the conventions of their tools.
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
#: Files that a build or task tool runs: setuptools, nox, invoke, fabric, hatch, PDM, Poetry, doit,
#: paver, SCons, waf, Cython.
BUILD_STEPS = frozenset(
    {
        "SConscript",
        "SConstruct",
        "build.py",
        "conftest.py",
        "dodo.py",
        "fabfile.py",
        "hatch_build.py",
        "noxfile.py",
        "pavement.py",
        "pdm_build.py",
        "setup.py",
        "tasks.py",
        "wscript",
    }
)
#: What pytest and unittest collect by default, and the directories in which their files stand.
TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|tests?)\.py", re.DOTALL)
TEST_DIRECTORIES = frozenset({"test", "testing", "tests"})


def is_script(module: Module) -> bool:
    """Return whether the module is run rather than imported.

    It has a `#!` line or `if __name__ == "__main__"`, or a name that cannot be imported or that a
    tool runs. `__init__.py` is always imported.
    """
    name = re.split(r"[/\\]", module.path)[-1]
    return name != "__init__.py" and (
        module.text.startswith("#!")
        or name in SCRIPTS
        or not name.partition(".")[0].isidentifier()
        or any(is_main_guard(node.test) for node in module.all(ast.If))
    )


def is_one_shot(module: Module) -> bool:
    """Return whether the module is a test, or a step of a build, which other code does not import.

    The path decides, as for the tools that run it: a name of `BUILD_STEPS`, `test_NAME.py`,
    `NAME_test.py`, or a directory of `TEST_DIRECTORIES` above it.
    """
    return is_test(module) or re.split(r"[/\\]", module.path)[-1] in BUILD_STEPS


def is_test(module: Module) -> bool:
    """Return whether the module is a test, or is among tests, by its path."""
    *directories, name = re.split(r"[/\\]", module.path)
    return TEST_FILE.fullmatch(name) is not None or not TEST_DIRECTORIES.isdisjoint(directories)


def is_main_guard(test: ast.expr) -> bool:
    """Return whether `test` is `__name__ == "__main__"`, in any order."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, *test.comparators]
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def is_caught(module: Module, node: ast.AST, names: tuple[str, ...]) -> bool:
    """Return whether an exception of one of `names`, raised at `node`, is caught in the same function.

    A `try` with a handler for it catches, as does `contextlib.suppress`, also in an `ExitStack`, and
    the contexts in which a test expects it: `pytest.raises`, `assertRaises`. What a handler catches
    that is not a literal or a name with one value is not known, and may be this one.
    """
    for parent, child in module.ancestors(node):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return False
        if isinstance(parent, TRIES) and child in parent.body:
            if any(may_handle(module, handler.type, names) for handler in parent.handlers):
                return True
        elif isinstance(parent, (ast.With, ast.AsyncWith)):
            entered = [item.context_expr for item in parent.items]
            if child not in parent.body and child in parent.items:
                entered = entered[: parent.items.index(child)]
            if any(is_catcher(module, context, names) for context in entered):
                return True
            if is_caught_by_stack(module, parent, node, names):
                return True
    return False


def is_caught_by_stack(
    module: Module, block: ast.With | ast.AsyncWith, node: ast.AST, names: tuple[str, ...]
) -> bool:
    """Return whether an `ExitStack` that `block` opens enters a context that catches, before `node`.

    Each block is searched once for each tuple of names.
    """
    if not opens_stack(module, block):
        return False
    known: dict[tuple[ast.AST, tuple[str, ...]], tuple[int, int] | None]
    known = module.memory.setdefault(is_caught_by_stack, {})  # type: ignore[assignment]
    if (block, names) not in known:
        catching = [
            position_of(call)
            for call in ast.walk(block)
            if isinstance(call, ast.Call)
            and find_receiver(call, {"enter_context"})
            and any(is_catcher(module, context, names) for context in call.args[:1])
        ]
        known[block, names] = min(catching, default=None)
    first = known[block, names]
    return first is not None and first < position_of(node)


def opens_stack(module: Module, block: ast.With | ast.AsyncWith) -> bool:
    """Return whether a `with` opens an `ExitStack`."""
    stacks = {"contextlib.ExitStack", "contextlib.AsyncExitStack", "contextlib2.ExitStack"}
    return any(module.is_call(item.context_expr, stacks) for item in block.items)


def position_of(node: ast.AST) -> tuple[int, int]:
    """Return line and column of a node."""
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def is_catcher(module: Module, context: ast.expr, names: Collection[str]) -> bool:
    """Return whether a context manager catches one of `names`: `suppress`, or a test that expects it."""
    context = module.value(context)
    if not isinstance(context, ast.Call):
        return False
    if not (module.is_call(context, SUPPRESS) or expects_exception(context)):
        return False
    given = [*context.args, *(keyword.value for keyword in context.keywords)]
    return any(may_handle(module, argument, names) for argument in given)


def expects_exception(context: ast.expr) -> bool:
    """Return whether a context manager of a test expects an exception."""
    if not isinstance(context, ast.Call):
        return False
    name = getattr(context.func, "attr", None) or getattr(context.func, "id", "")
    return isinstance(name, str) and name.lower().endswith(EXPECTS)


def may_handle(module: Module, caught: ast.expr | None, names: Collection[str]) -> bool:
    """Return whether a handler catches one of `names`, everything (`None`), or something unknown."""
    if caught is None:
        return True
    caught = module.value(caught)
    if isinstance(caught, ast.Starred):
        caught = module.value(caught.value)
    if isinstance(caught, (ast.Tuple, ast.List, ast.Set)):
        return any(may_handle(module, element, names) for element in caught.elts)
    if isinstance(caught, ast.Constant):
        return False
    if isinstance(caught, ast.Name):
        bindings = module.scope(caught).lookup(caught.id)
        if bindings is None:  # a builtin, or what `from … import *` brings
            return caught.id in names or not hasattr(builtins, caught.id)
        return caught.id in names or any(binding_may_catch(each, names) for each in bindings)
    return getattr(caught, "attr", None) in names or not isinstance(caught, ast.Attribute)


def binding_may_catch(binding: Binding, names: Collection[str]) -> bool:
    """Return whether a binding of a name may be one of `names`, or is unknown."""
    if binding.origin is not None:
        return binding.origin.rpartition(".")[2] in names
    if isinstance(binding.value, (ast.Name, ast.Attribute)):
        name = getattr(binding.value, "attr", None) or getattr(binding.value, "id", None)
        return name in names
    return not isinstance(binding.node, ast.ClassDef)


def is_fallback(module: Module, node: ast.AST) -> bool:
    """Return whether `node` is for some versions of Python only.

    It is tried and may fail with an import or attribute error, is what is done after such an error,
    or stands below a condition on the version.
    """
    wanted = ("ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException")
    if is_caught(module, node, wanted):
        return True
    for parent, child in module.ancestors(node):
        if isinstance(parent, ast.ExceptHandler) and may_handle(module, parent.type, wanted):
            return True
        test = parent.test if isinstance(parent, (ast.If, ast.IfExp)) else child
        if test is not child and mentions_version(module, test):
            return True
    return False


def mentions_version(module: Module, test: ast.AST) -> bool:
    """Return whether a condition asks for the version of Python, or whether something exists.

    It reads `sys.version_info` or its like, a constant made of one (`PY3`, `IS_PY312`), or calls
    `hasattr`. Another name with "version" in it is a version of something else.
    """
    for node in ast.walk(test):
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if VERSION_NAME.fullmatch(name) or module.qualified_names(node) & VERSIONS:
                return True
            value = module.value(node)
            if value is not node and any(
                module.qualified_names(part) & VERSIONS
                for part in ast.walk(value)
                if isinstance(part, (ast.Name, ast.Attribute))
            ):
                return True
    return False


def find_conditions(module: Module, node: ast.AST) -> Iterator[ast.expr]:
    """Yield the conditions of the enclosing `if`s and filters, which are true where `node` is reached."""
    for parent, child in module.ancestors(node):
        if (isinstance(parent, (ast.If, ast.While)) and child in parent.body) or (
            isinstance(parent, ast.IfExp) and child is parent.body
        ):
            yield parent.test
        elif isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            return
