from __future__ import annotations

import pytest

from pycache_guard.bytecode.cache_names import has_exact_case, parse_cache_name
from pycache_guard.bytecode.freshness import (
    Freshness,
    FreshnessResult,
    ImportOutcome,
    run_without_header,
    would_import,
)
from pycache_guard.bytecode.header import Header, InvalidHeader, parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.pyc import ImportProblem

RUNS, MAY, STALE = (FreshnessResult(standing, "why") for standing in Freshness)
THREE, TWO = 3495, 62211
#: Python 3.0; 20 more is 3.1, and 49 more is 3.2, the first that has `__pycache__`.
ZERO = 3131
NO_SOURCE = "its source does not exist, and import uses a cache only with its source"
PREFIX = "only below PYTHONPYCACHEPREFIX; why"
NO_PYO = "Python 3.5 and later do not use .pyo"
BESIDE = "Python before 3.2 keeps caches next to the sources"
PYPY = "only in releases of PyPy that used the magic number of CPython (pypy/pypy#3782)"
ON_PATH = "only if `__pycache__` itself is on the path; "
CASE = "only on a file system that ignores case; "
OTHER = "the interpreter of its tag uses another magic number"
LEFT = "an interrupted write left it under a temporary name, which import does not use"
TABLE: list[tuple[str, int, FreshnessResult | None, bool | None, str]] = [
    ("__pycache__/m.cpython-311.pyc", THREE, RUNS, True, "why"),
    ("__pycache__/m.cpython-311.pyc", THREE, MAY, None, "why"),
    ("__pycache__/m.cpython-311.pyc", THREE, STALE, False, "why"),
    ("__pycache__/m.cpython-311.pyc", THREE, None, False, NO_SOURCE),
    ("__pycache__/m.cpython-312.pyc", THREE, RUNS, False, OTHER),
    ("__pycache__/m.cpython-311.opt-1.pyc", THREE, RUNS, True, "why (with -O)"),
    ("__pycache__/m.cpython-311.opt-2.pyc", THREE, STALE, False, "why (with -OO)"),
    ("__pycache__/m.cpython-311.opt-x.pyc", THREE, RUNS, True, "why (where .opt-x is used)"),
    ("__pycache__/m.cpython-311-pytest-9.2.0.pyc", THREE, RUNS, True, "why (pytest 9.2.0 runs it)"),
    ("__pycache__/m.cpython-311.pyc.123", THREE, RUNS, False, LEFT),
    ("__pycache__/m.cpython-311-PYTEST.pyc", THREE, RUNS, True, "why (an early pytest runs it)"),
    ("__pycache__/m.cpython-311-pytest-9.2.0.pyo", THREE, MAY, None, "why (pytest 9.2.0 runs it)"),
    ("__pycache__/m.cpython-27-PYTEST.pyc", TWO, RUNS, True, "why (an early pytest runs it)"),
    ("__pycache__/m.cpython-27.pyc", TWO, RUNS, False, BESIDE),
    ("__pycache__/m.cpython-311.pyo", THREE, RUNS, False, NO_PYO),
    ("__pycache__/m.cpython-34.pyo", 3310, RUNS, True, "why (with -O)"),
    ("__pycache__/toolcpython-311.pyc", THREE, RUNS, True, "why"),
    ("__pycache__/m.pypy39.pyc", 3425, RUNS, None, f"{PYPY}; why"),
    ("__pycache__/m.pypy39.pyc", 3425, STALE, False, f"{PYPY}; why"),
    ("__pycache__/m.pypy39.pyc", 336, RUNS, True, "why"),
    ("__pycache__/m.pyston-23.pyc", 3413, RUNS, True, "why"),
    ("__pycache__/m.rustpython-314.pyc", 3627, RUNS, True, "why"),
    ("__pycache__/m.pyc", THREE, None, None, f"{ON_PATH}it has no source next to it"),
    ("__pycache__/m.pyc", THREE, RUNS, False, "the source next to it comes first"),
    ("__PYCACHE__/m.cpython-311.pyc", THREE, RUNS, None, f"{CASE}why"),
    ("__pycache__/m.CPYTHON-311.PYC", THREE, RUNS, None, f"{CASE}why"),
    ("__pycache__/M.cpython-311.pyc", THREE, RUNS, True, "why"),
    ("m.PYC", THREE, None, None, f"{CASE}it has no source next to it"),
    ("m.PYC", THREE, RUNS, False, "the source next to it comes first"),
    ("prefix/m.cpython-311.pyc", THREE, RUNS, None, PREFIX),
    ("prefix/m.cpython-311.pyc", THREE, STALE, False, PREFIX),
    ("m.pyc", THREE, RUNS, False, "the source next to it comes first"),
    ("m.pyc", THREE, None, True, "it has no source next to it"),
    ("m.pyo", THREE, None, False, "Python 3.5 and later do not use .pyo"),
    ("m.pyc", TWO, RUNS, True, "why"),
    ("m.pyc", TWO, STALE, False, "why"),
    ("m.pyc", ZERO, RUNS, True, "why"),
    ("m.pyc", ZERO + 20, STALE, False, "why"),
    ("m.pyc", ZERO + 49, RUNS, False, "the source next to it comes first"),
    ("m.pyo", TWO, RUNS, True, "why (with -O)"),
    ("m.pyo", TWO, None, True, "it has no source next to it"),
    ("m$py.class", THREE, RUNS, False, "Jython expects a Java class there"),
    ("logo.bin", THREE, None, False, "import does not use such a name; `python FILE` runs it"),
]


@pytest.mark.parametrize(("path", "number", "fitting", "answer", "why"), TABLE)
def test_would_import_table(
    path: str, number: int, fitting: FreshnessResult | None, *, answer: bool | None, why: str
) -> None:
    magic = identify_magic(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    header = Header(magic, 0, None)
    assert asked(path, header, fitting) == ImportOutcome(answer, why)


def asked(
    path: str, header: Header, fitting: FreshnessResult | None, problem: ImportProblem | None = None
) -> ImportOutcome:
    return would_import(
        parse_cache_name(path),
        header,
        fitting,
        in_cache=path.lower().startswith("__pycache__"),
        exact_case=has_exact_case(path),
        problem=problem,
    )


JAVA = b"\xca\xfe\xba\xbe"
MICROPYTHON = (
    "MicroPython imports it if it is named MODULE.mpy and there is no MODULE.py; CPython never does"
)
MPY = bytes.fromhex("4d06001f")


@pytest.mark.parametrize(
    ("path", "head", "answer", "why"),
    [
        ("m$py.class", JAVA, None, "Jython runs it if it is not older than its source"),
        ("m.pyc", JAVA, False, "Jython uses MODULE$py.class, and Python cannot run a Java class"),
        ("m.class", JAVA, False, "import does not use such a name"),
        (
            "m.mpy",
            MPY,
            None,
            MICROPYTHON,
        ),
    ],
)
def test_would_import_of_formats_without_a_number_table(
    path: str, head: bytes, answer: bool | None, why: str
) -> None:
    assert asked(path, parse_header(head), None) == ImportOutcome(answer, why)


PROBLEM = ImportProblem("EOFError", "reason")


@pytest.mark.parametrize("path", [row[0] for row in TABLE])
@pytest.mark.parametrize("fitting", [RUNS, MAY, STALE, None])
@pytest.mark.parametrize("number", [THREE, TWO])
def test_would_import_of_code_that_cannot_be_loaded_is_false(
    path: str, fitting: FreshnessResult | None, number: int
) -> None:
    header = parse_header(number.to_bytes(2, "little") + b"\r\n" + bytes(12))
    found = asked(path, header, fitting, PROBLEM)
    usual = asked(path, header, fitting)
    assert found.runs is False
    if usual.runs is not False:
        assert found.why == "import fails with EOFError (reason)"


CRLF = b"\1\0\r\n"
WITHOUT_HEADER = [
    ("logo.bin", b"abcd", True, False, "import does not use such a name, and it is not"),
    ("__pycache__/m.cpython-311.pyc.12", b"", True, False, LEFT),
    ("__pycache__/m.cpython-311.pyc", b"", True, False, "import compiles the source again"),
    ("__pycache__/m.cpython-311.pyc", b"", False, False, NO_SOURCE),
    ("__pycache__/m.cpython-399.pyc", CRLF, True, None, "the interpreter of its magic"),
    ("m.pyc", b"abcd", True, False, "import uses the source next to it"),
    ("m.pyc", b"abcd", False, False, "import fails with ImportError (bad magic number: b'abcd')"),
    ("m.pyc", b"\xa7\r\r\n", False, False, "import fails with EOFError (reached EOF"),
    ("m$py.class", b"abcd", False, False, "it is not a Java class"),
]


@pytest.mark.parametrize(("path", "data", "has_source", "answer", "why"), WITHOUT_HEADER)
def test_run_without_header_table(
    path: str, data: bytes, *, has_source: bool, answer: bool | None, why: str
) -> None:
    with pytest.raises(InvalidHeader) as caught:
        parse_header(data)
    name = parse_cache_name(path)
    found = run_without_header(name, data, caught.value, has_source=has_source)
    assert found.runs is answer
    assert found.why.startswith(why)
