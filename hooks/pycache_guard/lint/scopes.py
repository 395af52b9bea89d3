"""Bind names in scopes as Python does (Language Reference, 4.2, "Naming and binding")."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

#: Nodes with a scope of their own, and the fields that are evaluated in it.
SCOPE_FIELDS: dict[type[ast.AST], frozenset[str]] = {
    ast.FunctionDef: frozenset({"args", "body", "type_params"}),
    ast.AsyncFunctionDef: frozenset({"args", "body", "type_params"}),
    ast.ClassDef: frozenset({"body", "type_params"}),
    ast.Lambda: frozenset({"args", "body"}),
    ast.ListComp: frozenset({"elt", "generators"}),
    ast.SetComp: frozenset({"elt", "generators"}),
    ast.GeneratorExp: frozenset({"elt", "generators"}),
    ast.DictComp: frozenset({"key", "value", "generators"}),
}


class Binding(NamedTuple):
    """One of the ways in which a name gets its value."""

    #: The node that binds: an import, an assignment's target, a definition.
    node: ast.AST
    #: Dotted name of what was imported; a relative import begins with a dot.
    origin: str | None = None
    #: The expression that is assigned, or, with `each`, iterated over.
    value: ast.expr | None = None
    is_iteration: bool = False


class Scope:
    """The names that are bound in a module, class, function or comprehension."""

    def __init__(self, node: ast.AST, parent: Scope | None) -> None:
        self.node = node
        self.parent = parent
        self.bindings: dict[str, list[Binding]] = {}
        #: Modules of `from … import *`.
        self.star_imports: list[str] = []
        #: Where a name lives that is declared `global` or `nonlocal` here.
        self._elsewhere: dict[str, Scope] = {}

    @property
    def root(self) -> Scope:
        """Return the scope of the module."""
        return self if self.parent is None else self.parent.root

    def bind(self, name: str, binding: Binding) -> None:
        """Add a way in which `name` gets its value."""
        self._elsewhere.get(name, self).bindings.setdefault(name, []).append(binding)

    def declare_global(self, names: list[str]) -> None:
        """Resolve `names` in the scope of the module."""
        self._elsewhere.update(dict.fromkeys(names, self.root))

    def declare_nonlocal(self, names: list[str]) -> None:
        """Resolve `names` in an enclosing function."""
        for name in names:
            if self.parent is not None:
                self._elsewhere[name] = self.parent.defining_scope(name) or self.parent

    def defining_scope(self, name: str) -> Scope | None:
        """Return the scope whose `name` is seen here, `None` if no scope binds it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._elsewhere:
                return scope._elsewhere[name]
            # A class's names are seen in its own body only.
            if name in scope.bindings and (
                scope is self or not isinstance(scope.node, ast.ClassDef)
            ):
                return scope
            scope = scope.parent
        return None

    def lookup(self, name: str) -> list[Binding] | None:
        """Return every way in which `name`, as it is seen here, gets its value."""
        home = self.defining_scope(name)
        return None if home is None else home.bindings.get(name, [])


def bind_name(node: ast.Name, parent: ast.AST | None, scope: Scope) -> None:
    """Bind a name that is a target."""
    if not isinstance(node.ctx, ast.Load):
        scope.bind(node.id, binding_of_target(node, parent))


def bind_import(node: ast.Import, _: ast.AST | None, scope: Scope) -> None:
    """Bind the names of an `import …`."""
    for alias in node.names:
        first = alias.name.partition(".")[0]
        origin = alias.name if alias.asname else first
        scope.bind(alias.asname or first, Binding(node, origin))


def bind_from(node: ast.ImportFrom, _: ast.AST | None, scope: Scope) -> None:
    """Bind the names of a `from … import …`."""
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            scope.root.star_imports.append(module)
        else:
            scope.bind(alias.asname or alias.name, Binding(node, f"{module}.{alias.name}"))


def binding_of_target(name: ast.Name, parent: ast.AST | None) -> Binding:
    """Return how `name`, a target, gets its value from its parent."""
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        return Binding(name, value=parent.value)
    if isinstance(parent, ast.withitem):
        return Binding(name, value=parent.context_expr)
    if isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)):
        return Binding(name, value=parent.iter, is_iteration=True)
    return Binding(name)


def bind_argument(node: ast.arg, _: ast.AST | None, scope: Scope) -> None:
    """Bind a parameter."""
    scope.bind(node.arg, Binding(node))


def bind_own_name(node: ast.AST, _: ast.AST | None, scope: Scope) -> None:
    """Bind the name of a definition, of `except … as name`, a capture of a pattern, a type parameter."""
    name = getattr(node, "rest" if isinstance(node, ast.MatchMapping) else "name", None)
    if isinstance(name, str):
        scope.bind(name, Binding(node))


def declare_global(node: ast.Global, _: ast.AST | None, scope: Scope) -> None:
    """Resolve the names of a `global …`."""
    scope.declare_global(node.names)


def declare_nonlocal(node: ast.Nonlocal, _: ast.AST | None, scope: Scope) -> None:
    """Resolve the names of a `nonlocal …`."""
    scope.declare_nonlocal(node.names)


#: By type of node: what binds, in a scope, the names that the node itself binds. It is given the
#: node, its parent and the scope; the node's children are visited for theirs.
BINDERS: dict[type[ast.AST], Callable[..., None]] = {
    ast.Name: bind_name,
    ast.Import: bind_import,
    ast.ImportFrom: bind_from,
    ast.arg: bind_argument,
    ast.Global: declare_global,
    ast.Nonlocal: declare_nonlocal,
    ast.FunctionDef: bind_own_name,
    ast.AsyncFunctionDef: bind_own_name,
    ast.ClassDef: bind_own_name,
    ast.ExceptHandler: bind_own_name,
    ast.MatchAs: bind_own_name,
    ast.MatchStar: bind_own_name,
    ast.MatchMapping: bind_own_name,
    **{
        getattr(ast, name): bind_own_name
        for name in ("TypeVar", "ParamSpec", "TypeVarTuple")  # Python 3.12
        if hasattr(ast, name)
    },
}
