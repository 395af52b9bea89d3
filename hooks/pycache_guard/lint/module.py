"""A module's syntax tree with what the rules ask of it: parents, scopes, where a name comes from."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pycache_guard.lint.scopes import BINDERS, SCOPE_FIELDS, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from pycache_guard.lint.scopes import Binding


class Violation(NamedTuple):
    """A node and what is wrong with it."""

    node: ast.expr | ast.stmt
    message: str


Node = TypeVar("Node", bound=ast.AST)

#: Fields without a node, or with nodes that have no place and are shared by all their parents.
PLAIN_FIELDS = frozenset(
    {
        "arg",
        "asname",
        "attr",
        "conversion",
        "ctx",
        "id",
        "is_async",
        "kind",
        "kwd_attrs",
        "level",
        "module",
        "op",
        "ops",
        "rest",
        "simple",
        "type_comment",
        "type_ignores",
    }
)
#: The most assignments that are followed from a name to its value.
MAX_INDIRECTION = 4
#: A name with more possible origins than this is unknown.
MAX_ORIGINS = 64


class Module:
    """A parsed module. Nothing here calls itself once per level of nesting: sources nest deeply."""

    def __init__(self, tree: ast.Module, text: str, path: str) -> None:
        self.text = text
        #: As it was named; `/` or the system's separator between parts.
        self.path = path
        self._parents: dict[ast.AST, ast.AST] = {}
        self._scopes: dict[ast.AST, Scope] = {}
        self._kinds: dict[type[ast.AST], list[ast.AST]] = {}
        #: Answers of `qualified_names` by node, or by scope and name, and of `_bound_origins` by list of
        #: bindings: a name that is bound N times would otherwise be followed N times N times, once more
        #: for each hop.
        self._origins: dict[object, set[str]] = {}
        self._bound: dict[tuple[int, int], set[str]] = {}
        #: By node type: the nodes of each scope, for `within`.
        self._within: dict[type[ast.AST], dict[Scope, list[ast.AST]]] = {}
        #: What rules have worked out and would ask for again, by the function that keeps it.
        self.memory: dict[object, object] = {}
        self._walk(tree)

    def _walk(self, tree: ast.Module) -> None:
        """Visit each node once, in the order of the source, except constants, which hold none."""
        parents, scopes, kinds = self._parents, self._scopes, self._kinds
        scopes[tree] = Scope(tree, None)
        stack: list[ast.AST] = [tree]
        while stack:
            node = stack.pop()
            kind = type(node)
            scope = scopes[node]
            if kind not in kinds:
                kinds[kind] = []
            kinds[kind].append(node)
            if kind not in VISITS:
                VISITS[kind] = plan_visit(kind)
            binder, fields, make_inner = VISITS[kind]
            if binder is not None:
                binder(node, parents.get(node), scope)
            inner = scope if make_inner is None else make_inner(node, scope)
            below: list[ast.AST] = []
            for field, is_inside in fields:
                value = getattr(node, field, None)
                place = inner if is_inside else scope
                if value.__class__ is list:
                    for child in value:
                        if isinstance(child, ast.AST) and child.__class__ is not ast.Constant:
                            parents[child] = node
                            scopes[child] = place
                            below.append(child)
                elif isinstance(value, ast.AST) and value.__class__ is not ast.Constant:
                    parents[value] = node
                    scopes[value] = place
                    below.append(value)
            if below:
                below.reverse()
                stack += below

    def all(self, kind: type[Node]) -> list[Node]:
        """Return the nodes of one type, in the order of the source."""
        # `_walk` has put each node under its own type.
        found: list[Node] = self._kinds.get(kind, [])  # type: ignore[assignment]
        return found

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope in which `node` is evaluated."""
        return self._scopes[node]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that holds `node`, `None` for the module itself."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield each (ancestor, its child on the way) from `node` up to the module."""
        child = node
        while (parent := self._parents.get(child)) is not None:
            yield parent, child
            child = parent

    def nodes_in_scope(self, scope: Scope, kind: type[Node]) -> list[Node]:
        """Return the nodes of one type that are evaluated in `scope` itself, in order."""
        by_scope = self._within.get(kind)
        if by_scope is None:
            by_scope = self._within[kind] = {}
            for node in self.all(kind):
                by_scope.setdefault(self._scopes[node], []).append(node)
        found: list[Node] = by_scope.get(scope, [])  # type: ignore[assignment]
        return found

    def value(self, node: ast.expr) -> ast.expr:
        """Return what the name `node` was assigned, if there is one assignment; else `node`."""
        for _ in range(MAX_INDIRECTION):
            if not isinstance(node, ast.Name):
                break
            bindings = self.scope(node).lookup(node.id)
            if (
                not bindings
                or len(bindings) > 1
                or bindings[0].value is None
                or bindings[0].is_iteration
            ):
                break
            node = bindings[0].value
        return node

    def qualified_names(self, node: ast.AST, hops: int = MAX_INDIRECTION) -> set[str]:
        """Return the dotted names of the objects that `node` may be; empty if it is not imported.

        A name that nothing binds is a builtin. Of a name that is bound in several ways, all count:
        `try: import a except ImportError: import b as a`.
        """
        # What a name is depends on its scope only.
        key = (self._scopes[node], node.id) if isinstance(node, ast.Name) else node
        known = self._origins.get(key) if hops == MAX_INDIRECTION else None
        if known is not None:
            return known
        attributes: list[str] = []
        base = node
        while isinstance(base, ast.Attribute):
            attributes.append(base.attr)
            base = base.value
        rest = "".join(f".{name}" for name in reversed(attributes))
        found = {f"{origin}{rest}" for origin in self._bases(base, hops)}
        if hops == MAX_INDIRECTION:
            self._origins[key] = found
        return found

    def _bases(self, node: ast.AST, hops: int) -> set[str]:
        if isinstance(node, ast.Call):
            return self._imported(node, hops)
        if not isinstance(node, ast.Name):
            return set()
        scope = self.scope(node)
        bindings = scope.lookup(node.id)
        if bindings is None:
            return {f"{module}.{node.id}" for module in ("builtins", *scope.root.star_imports)}
        return self._bound_origins(bindings, hops)

    def _bound_origins(self, bindings: list[Binding], hops: int) -> set[str]:
        """Return the dotted names of the bindings of a name; each list of bindings is followed once."""
        if not bindings:
            return set()
        key = (id(bindings), hops)  # the scopes keep the lists alive
        found = self._bound.get(key)
        if found is None:
            found = {binding.origin for binding in bindings if binding.origin is not None}
            self._bound[key] = found
            if hops:
                for binding in bindings:
                    if binding.value is not None and not binding.is_iteration:
                        found |= self.qualified_names(binding.value, hops - 1)
                    if len(found) > MAX_ORIGINS:
                        found.clear()
                        break
        return found

    def _imported(self, call: ast.Call, hops: int) -> set[str]:
        """Return the module of `importlib.import_module("x")` or `__import__("x")`."""
        if hops and call.args and isinstance(call.args[0], ast.Constant):
            name = call.args[0].value
            if isinstance(name, str) and self.qualified_names(call.func, hops - 1) & {
                "importlib.import_module",
                "builtins.__import__",
            }:
                return {name}
        return set()

    def calls(self, names: Collection[str]) -> Iterator[ast.Call]:
        """Yield the calls of any of `names`, dotted."""
        for call in self.all(ast.Call):
            if self.is_call(call, names):
                yield call

    def is_call(self, node: ast.AST | None, names: Collection[str]) -> bool:
        """Return whether `node` calls any of `names`."""
        return isinstance(node, ast.Call) and not self.qualified_names(node.func).isdisjoint(names)


class Visit(NamedTuple):
    """How a type of node is visited."""

    #: Binds the names that the node itself binds.
    binder: Callable[[ast.AST, ast.AST | None, Scope], None] | None
    #: The fields that may hold other nodes, and whether these are evaluated in another scope.
    fields: tuple[tuple[str, bool], ...]
    #: Returns this other scope for a node and its own scope.
    make_inner: Callable[[ast.AST, Scope], Scope] | None


#: How each type of node is visited that has been seen.
VISITS: dict[type[ast.AST], Visit] = {}


def plan_visit(kind: type[ast.AST]) -> Visit:
    """Return how a type of node is visited."""
    fields = [field for field in kind._fields if field not in PLAIN_FIELDS]
    if kind is ast.arguments:
        # They stand in the scope of the function, but not the defaults.
        pairs = ((field, field.endswith("defaults")) for field in fields)
        return Visit(None, tuple(pairs), lambda _, scope: scope.parent or scope)
    inside = SCOPE_FIELDS.get(kind, frozenset())
    pairs = ((field, field in inside) for field in fields)
    return Visit(BINDERS.get(kind), tuple(pairs), Scope if inside else None)


def find_argument(call: ast.Call, position: int, keyword: str | None = None) -> ast.expr | None:
    """Return the argument at `position` (from 0) or of that name; `None` if it is not given as such."""
    for given in call.keywords:
        if keyword is not None and given.arg == keyword:
            return given.value
    before = call.args[: position + 1]
    if len(before) <= position or any(isinstance(given, ast.Starred) for given in before):
        return None
    return before[position]


def find_receiver(call: ast.Call, methods: Collection[str]) -> ast.expr | None:
    """Return the object whose method of one of these names is called, else `None`."""
    function = call.func
    return (
        function.value if isinstance(function, ast.Attribute) and function.attr in methods else None
    )
