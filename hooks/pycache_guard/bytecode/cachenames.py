"""What the name of a bytecode file says, and where its source would be.

Sources: PEP 3147, PEP 488; `cache_from_source` and `_write_atomic` in CPython
`Lib/importlib/_bootstrap_external.py`; pytest `_pytest/assertion/rewrite.py`. Unlike
`importlib.util.source_from_cache`, this knows modules with dots in their file names.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from pycache_guard.bytecode.tags import is_tag

#: Windows has the second one too.
_SOURCE_SUFFIXES = (".py", ".pyw")
_PYTEST = "-pytest-"


class CacheName(NamedTuple):
    """The parts of a bytecode file's name."""

    #: The source's name up to its last dot; it may hold dots itself.
    module: str
    #: `cpython-313`; empty in a legacy name, and in Jython's.
    tag: str
    #: What stands behind `.opt-`: a level, or the label of an import hook; else empty.
    optimization: str
    #: The version of pytest that rewrote the code, else empty.
    pytest: str
    #: `.pyc`, `.pyo` or `$py.class`.
    suffix: str
    #: Whether this is the temporary file of a writer that was killed.
    is_leftover: bool

    @property
    def is_rewritten(self) -> bool:
        """Whether pytest or an import hook wrote it, so that it is not what its source says."""
        return bool(self.pytest or self.optimization.strip("0123456789"))


@functools.lru_cache(maxsize=8)  # asked for the same file by everyone who judges it
def parse_cache_name(path: str) -> CacheName | None:
    """Take apart the name of the file at `path`, `/` between parts; `None` if no bytecode's.

    A tag that no interpreter that we know has is one only in a directory `__pycache__`.
    """
    directory, _, name = path.rpartition("/")
    stem, suffix, is_leftover = _split_suffix(name)
    if not suffix:
        return None
    if suffix == "$py.class":
        return CacheName(stem, "", "", "", suffix, is_leftover)
    tagged, optimization = _split_optimization(stem)
    tagged, _, pytest = _partition_pytest(tagged)
    module, dot, tag = tagged.rpartition(".")
    in_cache = directory.rpartition("/")[2].lower() == "__pycache__"
    if not dot or not (in_cache or is_tag(tag)):
        return CacheName(stem, "", "", "", suffix, is_leftover)
    return CacheName(module, tag, optimization, pytest, suffix, is_leftover)


def source_candidates(path: str) -> Iterator[str]:
    """Name the paths at which the source of the bytecode at `path` may be, the likeliest first.

    A tagged file outside `__pycache__` is in a tree of PYTHONPYCACHEPREFIX, below which a source's
    whole path is repeated without its root. How many parts belong to the prefix, its name does
    not tell: then the candidates are relative, to be tried below the roots at hand.
    """
    name = parse_cache_name(path)
    if name is None:
        return
    directory, slash, _ = path.rpartition("/")
    parent, parent_slash, last = directory.rpartition("/")
    if last.lower() == "__pycache__" and name.tag:
        folders = [parent + parent_slash]
    elif name.tag:
        parts = [part for part in directory.split("/") if part]
        folders = ["/".join([*parts[index:], ""]) for index in range(len(parts) + 1)]
    else:
        folders = [directory + slash]
    for folder in folders:
        for suffix in _SOURCE_SUFFIXES:
            yield folder + name.module + suffix


def _split_suffix(name: str) -> tuple[str, str, bool]:
    """Split into stem, suffix, and whether digits as of a temporary name stood behind."""
    whole, _, digits = name.rpartition(".")
    is_leftover = digits.isdecimal() and digits.isascii()
    if is_leftover:
        name = whole
    for suffix in (".pyc", ".pyo", "$py.class"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], suffix, is_leftover
    return name, "", is_leftover


def _split_optimization(stem: str) -> tuple[str, str]:
    rest, _, last = stem.rpartition(".")
    if last.lower().startswith("opt-") and last[4:].isalnum():
        return rest, last[4:]
    return stem, ""


def _partition_pytest(stem: str) -> tuple[str, str, str]:
    # The version has dots too. `a-pytest-b.cpython-313` is a module of that name.
    before, dash, version = stem.rpartition(_PYTEST)
    return (before, dash, version) if dash and is_tag(before.rpartition(".")[2]) else (stem, "", "")
