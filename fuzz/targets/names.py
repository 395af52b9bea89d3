"""Names: the path rule against the contract's words, cache names against CPython's functions."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from functools import partial

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.bytecode.cache_names import is_tag, parse_cache_name, source_candidates
from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.scan import may_be_relevant

#: The rule PYC001 in the words of the contract, clause by clause.
CONTRACT = re.compile(
    rb"""
      (?: \A | / ) __pycache__ (?: / | \Z )   # in a directory, or itself, named __pycache__
    | \.pyc \Z | \.pyo \Z | \$py\.class \Z    # *.pyc, *.pyo, *$py.class
    | \.pyc \. [0-9]+ \Z                      # a leftover *.pyc.<digits>
    """,
    re.VERBOSE | re.IGNORECASE,
)
TOKENS = (
    *(b"/", b".", b".pyc", b".pyo", b".PYC", b"$py.class", b"__pycache__/", b"__PYCACHE__/"),
    *(
        b"cpython-313",
        b"pypy39",
        b".opt-1",
        b".opt-x",
        b"-pytest-8.1",
        b".py",
        b"1",
        b"\n",
        b"\xff",
    ),
)


def compare_names(data: bytes) -> str:
    """Judge a path three ways."""
    named = is_bytecode_path(data)
    assert named is bool(CONTRACT.search(data)), "not the contract's rule"
    assert may_contain_bytecode(data) or not named, "passed over in a listing"
    assert may_be_relevant(data) or not named, "passed over in the index"
    path = os.fsdecode(data).replace("\0", "")
    forwards(path)
    backwards(path)
    name = parse_cache_name(path)
    return "no name" if name is None else "tagged" if name.tag else "legacy"


def forwards(path: str) -> None:
    """From a source to its cache, as CPython has it, and back."""
    module = path.rpartition("/")[2]
    # A module may be called as what pytest makes of a name: nobody can tell. At the root, CPython
    # loses the slash.
    if not module or "//" in path or path.startswith("/") or "-pytest-" in module:
        return
    source = f"{path}.py"
    for optimization in ("", "1", "2"):
        cached = importlib.util.cache_from_source(source, optimization=optimization)
        name = parse_cache_name(cached)
        tag = sys.implementation.cache_tag
        assert name is not None
        assert (name.module, name.tag, name.optimization) == (module, tag, optimization), cached
        assert source in source_candidates(cached), cached


def backwards(path: str) -> None:
    """From a cache to its source. CPython looks at dots alone; only what bears a tag is a cache."""
    name = parse_cache_name(path)
    if name is None or not is_tag(name.tag) or name.is_temporary or name.pytest:
        return
    if "//" in path or path.startswith("/__pycache__"):
        return
    try:
        source = importlib.util.source_from_cache(path)
    except ValueError:
        return
    assert source in source_candidates(path), path


TARGETS = {"names": Target(compare_names, partial(seeds, "names"), TOKENS)}
