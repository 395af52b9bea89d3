from __future__ import annotations

import importlib.util
import marshal
import struct
from types import CodeType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.bytecode.code_diff import Difference, find_difference, find_other_instructions
from pycache_guard.bytecode.code_object import Code, Container, HugeInt, Value, marshal_format
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.unmarshal import read_code

SOURCE = """
def outer(a, /, b, *args, c=(1, -0.0, b"x"), **rest):
    d = [e for e in rest if e in {1, "two", (3, 4.5j)}]
    return lambda: (d, a, ...)
class Scope:
    '''Doc.'''
    def method(self):
        return "constant"
"""


def compiled(source: str = SOURCE, filename: str = "source.py") -> CodeType:
    return compile(source, filename, "exec", dont_inherit=True)


def tree(code: CodeType, version: int = marshal.version) -> Code:
    magic = identify_magic(importlib.util.MAGIC_NUMBER)
    assert magic is not None
    dialect = marshal_format(magic)
    assert dialect is not None
    return read_code(marshal.dumps(code, version), 0, dialect)[0]


def code(*consts: Value, **fields: Value) -> Code:
    """Make a code object by hand."""
    plain: dict[str, Value] = {"flags": 0, "code": b"c", "names": (), "filename": "f"}
    rest: dict[str, Value] = {"name": "<module>", "firstlineno": 1, "linetable": b"l"}
    return Code({**plain, **rest, "consts": consts, **fields})


@pytest.mark.parametrize("version", [3, 4])
def test_references_and_interning_make_no_difference(version: int) -> None:
    assert find_difference(tree(compiled()), tree(compiled(), version)) is None


def test_file_name_makes_no_difference() -> None:
    assert find_difference(tree(compiled()), tree(compiled(filename="elsewhere.py"))) is None


EDITS = [
    ("'two'", "'too'", ("<module>", "outer", "<listcomp>"), "consts"),
    ("c=(1, -0.0", "c=(1, 0.0", ("<module>",), "consts"),
    ("'Doc.'", "'Dog.'", ("<module>", "Scope"), "consts"),
    ("method", "melody", ("<module>", "Scope"), "names"),
    ("constant", "Constant", ("<module>", "Scope", "method"), "consts"),
    ("return lambda", "yield lambda", ("<module>", "outer"), "flags"),
    ("return lambda", "\n    return lambda", ("<module>", "outer", "<lambda>"), "firstlineno"),
]


@pytest.mark.parametrize(("old", "new", "path", "field"), EDITS)
def test_edited_source_is_a_difference(
    old: str, new: str, path: tuple[str, ...], field: str
) -> None:
    assert old.replace("'", '"') in SOURCE.replace("'", '"')
    edited = SOURCE.replace(old, new).replace(old.replace("'", '"'), new.replace("'", '"'))
    found = find_difference(tree(compiled()), tree(compiled(edited)))
    assert found is not None
    assert found.path[: len(path) - 1] == path[:-1]
    assert not found.only_lines


def edits_of(code: CodeType) -> dict[str, dict[str, Any]]:
    return {
        "argcount": {"co_argcount": code.co_argcount + 1, "co_varnames": (*code.co_varnames, "z"),
                     "co_nlocals": code.co_nlocals + 1},
        "flags": {"co_flags": code.co_flags ^ 0x20000},
        "stacksize": {"co_stacksize": code.co_stacksize + 1},
        "code": {"co_code": code.co_code + code.co_code[-2:]},
        "names": {"co_names": (*code.co_names, "z")},
        "consts": {"co_consts": (*code.co_consts, "z")},
        "consts[0]": {"co_consts": ("z", *code.co_consts[1:])},
        "name": {"co_name": "z"},
        "firstlineno": {"co_firstlineno": code.co_firstlineno + 1},
    }  # fmt: skip


def edit_code(path: list[CodeType], changes: dict[str, Any]) -> CodeType:
    """Return the first code object of a path, in which the last one is changed.

    From 3.14 on, `replace` forgets the kinds of arguments, also if nothing is changed (`localspluskinds`).
    """
    edited = path[-1].replace(**changes)
    for outer, inner in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
        consts = tuple(edited if part is inner else part for part in outer.co_consts)
        edited = outer.replace(co_consts=consts)
    return edited


@pytest.mark.parametrize("field", list(edits_of(compiled())))
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_edited_field_is_the_difference(field: str, depth: int) -> None:
    path = [compiled()]
    for _ in range(depth):
        path.append(next(part for part in path[-1].co_consts if isinstance(part, CodeType)))
    original, edited = edit_code(path, {}), edit_code(path, edits_of(path[-1])[field])
    expected = Difference(tuple(part.co_name for part in path), field, only_lines=False)
    assert find_difference(tree(original), tree(edited)) == expected


@pytest.mark.parametrize("field", list(edits_of(compiled())))
def test_patch_levels_differ_in_instructions_and_in_nothing_else(field: str) -> None:
    module = compiled()
    original, edited = edit_code([module], {}), edit_code([module], edits_of(module)[field])
    expected, found = tree(original), tree(edited)
    pairs = find_other_instructions(expected, found)
    assert pairs == ([(expected, found)] if field in ("code", "stacksize") else None)


def test_patch_levels_differ_in_line_tables_too() -> None:
    inner, other_lines = code(), code(linetable=b"m")
    edited_inner = code(code=b"d", linetable=b"m")
    expected = code(inner, code(), stacksize=2)
    edited = code(edited_inner, other_lines, linetable=b"m", stacksize=1)
    assert find_other_instructions(expected, edited) == [(expected, edited), (inner, edited_inner)]
    other_file = code(code(code=b"d", filename="g"))
    assert find_other_instructions(code(code()), other_file) is None


NAN = struct.unpack("<d", b"\1\0\0\0\0\0\xf8\x7f")[0]


def frozen(*items: Value) -> Value:
    return Container("frozenset", items)


SAME: list[tuple[Value, Value]] = [
    (NAN, NAN),
    (frozen(1, "a", (2, 3.0)), frozen((2, 3.0), 1, "a")),
    (frozen(frozen(1, 2), frozen()), frozen(frozen(), frozen(2, 1))),
    ((frozen(b"a", ...),), (frozen(..., b"a"),)),
    (Container("slice", (None, 1, 2)), Container("slice", (None, 1, 2))),
    (frozen(code(1)), frozen(code(1))),
    (StopIteration, StopIteration),
    (2**70, 2**70),
]
OTHERS: list[tuple[Value, Value]] = [
    (1, True),
    (0, False),
    (1, 1.0),
    (1.0, 1 + 0j),
    (0.0, -0.0),
    (0j, -0j),
    (complex(0.0, -0.0), 0j),
    (NAN, float("nan")),
    ("a", b"a"),
    (None, False),
    (None, ...),
    ((), None),
    ((1,), (1, 1)),
    ((1, 2), (2, 1)),
    ((1, 2), Container("list", (1, 2))),
    (Container("list", (1,)), Container("set", (1,))),
    (Container("dict", (1, 2)), Container("frozendict", (1, 2))),
    (Container("slice", (None, 1, 2)), Container("slice", (None, 1, 2.0))),
    (frozen(1), frozen(True)),
    (frozen(1), frozen(1, 1)),
    (frozen(1, 1, 2), frozen(1, 2, 2)),
    (frozen(0.0), frozen(-0.0)),
    (frozen("a"), frozen(b"a")),
    (frozen((1, 2)), frozen((2, 1))),
    (frozen(code(1)), frozen(code(2))),
    (code(), ()),
    (2**70, -(2**70)),
    ("\ud800", "\udfff"),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_equal_constants_make_no_difference(ours: Value, theirs: Value) -> None:
    assert find_difference(code(None, ours), code(None, theirs)) is None


@pytest.mark.parametrize(("ours", "theirs"), OTHERS)
def test_other_constants_are_a_difference(ours: Value, theirs: Value) -> None:
    expected = Difference(("<module>",), "consts[1]", only_lines=False)
    assert find_difference(code(None, ours), code(None, theirs)) == expected
    assert find_difference(code(None, theirs), code(None, ours)) == expected
    assert find_difference(code(None, (0, ours)), code(None, (0, theirs))) == expected


def test_line_tables_alone_are_a_difference_in_lines_only() -> None:
    ours = code(code(code(name="g"), name="f"), code(name="h"))
    theirs = code(code(code(name="g", linetable=b"L"), name="f"), code(name="h", linetable=b"L"))
    expected = Difference(("<module>", "f", "g"), "linetable", only_lines=True)
    assert find_difference(ours, theirs) == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [({"code": b"C"}, "code"), ({"consts": (1,)}, "consts")],
)
def test_line_tables_do_not_hide_another_difference(change: dict[str, Value], field: str) -> None:
    ours = code(code(), code(name="f"))
    theirs = code(code(linetable=b"L"), code(name="f", linetable=b"L", **change))
    expected = Difference(("<module>", "f"), field, only_lines=False)
    assert find_difference(ours, theirs) == expected


def test_code_without_line_tables_is_compared() -> None:
    fields: dict[str, Value] = {"code": b"c", "consts": (), "filename": "f", "name": "<module>"}
    assert find_difference(Code(fields), Code(dict(fields))) is None


def doubled(leaf: Value, levels: int) -> Value:
    for _ in range(levels):
        leaf = (leaf, leaf)
    return leaf


def test_shared_parts_are_compared_once() -> None:
    ours, theirs = doubled(1, 200), doubled(1, 200)
    assert find_difference(code(ours), code(theirs)) is None
    assert find_difference(code(frozen(ours)), code(frozen(theirs))) is None
    assert find_difference(code(ours), code(doubled(2, 200))) is not None


def test_parts_that_are_shared_differently_make_no_difference() -> None:
    twice = (1, 2)
    assert find_difference(code((twice, twice)), code(((1, 2), (1, 2)))) is None
    assert find_difference(code((twice, twice)), code(((1, 2), (1, 3)))) is not None


def test_deeply_nested_values_are_compared() -> None:
    def nested(leaf: Value) -> Value:
        for _ in range(20_000):
            leaf = (leaf,)
        return leaf

    assert find_difference(code(nested(1)), code(nested(1))) is None
    assert find_difference(code(nested(1)), code(nested(2))) is not None
    assert find_difference(code(frozen(nested(1))), code(frozen(nested(2)))) is not None


LEAVES = st.sampled_from([None, True, 0, 1, 0.0, -0.0, 1.0, "", "a", b"", b"a", 0j, ...])
VALUES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(tuple),
        st.lists(parts, max_size=3).map(lambda items: frozen(*items)),
        st.lists(parts, max_size=2).map(lambda items: code(*items)),
    ),
    max_leaves=5,
)


def slow_same(ours: Value, theirs: Value) -> bool:
    """Compare as the words of the rule have it, one pair after the other."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, Code) and isinstance(theirs, Code):
        return slow_same(ours.consts, theirs.consts)
    if isinstance(ours, Container) and isinstance(theirs, Container):
        left = list(theirs.items)
        for item in ours.items:
            match = [index for index, other in enumerate(left) if slow_same(item, other)]
            if not match:
                return False
            del left[match[0]]
        return not left
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        pairs: Any = zip(ours, theirs, strict=False)
        return len(ours) == len(theirs) and all(slow_same(*pair) for pair in pairs)
    return repr(ours) == repr(theirs)


@given(st.lists(VALUES, max_size=2), st.lists(VALUES, max_size=2))
def test_find_difference_agrees_with_a_slow_comparison(
    ours: list[Value], theirs: list[Value]
) -> None:
    same = slow_same(tuple(ours), tuple(theirs))
    assert (find_difference(code(*ours), code(*theirs)) is None) is same


@given(st.data())
def test_find_difference_of_similar_values_agrees_with_a_slow_comparison(
    data: st.DataObject,
) -> None:
    ours = data.draw(VALUES)
    theirs = data.draw(st.sampled_from([ours, (ours,), frozen(ours), code(ours)]))
    assert (find_difference(code(ours), code(theirs)) is None) is slow_same(ours, theirs)


@pytest.mark.parametrize(
    ("theirs", "path"),
    [
        (code(code(name="f", filename="g")), ("<module>", "f")),
        (code(code(name="f"), filename="g"), ("<module>", "f")),
        (code(code(name="f", filename="")), ("<module>", "f")),
        (code(code(name="f", linetable=b"L", filename="g")), ("<module>", "f")),
    ],
)
def test_file_names_of_one_file_differ(theirs: Code, path: tuple[str, ...]) -> None:
    ours = code(code(name="f", filename="source"), filename="source")
    assert find_difference(ours, theirs) == Difference(path, "filename", only_lines=False)


def test_file_name_of_a_code_object_that_is_reached_twice() -> None:
    inner = code(name="f")
    other = code(name="f", filename="g")
    assert find_difference(code(inner, inner), code(inner, other)) is not None
    assert find_difference(code(inner, inner), code(other, inner)) is not None
    assert find_difference(code((inner, inner)), code((inner, other))) is not None


def test_huge_numbers_in_sets_are_compared() -> None:
    def huge(last: int, *, is_negative: bool = False) -> Value:
        return frozen(HugeInt(memoryview(bytes([1, 0, last, 0])), is_negative=is_negative), 1)

    assert find_difference(code(huge(5)), code(huge(5))) is None
    assert find_difference(code(huge(5)), code(huge(6))) is not None
    assert find_difference(code(huge(5)), code(huge(5, is_negative=True))) is not None
