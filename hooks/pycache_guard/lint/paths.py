"""Resolve the text that an expression builds: the end of a path, its parts."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.lint.module import Module

    #: Pieces of text in order; `None` is an unknown piece.
    Pieces = list[str | None]

#: Calls whose arguments are parts of one path.
JOINS = frozenset(
    {
        "os.path.join",
        "posixpath.join",
        "ntpath.join",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PosixPath",
        "pathlib.PurePosixPath",
        "pathlib.WindowsPath",
        "pathlib.PureWindowsPath",
    }
)
#: Calls that return the path they are given, in another form.
IDENTITY_CALLS = frozenset(
    {
        "builtins.str",
        "os.fspath",
        "os.fsencode",
        "os.fsdecode",
        "os.path.abspath",
        "os.path.realpath",
        "os.path.normpath",
        "os.path.expanduser",
    }
)
#: Calls that return where bytecode is.
CACHES = frozenset(
    {"importlib.util.cache_from_source", "imp.cache_from_source", "py_compile.compile"}
)
#: Calls that return some of what they are given.
FILTERING_CALLS = frozenset(
    {"builtins.sorted", "builtins.list", "builtins.set", "builtins.reversed"}
)
#: Methods of `pathlib.Path` that return the same path in another form.
SAME_METHODS = frozenset({"absolute", "resolve", "expanduser", "as_posix"})


FORMATTED = re.compile(r"%(?:\([^)%]*\))?[-#0 +]*(?:[1-9*][\d*]*)?(?:\.[\d*]+)?[a-zA-Z]|\{[^{}]*\}")
#: The maximum nesting of a path expression that is resolved.
MAX_PATH_DEPTH = 12
#: A path of more pieces than this is not known.
MAX_PIECES = 1000

BYTECODE = (".pyc", ".pyo")
#: Calls that return a path of bytecode, and patterns for it.
BYTECODE_SOURCES = ("cache_from_source", "py_compile", "py[co]", "py[oc]")
#: The trigger words of rules that ask for a path of bytecode.
BYTECODE_WORDS = (*BYTECODE, *BYTECODE_SOURCES)
#: The same where a path ends: a literal ends there, or goes on with a slash, a wildcard or a value.
BYTECODE_ENDS = (
    *(word + end for word in (*BYTECODE, "__pycache__") for end in "\"'/\\%{*?"),
    *BYTECODE_SOURCES,
)


def string_parts(module: Module, node: ast.expr | None, depth: int = MAX_PATH_DEPTH) -> Pieces:
    """Return the text that `node` builds, as far as it is known. Each node is visited once."""
    if node is None or not depth:
        return [None]
    known: dict[tuple[ast.expr, int], Pieces] = module.memory.setdefault(string_parts, {})  # type: ignore[assignment]
    found = known.get((node, depth))
    if found is None:
        found = read_pieces(module, node, depth)
        known[node, depth] = found = found if len(found) <= MAX_PIECES else [None]
    return found


def read_pieces(module: Module, node: ast.expr, depth: int) -> Pieces:
    """Return the text that `node` builds, from what its parts build."""
    if isinstance(node, ast.Constant):
        return read_literal(node.value)
    if isinstance(node, ast.JoinedStr):
        return flatten(string_parts(module, part, depth - 1) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        plain = node.format_spec is None and node.conversion == -1
        return string_parts(module, node.value, depth - 1) if plain else [None]
    if isinstance(node, ast.BinOp):
        return read_operation(module, node, depth - 1)
    if isinstance(node, ast.Call):
        return read_call(module, node, depth - 1)
    if isinstance(node, ast.Name):
        return read_name(module, node, depth - 1)
    # Whatever its path, it is a Python.
    return ["python" if "sys.executable" in module.qualified_names(node) else None]


def read_literal(value: object) -> Pieces:
    """Return the text of a literal; bytes as Latin-1."""
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    return [value if isinstance(value, str) else None]


def read_operation(module: Module, node: ast.BinOp, depth: int) -> Pieces:
    """Return what `a + b`, `a / b` (pathlib) or `"…" % b` builds."""
    left = string_parts(module, node.left, depth)
    if isinstance(node.op, ast.Add):
        return left + string_parts(module, node.right, depth)
    if isinstance(node.op, ast.Div):
        return join_parts([left, string_parts(module, node.right, depth)])
    if isinstance(node.op, ast.Mod) and left != [None]:
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return interpolate(module, left, values, depth)
    return [None]


def interpolate(module: Module, template: Pieces, values: list[ast.expr], depth: int) -> Pieces:
    """Return a template with its placeholders replaced in order, if their number fits."""
    found: Pieces = []
    places = sum(len(FORMATTED.findall(piece)) for piece in template if piece)
    rest = iter(values if places == len(values) else [])
    for piece in template:
        texts = [None] if piece is None else FORMATTED.split(piece)
        found.append(texts[0])
        for text in texts[1:]:
            found += [*string_parts(module, next(rest, None), depth), text]
    return found


def read_call(module: Module, node: ast.Call, depth: int) -> Pieces:
    """Return what a call builds that joins, formats or changes a path."""
    origins = module.qualified_names(node.func)
    parts = [string_parts(module, argument, depth) for argument in node.args]
    if parts and origins & JOINS:
        return join_parts(parts)
    if parts and origins & IDENTITY_CALLS:
        return parts[0]
    if origins & CACHES:
        return [None, ".pyc"]
    if not isinstance(node.func, ast.Attribute):
        return [None]
    base, method = node.func.value, node.func.attr
    if method in SAME_METHODS:
        return string_parts(module, base, depth)
    if method == "joinpath":
        return join_parts([string_parts(module, base, depth), *parts])
    if method == "format":
        return interpolate(
            module, string_parts(module, base, depth), [] if node.keywords else node.args, depth
        )
    if method == "with_suffix" and parts:
        return [None, *parts[0]]
    if method == "with_name" and parts:
        return [None, "/", *parts[0]]
    return [None]


def read_name(module: Module, node: ast.Name, depth: int) -> Pieces:
    """Return the text of the only value of a name, or of every element that is iterated over."""
    bindings = module.scope(node).lookup(node.id)
    if not bindings or len(bindings) > 1 or bindings[0].value is None:
        return [None]
    if bindings[0].is_iteration:
        return read_elements(module, bindings[0].value, depth)
    return string_parts(module, bindings[0].value, depth)


def read_elements(module: Module, node: ast.expr, depth: int) -> Pieces:
    """Return what every element of a search for file names has in common."""
    node = module.value(node)
    if not isinstance(node, ast.Call) or not node.args or not depth:
        return [None]
    origins = module.qualified_names(node.func)
    if origins & FILTERING_CALLS:
        return read_elements(module, node.args[0], depth - 1)
    if origins & {"fnmatch.filter"}:
        return split_pattern(string_parts(module, node.args[-1], depth))
    if origins & {"glob.glob", "glob.iglob"}:
        return split_pattern(string_parts(module, node.args[0], depth))
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("glob", "rglob"):
        return [None, "/", *split_pattern(string_parts(module, node.args[0], depth))]
    return [None]


def split_pattern(found: Pieces) -> Pieces:
    """Return the text of a pattern; its wildcards are unknown pieces.

    `*.py[co]` is taken for `*.pyc`.
    """
    split: Pieces = []
    for piece in found:
        texts = (
            [None]
            if piece is None
            else re.split(r"[*?]+", piece.replace("[co]", "c").replace("[oc]", "c"))
        )
        for text in texts:
            split += [text, None]
        split.pop()
    return split


def join_parts(parts: Iterable[Pieces]) -> Pieces:
    """Put `/` between the parts of a path."""
    found: Pieces = []
    for part in parts:
        found += ["/", *part] if found else part
    return found


def flatten(parts: Iterable[Pieces]) -> Pieces:
    """Put parts together as they are."""
    return [piece for part in parts for piece in part]


def render_parts(found: Pieces) -> str:
    """Return the text with a NUL, which no path holds, for each unknown piece."""
    return "".join("\0" if piece is None else piece.replace("\0", "") for piece in found)


def is_bytecode(module: Module, node: ast.expr | None) -> bool:
    """Return whether the path that `node` builds certainly ends like bytecode."""
    return render_parts(string_parts(module, node)).lower().endswith(BYTECODE)
