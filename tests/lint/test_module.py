"""Names through scopes and aliases, places, marks: what every rule builds on."""

from __future__ import annotations

import ast
import inspect
import sys

import pytest

from pycache_guard.lint import lint, lint_source
from pycache_guard.lint.module import Module
from pycache_guard.lint.source import lines_of

HIT = "marshal.loads(data[16:])"

#: Ways to name `marshal.loads`, and ways that only look like it.
NAMED = [
    "import marshal\nmarshal.loads(data[16:])",
    "import marshal as m\nm.loads(data[16:])",
    "from marshal import loads\nloads(data[16:])",
    "from marshal import loads as x\nx(data[16:])",
    "from marshal import *\nloads(data[16:])",
    "import marshal\nload = marshal.loads\nload(data[16:])",
    "import marshal as a\nb = a\nc = b\nc.loads(data[16:])",
    "import marshal\nx: object = marshal.loads\nx(data[16:])",
    "import marshal\nif (m := marshal): m.loads(data[16:])",
    "import importlib\nm = importlib.import_module('marshal')\nm.loads(data[16:])",
    "__import__('marshal').loads(data[16:])",
    "import marshal\ndef f(): return marshal.loads(data[16:])",
    "def f():\n    import marshal\n    marshal.loads(data[16:])",
    "def f():\n    global marshal\n    import marshal\nmarshal.loads(data[16:])",
    "def f():\n    m = 1\n    def g():\n        nonlocal m\n        import marshal as m\n    m.loads(data[16:])",
    "def f():\n    def g():\n        nonlocal m\n        import marshal as m\n    m = 1\n    m.loads(data[16:])",
    "class A:\n    import marshal\n    x = marshal.loads(data[16:])",
    "import marshal\nclass A:\n    def f(self): return marshal.loads(data[16:])",
    "try:\n    import marshal\nexcept ImportError:\n    marshal = None\nmarshal.loads(data[16:])",
    "import marshal\nf = lambda: marshal.loads(data[16:])",
    "import marshal\nx = [marshal.loads(d[16:]) for d in data]",
    "import marshal\nx = {k: marshal.loads(d[16:]) for k, d in data}",
    "import marshal\nasync def f(): return marshal.loads(data[16:])",
    "import marshal\ndef f(x=marshal.loads(data[16:])): ...",
    "import marshal\ndef f(*, marshal=marshal.loads(data[16:])): ...",
    "import marshal\n@marshal.loads(data[16:])\ndef f(marshal): ...",
]
LOOK_ALIKES = [
    HIT,
    "from . import marshal\nmarshal.loads(data[16:])",
    "from .. import marshal\nmarshal.loads(data[16:])",
    "from my import marshal\nmarshal.loads(data[16:])",
    "import my.marshal\nmy.marshal.loads(data[16:])",
    "import json as marshal\nmarshal.loads(data[16:])",
    "from my import *\nmarshal.loads(data[16:])",
    "def marshal(): ...\nmarshal.loads(data[16:])",
    "class marshal: ...\nmarshal.loads(data[16:])",
    "import marshal\ndef f(marshal): return marshal.loads(data[16:])",
    "import marshal\nf = lambda marshal: marshal.loads(data[16:])",
    "import marshal\ndef f(*marshal): return marshal.loads(data[16:])",
    "import marshal\nx = [marshal.loads(marshal[16:]) for marshal in data]",
    "def f():\n    import marshal\nmarshal.loads(data[16:])",
    "class A:\n    import marshal\n    def f(self): return marshal.loads(data[16:])",
    "def f():\n    global x\n    x = marshal\n    x.loads(data[16:])",
    "def f():\n    try: ...\n    except E as marshal: marshal.loads(data[16:])",
    "match x:\n    case [*marshal]: marshal.loads(data[16:])",
    "match x:\n    case {**marshal}: marshal.loads(data[16:])",
    "match x:\n    case int() as marshal: marshal.loads(data[16:])",
    "for marshal in x: marshal.loads(data[16:])",
    "with x as marshal: marshal.loads(data[16:])",
    "import importlib\nm = importlib.import_module(name)\nm.loads(data[16:])",
    "import importlib\nm = importlib.import_module(b'marshal')\nm.loads(data[16:])",
    "import importlib\nm = importlib.reload('marshal')\nm.loads(data[16:])",
    "marshal = marshal\nmarshal.loads(data[16:])",
    "a, b = marshal, 1\na.loads(data[16:])",
    "self.marshal.loads(data[16:])",
    "x['marshal'].loads(data[16:])",
    "nonlocal marshal\nmarshal.loads(data[16:])",
    "import marshal\na = marshal\nb = a\nc = b\nd = c\ne = d\nf = e\nf.loads(data[16:])",
    "nonlocal_ = 1\ndef f():\n    def g():\n        nonlocal marshal\n        marshal.loads(data[16:])",
]


def codes(source: str) -> list[str]:
    """Lint what may be no whole program: the parser alone does not mind a lone `nonlocal`."""
    return [f.rule.name for f in lint(ast.parse(source), lines_of(source), "pkg/mod.py")]


@pytest.mark.parametrize("source", NAMED)
def test_name_that_stands_for_marshal_is_reported(source: str) -> None:
    assert codes(source) == ["PYC401"]


@pytest.mark.parametrize("source", LOOK_ALIKES)
def test_name_that_only_looks_alike_is_not_reported(source: str) -> None:
    assert codes(source) == []


def test_type_parameter_hides_an_import() -> None:
    source = "import marshal\ndef f[marshal](x): return marshal.loads(x[16:])"
    try:
        ast.parse(source)
    except SyntaxError:  # before 3.12
        assert codes(source.replace("[marshal](x)", "(marshal, x)")) == []
    else:
        assert codes(source) == []


PLACES = [
    ("import marshal\nmarshal.loads(d[16:])", (2, 1, 2, 22)),
    ("import marshal\nx = (marshal.loads(\n    d[16:]\n))", (2, 6, 4, 2)),
    ("import marshal\ns = 'größe €'; marshal.loads(d[16:])", (2, 16, 2, 37)),
    (
        "import marshal\ns = '\U0001f40d\U0001f40d'; marshal.loads('\U0001f40d'[16:])",
        (2, 11, 2, 34),
    ),
    ("import marshal\r\ns = '''a\r\nb'''; marshal.loads(d[16:])", (3, 7, 3, 28)),
    ("import marshal\rmarshal.loads(d[16:])", (2, 1, 2, 22)),
    ("import marshal\n\x0c\nx = '\x0b\u2028'; marshal.loads(d[16:])", (3, 11, 3, 32)),
    ("\ufeffimport marshal; marshal.loads(d[16:])", (1, 17, 1, 38)),
]


@pytest.mark.parametrize(("source", "place"), PLACES)
def test_finding_has_line_and_columns_in_characters(
    source: str, place: tuple[int, int, int, int]
) -> None:
    (found,) = lint_source(source.encode(), "a.py")
    assert (found.line, found.column, found.end_line, found.end_column) == place


def test_finding_beyond_the_given_lines_keeps_byte_columns() -> None:
    (found,) = lint(ast.parse(f"import marshal\n{HIT}"), [f"import marshal; {HIT}"], "a.py")
    assert (found.line, found.column, found.end_column) == (2, 1, 25)


def test_findings_are_ordered_by_place() -> None:
    source = f"import marshal, py_compile\npy_compile.compile(p)\nexec({HIT})\n"
    found = lint_source(source.encode(), "a.py")
    assert [(f.line, f.column, f.rule.name) for f in found] == [
        (2, 1, "PYC413"),
        (3, 1, "PYC402"),
        (3, 6, "PYC401"),
    ]
    assert all(f.hint and not f.fix for f in found)


def test_source_without_trigger_words_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Module, "_walk")
    assert lint_source(b"import os\nos.remove(x)\n", "a.py") == []
    with pytest.raises(AttributeError):
        lint_source(f"import marshal\n{HIT}".encode(), "a.py")


@pytest.mark.parametrize(
    "deep",
    [
        "x = " + " + ".join(["'x'"] * 900) + " + '.pyc'",
        "x = a" + ".b" * 900,
        "x = " + "not " * 900 + "a",
        "x = " + "a if b else " * 900 + "c",
        "if a: ...\n" + "elif b: ...\n" * 900,
    ],
)
def test_deeply_nested_source_is_linted(deep: str) -> None:
    """What the parser bears, we bear: nothing here calls itself per level."""
    source = f"import marshal\n{deep}\nexec({HIT})\n"
    tree, lines = ast.parse(source), lines_of(source)
    limit = sys.getrecursionlimit()
    depth = len(inspect.stack())
    sys.setrecursionlimit(depth + 120)
    try:
        found = lint(tree, lines, "pkg/mod.py")
    finally:
        sys.setrecursionlimit(limit)
    assert [f.rule.name for f in found] == ["PYC402", "PYC401"]
