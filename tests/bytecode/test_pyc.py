from __future__ import annotations

import pytest

from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.bytecode.marshal_leaves import MarshalError
from pycache_guard.bytecode.pyc import UnknownFormat
from pycache_guard.bytecode.pyc import code_flaw
from pycache_guard.bytecode.pyc import header_flaw
from pycache_guard.bytecode.pyc import read_pyc
from pycs import INNOCENT
from pycs import TIME
from pycs import by_time
from pycs import compiled
from pycs import honest

JAVA = b"\xca\xfe\xba\xbe\0\0\0\x31"


def test_honest_file() -> None:
    pyc = read_pyc(honest())
    assert pyc.header.validation == Timestamp(TIME, len(INNOCENT))
    assert pyc.code.name == "<module>"
    assert pyc.code is pyc.code
    assert pyc.surplus == 0
    assert (code_flaw(pyc), header_flaw(pyc.header)) == ("", "")


def test_header_is_read_at_once_and_code_when_asked_for() -> None:
    with pytest.raises(InvalidHeader):
        read_pyc(honest()[:15])
    pyc = read_pyc(honest()[:16])
    with pytest.raises(MarshalError, match="marshal data too short at offset 16"):
        pyc.code  # noqa: B018 - asking is what raises
    assert code_flaw(pyc) == "marshal data too short at offset 16"


def test_tail() -> None:
    pyc = read_pyc(honest() + b"ab")
    assert pyc.surplus == 2
    assert code_flaw(pyc) == "2 bytes behind the code"


def test_unknown_format() -> None:
    pyc = read_pyc(JAVA)
    with pytest.raises(UnknownFormat, match=r"the code of Jython 2\.7 is unreadable"):
        pyc.code  # noqa: B018 - asking is what raises
    assert code_flaw(pyc) == ""


def test_flags_that_nobody_writes() -> None:
    header = read_pyc(by_time(compiled(""), 0, flags=2)).header
    assert header_flaw(header) == "flags 2, which Python takes for 0 and never writes"
