from __future__ import annotations

import marshal
import sys
from types import CodeType

import pytest

from helpers.make_pyc import INNOCENT, TIME, compile_source, matching_pyc, timestamp_pyc
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.header import InvalidHeader, Timestamp
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import (
    ImportProblem,
    UnsupportedFormat,
    code_problem,
    describe_damage,
    find_import_problem,
    header_problem,
    is_broken,
    read_pyc,
)

JAVA = b"\xca\xfe\xba\xbe\0\0\0\x31"


def test_read_pyc_returns_header_and_code() -> None:
    pyc = read_pyc(matching_pyc())
    assert pyc.header.validation == Timestamp(TIME, len(INNOCENT))
    assert pyc.code.name == "<module>"
    assert pyc.code is pyc.code
    assert pyc.trailing_bytes == 0
    assert (code_problem(pyc), header_problem(pyc.header)) == ("", "")


def test_header_is_read_at_once_and_code_when_asked_for() -> None:
    with pytest.raises(InvalidHeader):
        read_pyc(matching_pyc()[:15])
    pyc = read_pyc(matching_pyc()[:16])
    with pytest.raises(MarshalError, match="marshal data too short at offset 16"):
        pyc.code  # noqa: B018 - asking is what raises
    assert code_problem(pyc) == "marshal data too short at offset 16"


def test_read_pyc_counts_trailing_bytes() -> None:
    pyc = read_pyc(matching_pyc() + b"ab")
    assert pyc.trailing_bytes == 2
    assert code_problem(pyc) == "2 bytes after the code"


def test_read_pyc_of_an_unknown_format_has_no_code() -> None:
    pyc = read_pyc(JAVA)
    with pytest.raises(UnsupportedFormat, match=r"the code of Jython 2\.7 is unreadable"):
        pyc.code  # noqa: B018 - asking is what raises
    assert code_problem(pyc) == ""


def test_header_problem_names_unwritten_flags() -> None:
    header = read_pyc(timestamp_pyc(compile_source(""), 0, flags=2)).header
    assert header_problem(header) == "flags 2, which Python reads as 0 and never writes"


def marshalled(data: bytes) -> bytes:
    """Return a file of Python 3.13 whose code is `data`."""
    return b"\xf3\r\r\n" + bytes(12) + data


PROBLEMS = [
    (b"", "EOFError", "marshal data too short at offset 16"),
    (b"\xe3\0\0\0", "EOFError", "marshal data too short at offset 17"),
    (b"N", "ImportError", "non-code object at offset 16"),
    (b")\x010", "TypeError", "NULL object in marshal data for tuple at offset 18"),
    (b"u\x01\0\0\0\xff", "UnicodeDecodeError", "bad marshal data (not UTF-8) at offset 17"),
    (b"\x01", "ValueError", "bad marshal data (unknown type code 0x01) at offset 16"),
    (b"r\x05\0\0\0", "ValueError", "bad marshal data (invalid reference) at offset 16"),
    (b")\x01" * 2001, "ValueError", "recursion limit exceeded at offset 4014"),
    # python/cpython#148653
    (b"\xa9\x01r\0\0\0\0", "", "reference to the tuple that it stands in at offset 18"),
]


@pytest.mark.parametrize(("data", "exception", "reason"), PROBLEMS)
def test_problem_of_an_import_has_the_exception(data: bytes, exception: str, reason: str) -> None:
    assert find_import_problem(read_pyc(marshalled(data))) == ImportProblem(exception, reason)
    assert is_broken(marshalled(data))


def test_problem_of_an_import_is_put_in_words() -> None:
    assert describe_damage(marshalled(b"")) == (
        "import fails with EOFError (marshal data too short at offset 16)"
    )
    assert describe_damage(marshalled(b"\xa9\x01r\0\0\0\0")).startswith(
        "import fails or crashes the interpreter ("
    )


@pytest.mark.parametrize(
    "data",
    [
        matching_pyc(),
        matching_pyc() + b"what import ignores",
        JAVA,
        # A list in itself: Python loads it, although none writes it.
        marshalled(b"\xdb\x01\0\0\0r\0\0\0\0"),
        # A newer Python's, a Git LFS pointer, a source: not damaged.
        b"\xff\xff\r\n" + bytes(40),
        b"version https://git-lfs.github.com/spec/v1\n",
        b"import os\n",
        b"\xf3\r\r\n\x09" + bytes(40),
    ],
)
def test_describe_damage_of_other_files_is_empty(data: bytes) -> None:
    assert describe_damage(data) == ""
    assert not is_broken(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (bytes(4096), "it contains only zero bytes"),
        (matching_pyc()[:4], "it ends within the header"),
        (matching_pyc()[:15], "it ends within the header"),
    ],
)
def test_describe_damage_names_the_damage_of_a_header(data: bytes, words: str) -> None:
    assert describe_damage(data) == words


def test_damage_is_read_with_the_header_that_pytest_wrote() -> None:
    data = matching_pyc()
    early = data[:4] + data[8:]
    name = parse_cache_name("__pycache__/test_a.cpython-313-pytest-5.4.3.pyc")
    assert describe_damage(early, name) == ""
    assert describe_damage(early[:-1], name).startswith("import fails with EOFError")


def test_code_of_rustpython_under_a_number_of_cpython_is_not_called_damaged() -> None:
    name = parse_cache_name("__pycache__/a.rustpython-314.pyc")
    assert describe_damage(b"+\x0e\r\n" + bytes(12) + b"?", name) == ""


@pytest.mark.parametrize("cut", range(16, len(matching_pyc()), 9))
def test_every_cut_is_the_problem_that_this_interpreter_has(cut: int) -> None:
    data = matching_pyc()[:cut]
    problem = find_import_problem(read_pyc(data))
    assert problem is not None
    with pytest.raises(EOFError):
        marshal.loads(data[16:])
    assert problem.exception == "EOFError"


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="only CPython checks the code that it reads"
)
def test_every_changed_byte_is_a_problem_where_this_interpreter_has_one() -> None:
    data = matching_pyc()
    for offset in range(16, len(data)):
        for byte in (0x00, ord("0"), ord("N"), ord("("), ord("c"), data[offset] ^ 1):
            changed = data[:offset] + bytes([byte]) + data[offset + 1 :]
            problem = find_import_problem(read_pyc(changed))
            if problem is not None and problem.exception == "EOFError":
                continue  # Python would reserve memory for as many items as the file claims
            try:
                code = marshal.loads(changed[16:])
            except (ValueError, EOFError, TypeError, SystemError, MemoryError):
                assert code_problem(read_pyc(changed)) != "", (offset, byte)
            else:
                assert (problem is None) is isinstance(code, CodeType), (offset, byte)
