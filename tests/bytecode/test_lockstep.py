from __future__ import annotations

import marshal
import random
from importlib.util import MAGIC_NUMBER

import pytest
from fuzz.mutations import mutated
from hypothesis import given
from hypothesis import strategies as st

from bytecode.marshal_writer import written
from pycache_guard.bytecode.code_layouts import dialect_of
from pycache_guard.bytecode.code_tree import Collection
from pycache_guard.bytecode.compare import difference
from pycache_guard.bytecode.lockstep import same_in_step
from pycache_guard.bytecode.magic import lookup
from pycache_guard.bytecode.marshal_reader import read_code
from pycache_guard.bytecode.pyc import read_pyc
from pycs import compiled
from pycs import foreign

NAME = "<source 0123456789abcdef>"
SOURCE = """
def outer(a, /, b, *args, c=(1, -0.0, b"x", 2**70), **rest):
    d = [e for e in rest if e in {1, "two", (3, 4.5j)}]
    return lambda: (d, a, ..., 2**31, 2**40, "ü")
class Scope:
    '''Doc.'''
    def method(self):
        return "constant", None, True, False, 1.5
"""
magic = lookup(MAGIC_NUMBER)
assert magic is not None
dialect = dialect_of(magic)
assert dialect is not None
OURS = dialect
TAGS = ["cpython-36", "cpython-310", "cpython-312", "cpython-315", "pypy39"]


def forms(name: str) -> list[bytes]:
    """Return the same code, marshalled with references and without."""
    code = compiled(SOURCE, 0, name)
    tree, _ = read_code(marshal.dumps(code), 0, OURS)
    # What only one name refers to bears no FLAG_REF, and then all numbers are others.
    return [marshal.dumps(code), marshal.dumps(compiled(SOURCE, 0, name)), written(tree, OURS)]


@pytest.mark.parametrize("name", ["m.py", "", "ü.py", NAME, "/p" * 200])
def test_references_and_names_do_not_matter(name: str) -> None:
    for ours in forms(NAME)[:2]:
        for theirs in forms(name)[:2]:
            assert same_in_step(ours, b"head" + theirs, 4, NAME.encode(), OURS)
    assert same_in_step(forms(NAME)[2], forms(name)[2], 0, NAME.encode(), OURS)


def test_all_else_matters() -> None:
    for ours in forms(NAME):
        for theirs in forms("m.py"):
            for cut in range(1, len(theirs), 41):
                assert not same_in_step(ours, theirs[:-cut], 0, NAME.encode(), OURS)
            assert not same_in_step(ours, theirs + b"\0", 0, NAME.encode(), OURS)


@given(
    st.sampled_from(forms(NAME)), st.sampled_from(forms("m.py")), st.randoms(use_true_random=False)
)
def test_it_is_never_wrong_when_it_says_yes(
    ours: bytes, theirs: bytes, chance: random.Random
) -> None:
    found = mutated(theirs, chance)
    if same_in_step(ours, found, 0, NAME.encode(), OURS):
        tree, end = read_code(found, 0, OURS)
        assert difference(read_code(ours, 0, OURS)[0], tree) is None
        assert end == len(found)


@pytest.mark.parametrize("tag", TAGS)
def test_other_eras(tag: str) -> None:
    pyc = read_pyc(foreign(tag))
    era = dialect_of(pyc.header.magic)
    assert era is not None
    start = pyc.header.magic.header_length
    assert same_in_step(pyc.data[start:], pyc.data, start, b"no name", era)


def test_eras_without_references() -> None:
    pyc = read_pyc(foreign("cpython-27"))
    era = dialect_of(pyc.header.magic)
    assert era is not None
    assert not same_in_step(pyc.data[8:], pyc.data, 8, b"no name", era)


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (b"(\2\0\0\0\xe9\1\0\0\0r\0\0\0\0", b"(\2\0\0\0\xe9\1\0\0\0r\0\0\0\0", True),
        (b"(\2\0\0\0\xe9\1\0\0\0r\0\0\0\0", b"(\2\0\0\0\xe9\1\0\0\0r\1\0\0\0", False),
        (b"(\2\0\0\0\xe9\1\0\0\0r\0\0\0\0", b"(\2\0\0\0i\1\0\0\0i\1\0\0\0", False),
        (b"z\1a", b"u\1\0\0\0a", False),
        (b"z\1a", b"a\1\0\0\0a", True),
        (b"z\1a", b"s\1\0\0\0a", False),
        (b"z\4name", b"u\1\0\0\0\xff", False),
        (b"z\4name", b"s\1\0\0\0a", False),
        (b"z\4name", b"N", False),
        (b"z\4name", b"z\1\xff", True),
        (b"z\4name", b"t\2\0\0\0\xc3\xbc", True),
        (b"N", b"F", False),
        (b"\xce", b"N", True),
        # Only what bears the flag can be referred to, and None cannot.
        (b")\3z\1a\xfa\1br\0\0\0\0", b")\3z\1az\1bz\1b", True),
        (b")\3z\1a\xfa\1br\0\0\0\0", b")\3z\1az\1bz\1a", False),
        (b")\3\xce\xfa\1br\0\0\0\0", b")\3Nz\1bz\1b", True),
        (b"{0", b"{0", False),
        (b"l\1\0\0\0\1\0", b"l\1\0\0\0\2\0", False),
        (b"l\xff\xff\xff\xff\1\0", b"l\1\0\0\0\1\0", False),
        (b"g" + bytes(8), b"g" + bytes(7) + b"\x80", False),
        (b")\0", b")\0", True),
        (b"", b"", False),
    ],
)
def test_single_objects(ours: bytes, theirs: bytes, *, same: bool) -> None:
    assert same_in_step(ours, theirs, 0, b"name", OURS) is same


def test_writer_of_the_tests() -> None:
    value = (None, ..., True, 5, -(2**40), 1.5, 2j, "a", "ü", b"b", Collection("frozenset", (1,)))
    assert marshal.loads(written(value, OURS))[:10] == value[:10]
