"""Arguments, flags, docstrings and imports, by every interpreter: those of the fixtures, and this one."""

from __future__ import annotations

import base64
import inspect
import sys
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from helpers.make_pyc import compile_source, foreign_pyc, timestamp_pyc
from inspection.planted import FIXTURES, read_fixture
from pycache_guard.bytecode.class_lines import mask_class_lines, stores_class_lines
from pycache_guard.bytecode.code_facts import (
    find_docstring,
    is_function,
    iter_imports,
    iter_instructions,
    list_arguments,
    name_flags,
)
from pycache_guard.bytecode.code_object import Code
from pycache_guard.bytecode.magic import Magic
from pycache_guard.bytecode.pyc import Pyc, read_pyc
from pycache_guard.inspection.scopes import MAX_QUALIFIED_CHARS, qualify, walk_scopes

PLANTED = sorted(path.stem for path in FIXTURES.glob("*.txt"))
FOREIGN = sorted(path.stem for path in (Path(__file__).parent / "fixtures").glob("*.txt"))


def scopes(pyc: Pyc) -> dict[str, Code]:
    return {scope.name: scope.code for scope in walk_scopes(pyc.code)}


def first_pyc(name: str) -> Pyc:
    return read_pyc(read_fixture(name)[0][1])


def pyc_of(source: str, level: int = 0) -> Pyc:
    return read_pyc(timestamp_pyc(compile_source(source, level), 0))


@pytest.mark.parametrize("name", PLANTED)
def test_arguments_are_those_of_the_source(name: str) -> None:
    found = scopes(first_pyc(name))
    assert list_arguments(found["function"]) == [
        "a",
        "planted_argument",
        "*planted_args",
        "**planted_kwargs",
    ]
    assert list_arguments(found["planted_Class.planted_method"]) == ["self"]
    if "annotated" in found:
        assert list_arguments(found["annotated"]) == ["a", "*", "planted_kwonly"]
    if "positional" in found:
        assert list_arguments(found["positional"]) == ["planted_positional", "/", "a"]


@pytest.mark.parametrize("name", PLANTED)
def test_docstrings_are_those_of_the_source(name: str) -> None:
    pyc = first_pyc(name)
    magic, found = pyc.header.magic, scopes(pyc)
    docstrings = {scope: find_docstring(code, magic) for scope, code in found.items()}
    assert "planted-module-docstring" in (docstrings["<module>"] or "")
    assert "planted-function-docstring" in (docstrings["function"] or "")
    assert docstrings["planted_Class"] == "planted-class-docstring"
    assert docstrings["planted_Class.planted_method"] == "planted-method-docstring"
    for scope in ("outer", "outer.inner", "decorated", "planted_Class.planted_Inner", "<lambda>"):
        assert docstrings[scope] is None


@pytest.mark.parametrize("name", PLANTED)
def test_imports_are_those_of_the_source(name: str) -> None:
    pyc = first_pyc(name)
    magic, found = pyc.header.magic, scopes(pyc)
    assert [*iter_imports(found["<module>"], magic)] == ["os.path", "os"]
    assert [*iter_imports(found["function"], magic)] == ["planted_module", "planted_package"]


@pytest.mark.parametrize("name", FOREIGN)
def test_imports_of_basic(name: str) -> None:
    pyc = read_pyc(foreign_pyc(name))
    imports = {
        module for code in scopes(pyc).values() for module in iter_imports(code, pyc.header.magic)
    }
    assert {"os", "sys"} <= imports


@pytest.mark.parametrize("name", PLANTED)
def test_flags_have_names(name: str) -> None:
    pyc = first_pyc(name)
    magic, found = pyc.header.magic, scopes(pyc)
    assert {"OPTIMIZED", "NEWLOCALS", "VARARGS", "VARKEYWORDS"} <= {
        *name_flags(found["function"].flags, magic)
    }
    assert "GENERATOR" in name_flags(found["decorated"].flags, magic)
    assert "NESTED" in name_flags(found["outer.inner"].flags, magic)
    if "coroutine" in found:
        assert "COROUTINE" in name_flags(found["coroutine"].flags, magic)
    named = [flag for code in found.values() for flag in name_flags(code.flags, magic)]
    # PyPy has a bit of its own for code with a docstring.
    own = {"0x2000000"} if magic.implementation == "PyPy" else set()
    assert {flag for flag in named if flag.startswith("0x")} == own


@pytest.mark.parametrize("name", [name for name in PLANTED if len(read_fixture(name)) > 1])
def test_future_flag_has_its_name(name: str) -> None:
    pyc = read_pyc(read_fixture(name)[1][1])
    assert "FUTURE_ANNOTATIONS" in name_flags(pyc.code.flags, pyc.header.magic)


def test_unknown_flag_is_a_number() -> None:
    magic = pyc_of("").header.magic
    assert name_flags(0x1 | 1 << 30, magic) == ["OPTIMIZED", "0x40000000"]


SIGNATURES = [
    "()",
    "(a)",
    "(a, b=1)",
    "(*a)",
    "(**a)",
    "(a, /)",
    "(a, /, b, *, c)",
    "(*, a=1, **b)",
    "(a, *b, c, **d)",
]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_arguments_are_those_of_this_interpreter(signature: str) -> None:
    source = f"def f{signature}: x = 1\n"
    (code,) = [value for value in compile_source(source).co_consts if isinstance(value, CodeType)]
    defaults = (1,) * signature.partition("*")[0].count("=")
    function = FunctionType(code, {}, argdefs=defaults)
    expected = str(inspect.signature(function)).replace("=1", "").strip("()")
    assert ", ".join(list_arguments(scopes(pyc_of(source))["f"])) == expected


IMPORTS = [
    ("import a, b.c as d", ["a", "b.c"]),
    ("from a import b, c", ["a"]),
    ("from . import b, c", [".b", ".c"]),
    ("from .. import b", ["..b"]),
    ("from ..a.b import c", ["..a.b"]),
    ("from a import *", ["a"]),
    ("def f():\n import a", []),
    ("x = 1", []),
    (
        "".join([f"x{n} = 'c{n}'\n" for n in range(300)])
        + "import name.of_many\nfrom .late import a",
        ["name.of_many", ".late"],
    ),
]


@pytest.mark.parametrize(("source", "modules"), IMPORTS)
def test_imports_of_a_module(source: str, modules: list[str]) -> None:
    pyc = pyc_of(source)
    assert [*iter_imports(pyc.code, pyc.header.magic)] == modules


DOCSTRINGS = [
    ('"""Doc."""', "<module>", "Doc."),
    ("x = 'text'", "<module>", None),
    ("", "<module>", None),
    ("def f():\n 'Doc.'", "f", "Doc."),
    ("def f():\n return 'text'", "f", None),
    ("async def f():\n 'Doc.'", "f", "Doc."),
    ("class C:\n 'Doc.'", "C", "Doc."),
    ("class C:\n x = 'text'", "C", None),
    ("class C:\n class D:\n  'Doc.'", "C.D", "Doc."),
    ("f = lambda: 'text'", "<lambda>", None),
    ("x = ('text' for _ in y)", "<genexpr>", None),
]


@pytest.mark.parametrize(("source", "scope", "docstring"), DOCSTRINGS)
def test_docstring_of_this_interpreter(source: str, scope: str, docstring: str | None) -> None:
    pyc = pyc_of(source)
    assert find_docstring(scopes(pyc)[scope], pyc.header.magic) == docstring


def test_docstrings_are_gone_at_level_2() -> None:
    pyc = pyc_of('"""Doc."""\ndef f():\n "Doc."\n return "text"\nclass C:\n "Doc."\n', 2)
    assert {find_docstring(code, pyc.header.magic) for code in scopes(pyc).values()} == {None}


def forged(original: Code, **fields: object) -> Code:
    return Code({**original.fields, **fields})  # type: ignore[dict-item]


def test_facts_of_forged_code_do_not_raise() -> None:
    pyc = pyc_of("import a\ndef f(b): 'Doc.'\n")
    magic, found = pyc.header.magic, scopes(pyc)
    assert find_docstring(forged(found["f"], consts=()), magic) is None
    assert find_docstring(forged(pyc.code, consts=()), magic) is None
    assert [*iter_imports(forged(pyc.code, names=()), magic)] == ["?"]
    assert [*iter_imports(forged(pyc.code, consts=()), magic)] == ["a"]
    relative = pyc_of("from . import a\n")
    consts = [value if not isinstance(value, tuple) else (1,) for value in relative.code.consts]
    assert [*iter_imports(forged(relative.code, consts=(*consts,)), magic)] == [".?"]
    consts = [value if not isinstance(value, tuple) else None for value in relative.code.consts]
    assert [*iter_imports(forged(relative.code, consts=(*consts,)), magic)] == []
    many = forged(found["f"], argcount=10**9, kwonlyargcount=10**9, flags=0xF)
    assert len(list_arguments(many)) < 3000
    assert is_function(found["f"])
    assert not is_function(pyc.code)


@pytest.mark.parametrize(
    ("implementation", "version", "number"),
    [("Jython", "2.7", 0), ("CPython", "2.4", 62061), ("RustPython", "3", 2997)],
)
def test_unknown_instructions_are_not_read(implementation: str, version: str, number: int) -> None:
    magic = Magic(number.to_bytes(2, "little") + b"\r\n", implementation, version, 8, True)
    assert [*iter_instructions(b"l\0\0", magic)] == []
    assert [*iter_imports(pyc_of("import a").code, magic)] == []


def test_instructions_before_wordcode() -> None:
    magic = read_pyc(foreign_pyc("cpython-27")).header.magic
    # POP_TOP, LOAD_CONST 1, EXTENDED_ARG 1, LOAD_CONST 2, and half an instruction.
    code = bytes([1, 100, 1, 0, 145, 1, 0, 100, 2, 0, 100])
    assert [*map(tuple, iter_instructions(code, magic))] == [
        (1, 0, 0),
        (100, 1, 1),
        (100, 0x10002, 7),
        (100, 0, 10),
    ]


@pytest.mark.parametrize("name", ["cpython-313", "cpython-314", "cpython-315"])
def test_first_lines_of_classes_are_masked(name: str) -> None:
    pyc = read_pyc(read_fixture(name)[0][1])
    assert stores_class_lines(pyc.header.magic)
    code = pyc.read_again()
    mask_class_lines(code, pyc.header.magic)
    before, after = scopes(pyc), {scope.name: scope.code for scope in walk_scopes(code)}
    for scope in ("planted_Class", "planted_Class.planted_Inner", "Annotated"):
        assert before[scope].code != after[scope].code
        assert len(before[scope].code) == len(after[scope].code)
        assert 0 in after[scope].consts
    assert before["function"] == after["function"]


@pytest.mark.parametrize("name", ["cpython-312", "pypy-311"])
def test_nothing_is_masked_where_classes_store_no_lines(name: str) -> None:
    pyc = read_pyc(read_fixture(name)[0][1])
    assert not stores_class_lines(pyc.header.magic)
    code = pyc.read_again()
    mask_class_lines(code, pyc.header.magic)
    assert code == pyc.code


def test_forged_class_bodies_are_not_masked() -> None:
    pyc = read_pyc(read_fixture("cpython-313")[0][1])
    magic = pyc.header.magic
    code = scopes(pyc)["planted_Class"]
    for fields in ({"firstlineno": 1}, {"code": b""}, {"consts": ()}):
        changed = forged(code, **fields)
        copy = forged(changed)
        mask_class_lines(copy, magic)
        assert copy == changed
    # An index beyond the constants stays as it is.
    names = code.fields["names"]
    assert isinstance(names, tuple)
    load = bytes([83, 200, 83, 1, 114, names.index("__firstlineno__")])
    changed = forged(code, code=load, consts=("C", code.firstlineno))
    mask_class_lines(changed, magic)
    assert changed.code[:4] == bytes([83, 200, 83, 0])
    assert changed.consts == (0, "C")
    # A constant that is used twice keeps one place.
    changed = forged(code, code=bytes([83, 0]) * 2 + load[2:], consts=("C", code.firstlineno))
    mask_class_lines(changed, magic)
    assert changed.code == bytes([83, 1, 83, 1, 83, 0]) + load[4:]


def test_qualified_names_are_cut() -> None:
    assert qualify("", "f") == "f"
    assert qualify("C", "f") == "C.f"
    assert qualify("", "n" * 100) == "n" * 80 + "…"
    assert len(qualify("o" * MAX_QUALIFIED_CHARS, "f")) == MAX_QUALIFIED_CHARS + 1


def test_fixture_is_base64_of_this_version() -> None:
    line = (FIXTURES / "cpython-313.txt").read_text("ascii").splitlines()[0]
    assert base64.b64decode(line)[:2] == (3571).to_bytes(2, "little")
    assert sys.version_info >= (3, 10)
