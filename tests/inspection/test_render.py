from __future__ import annotations

import importlib.util
import marshal
import math
import os
import sys
from pathlib import Path
from types import CodeType

import pytest

from helpers.make_pyc import compile_source, timestamp_pyc
from pycache_guard.bytecode.code_object import Code, Container, Value
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.inspection.render import short_repr, walk_code

EXPRESSIONS = [
    *("('x',)", "()", "('x', 'y')", "(('x',),)", "((('x',),),)", "(1, ('x',), b'y')"),
    *("-0.0", "0.0", "1e400", "-1e400", "1e22", "0.1", "1e-7", "2j", "-0.0j", "1.5+2j"),
    *("10**30", "2**1000", "-5", "True", "None", "..."),
    *(r"'\ud800'", r"'\x00\x7f\u200e'", "'\u00e9'", "b'\\xff'", "'\"'", '"\'"', "b''", "''"),
    *("(None, True, ...)", "((),)", "(-0.0,)", "(1e400,)"),
]


def constants_of(code: CodeType) -> list[str]:
    return [repr(value) for value in code.co_consts if not isinstance(value, CodeType)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_constant_is_written_as_this_interpreter_writes_it(expression: str) -> None:
    code = compile_source(f"f({expression})\n")
    tree = read_pyc(timestamp_pyc(code, 0)).code
    assert list(map(short_repr, tree.consts)) == constants_of(code)


SETS = [
    ("x in {'a'}", "frozenset({'a'})"),
    ("x in {1}", "frozenset({1})"),
    ("x in {('a',)}", "frozenset({('a',)})"),
]


@pytest.mark.parametrize(("expression", "expected"), SETS)
def test_frozenset_is_written_as_python_writes_it(expression: str, expected: str) -> None:
    tree = read_pyc(timestamp_pyc(compile_source(f"{expression}\n"), 0)).code
    assert expected in map(short_repr, tree.consts)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Container("set", ()), "set()"),
        (Container("set", (1, 2)), "{1, 2}"),
        (Container("frozenset", ()), "frozenset()"),
        (Container("frozenset", (1, 2)), "frozenset({1, 2})"),
        (Container("list", ()), "[]"),
        (Container("list", ("x",)), "['x']"),
        (Container("dict", ()), "{}"),
        (Container("dict", (1, "x", 2, ("y",))), "{1: 'x', 2: ('y',)}"),
        # Python 3.15.
        (Container("frozendict", (1, 2)), "frozendict({1: 2})"),
        (Container("frozendict", ()), "frozendict()"),
        # Python 3.14.
        (Container("slice", (1, None, ("a",))), "slice(1, None, ('a',))"),
        (StopIteration, "<class 'StopIteration'>"),
        (math.nan, "nan"),
        (complex(-0.0, -0.0), repr(complex(-0.0, -0.0))),
        (complex(math.nan, -math.inf), repr(complex(math.nan, -math.inf))),
        (2**1024, "<int of 1025 bits>"),
        ("x" * 41, repr("x" * 40) + "…"),
        ((1, 2, 3, 4, 5), "(1, 2, 3, 4, …)"),
        (Container("dict", (1, 2) * 5), "{1: 2, 1: 2, 1: 2, 1: 2, …}"),
        ((((((1,),),),),), "((((<tuple of 1>,),),),)"),
        (((((Container("dict", (1, 2)),),),),), "((((<dict of 1>,),),),)"),
    ],
)
def test_value_without_constant_expression_is_written(value: Value, expected: str) -> None:
    assert short_repr(value) == expected


def is_short(value: object) -> bool:
    """Whether nothing of it is cut short, nor written in an order of its own."""
    if isinstance(value, tuple):
        return len(value) <= 4 and all(map(is_short, value))
    if isinstance(value, frozenset | CodeType):
        return False
    return not isinstance(value, str | bytes) or len(value) <= 40


def all_code(code: CodeType) -> list[CodeType]:
    inner = [all_code(value) for value in code.co_consts if isinstance(value, CodeType)]
    return [code, *(found for codes in inner for found in codes)]


MODULES = ["argparse", "ast", "tarfile", "email.utils", "fractions", "locale", "opcode", "turtle"]


@pytest.mark.parametrize("module", MODULES)
def test_constants_of_the_standard_library_are_written_as_by_this_interpreter(module: str) -> None:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    code = compile_source(Path(spec.origin).read_bytes())
    tree = read_pyc(timestamp_pyc(code, 0)).code
    ours = [nested for _, nested in walk_code(tree)]
    theirs = {
        (nested.co_name, nested.co_firstlineno, marshal.dumps(nested.co_code)): nested
        for nested in all_code(code)
    }
    compared = 0
    for nested in ours:
        same = theirs[nested.name, nested.firstlineno, marshal.dumps(nested.code)]
        for mine, real in zip(nested.consts, same.co_consts, strict=True):
            if not isinstance(mine, Code) and is_short(real):
                assert short_repr(mine) == repr(real)
                compared += 1
    assert compared > 20, (module, sys.version, os.name)
