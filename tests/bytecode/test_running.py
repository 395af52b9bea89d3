from __future__ import annotations

import pytest

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.fit import Fit
from pycache_guard.bytecode.fit import Standing
from pycache_guard.bytecode.header import Header
from pycache_guard.bytecode.magic import lookup
from pycache_guard.bytecode.running import Running
from pycache_guard.bytecode.running import running

RUNS, MAY, STALE = (Fit(standing, "why") for standing in Standing)
THREE, TWO = 3495, 62211
#: Python 3.0; 20 more is 3.1, and 49 more is 3.2, the first that has `__pycache__`.
ZERO = 3131
NO_SOURCE = "its source is not there, and a cache is not looked for without"
PREFIX = "only below PYTHONPYCACHEPREFIX; why"
OTHER = "the interpreter whose tag it bears takes another magic number"
LEFT = "a writer left it under a temporary name, which no import looks for"
TABLE: list[tuple[str, int, Fit | None, bool | None, str]] = [
    ("__pycache__/m.cpython-311.pyc", THREE, RUNS, True, "why"),
    ("__pycache__/m.cpython-311.pyc", THREE, MAY, None, "why"),
    ("__pycache__/m.cpython-311.pyc", THREE, STALE, False, "why"),
    ("__pycache__/m.cpython-311.pyc", THREE, None, False, NO_SOURCE),
    ("__pycache__/m.cpython-312.pyc", THREE, RUNS, False, OTHER),
    ("__pycache__/m.cpython-311.opt-1.pyc", THREE, RUNS, True, "why (with -O)"),
    ("__pycache__/m.cpython-311.opt-2.pyc", THREE, STALE, False, "why (with -OO)"),
    ("__pycache__/m.cpython-311.opt-x.pyc", THREE, RUNS, True, "why (where .opt-x is looked for)"),
    ("__pycache__/m.cpython-311-pytest-9.2.0.pyc", THREE, RUNS, True, "why (pytest 9.2.0 runs it)"),
    ("__pycache__/m.cpython-311.pyc.123", THREE, RUNS, False, LEFT),
    ("prefix/m.cpython-311.pyc", THREE, RUNS, None, PREFIX),
    ("prefix/m.cpython-311.pyc", THREE, STALE, False, PREFIX),
    ("m.pyc", THREE, RUNS, False, "the source beside it comes first"),
    ("m.pyc", THREE, None, True, "there is no source beside it"),
    ("m.pyo", THREE, None, False, "since Python 3.5 no import looks for .pyo"),
    ("m.pyc", TWO, RUNS, True, "why"),
    ("m.pyc", TWO, STALE, False, "why"),
    ("m.pyc", ZERO, RUNS, True, "why"),
    ("m.pyc", ZERO + 20, STALE, False, "why"),
    ("m.pyc", ZERO + 49, RUNS, False, "the source beside it comes first"),
    ("m.pyo", TWO, RUNS, True, "why (with -O)"),
    ("m.pyo", TWO, None, True, "there is no source beside it"),
    ("m$py.class", THREE, RUNS, None, "Jython runs it if it is not older than its source"),
    ("logo.bin", THREE, None, False, "no import looks for such a name; `python FILE` runs it"),
]


@pytest.mark.parametrize(("path", "number", "fitting", "answer", "why"), TABLE)
def test_running(
    path: str, number: int, fitting: Fit | None, *, answer: bool | None, why: str
) -> None:
    magic = lookup(number.to_bytes(2, "little") + b"\r\n")
    assert magic is not None
    in_cache = path.startswith("__pycache__")
    told = running(parse_cache_name(path), Header(magic, 0, None), fitting, in_cache=in_cache)
    assert told == Running(answer, why)
