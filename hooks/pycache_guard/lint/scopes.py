"""Bind names in scopes as Python does (Language Reference, 4.2, "Naming and binding")."""

from __future__ import annotations

import ast
from typing import NamedTuple

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


def bind(node: ast.AST, parent: ast.AST | None, scope: Scope) -> None:
    """Bind in `scope` the names that `node` itself binds; its children are asked for theirs."""
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            scope.bind(node.id, binding_of_target(node, parent))
    elif isinstance(node, ast.Import):
        for alias in node.names:
            first = alias.name.partition(".")[0]
            origin = alias.name if alias.asname else first
            scope.bind(alias.asname or first, Binding(node, origin))
    elif isinstance(node, ast.ImportFrom):
        bind_from(node, scope)
    elif isinstance(node, ast.arg):
        scope.bind(node.arg, Binding(node))
    elif isinstance(node, ast.Global):
        scope.declare_global(node.names)
    elif isinstance(node, ast.Nonlocal):
        scope.declare_nonlocal(node.names)
    elif not isinstance(node, ast.alias):  # whose statement has bound it
        # Definitions, `except … as name`, captures of patterns, type parameters.
        name = getattr(node, "rest" if isinstance(node, ast.MatchMapping) else "name", None)
        if isinstance(name, str):
            scope.bind(name, Binding(node))


def bind_from(node: ast.ImportFrom, scope: Scope) -> None:
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
