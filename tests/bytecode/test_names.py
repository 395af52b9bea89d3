from __future__ import annotations

import pytest
from fuzz.targets.names import CONTRACT
from hypothesis import example, given
from hypothesis import strategies as st

from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.scan import may_be_relevant

PATHS = [
    (b"a.pyc", True),
    (b".pyc", True),
    (b"a.pyo", True),
    (b"a$py.class", True),
    (b"$py.class", True),
    (b"A.PYC", True),
    (b"a.PyO", True),
    (b"A$PY.CLASS", True),
    (b"a.cpython-313.pyc", True),
    (b"a.cpython-313.opt-1.pyc", True),
    (b"__pycache__", True),
    (b"__pycache__/a.cpython-313.pyc", True),
    (b"__pycache__/readme.txt", True),
    (b"__PyCache__/a", True),
    (b"a/__pycache__", True),
    (b"a/__pycache__/b/c", True),
    (b"a.pyc.140162621172480", True),
    (b"a.pyc.0", True),
    (b"a.PYC.7", True),
    (b"\xff.pyc", True),
    (b"\xff/__pycache__/\xfe", True),
    (b"new\nline.pyc", True),
    (b'quo"te.pyc', True),
    (b"ta\tb.pyc", True),
    (b"-f.pyc", True),
    (b":(glob)*.pyc", True),
    (b"a.py", False),
    (b"a.pyd", False),
    (b"a.so", False),
    (b"a.pyz", False),
    (b"a.pyw", False),
    (b"pyc", False),
    (b"a.pyc/b.txt", False),
    (b"a.pyc~", False),
    (b"a.pyc.", False),
    (b"a.pyc.bak", False),
    (b"a.pyc.1x", False),
    (b"a.pyc.1.2", False),
    (b"a.pyc.\xc2\xb2", False),
    (b"a.pyo.1", False),
    (b"a$py.class.1", False),
    (b"a.py.class", False),
    (b"__pycache__x/a", False),
    (b"x__pycache__/a", False),
    (b"__pycache__.txt", False),
    (b"pycache/a", False),
]


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_is_bytecode_path_table(path: bytes, expected: bool) -> None:
    assert is_bytecode_path(path) is expected


#: Parts that make paths near the rule; bytes at random would hardly come by.
PARTS = st.sampled_from(
    [
        *(b"/", b".", b"pyc", b".pyc", b".PYC", b".pyo", b"$py.class", b"__pycache__", b"1", b"23"),
        *(b"__PYCACHE__", b"a", b"_", b"\n", b"\r", b"\xff", b"\xc2\xb2", b" ", b"", b"\t"),
    ]
)
NEAR = st.lists(PARTS, max_size=8).map(b"".join)


@given(path=NEAR | st.binary(max_size=30))
@example(path=b"a.pyc\n")
@example(path=b"__pycache__\n")
def test_is_bytecode_path_agrees_with_a_regular_expression(path: bytes) -> None:
    assert is_bytecode_path(path) is bool(CONTRACT.search(path))


@given(paths=st.lists(NEAR, max_size=5))
def test_may_contain_bytecode_is_true_for_every_bytecode_path(paths: list[bytes]) -> None:
    """The search of the index, which imports none of this, says the same."""
    listing = b"\0".join(paths)
    if any(map(is_bytecode_path, paths)):
        assert may_contain_bytecode(listing)
    assert may_be_relevant(listing) is may_contain_bytecode(listing)


#: Every bytecode path contains one of these.
MARKS = (b"__pycache__", b".pyc", b".pyo", b"$py.class")


def test_may_contain_bytecode_of_other_paths_is_false() -> None:
    assert not may_contain_bytecode(b"a.py\0b/c.txt\0pycache/d\0$py/x.class\0")
    for mark in MARKS:
        assert may_contain_bytecode(b"x" + mark.upper() + b"y")
        assert may_be_relevant(b"x" + mark.upper() + b"y")
    assert may_be_relevant(b"x/.GitAttributes")
