"""Which file names are caches, and whether the source of one is among the names beside it.

Names are what `os.fsdecode` makes of any bytes, without directories. Sources: PEP 3147, PEP 488;
`_write_atomic` in CPython `Lib/importlib/_bootstrap_external.py`; pytest
`_pytest/assertion/rewrite.py`; numba `numba/core/caching.py` (`.nbi`, `.nbc`, and `.tmp.<id>` behind
either while it is being written).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

CACHE = "__pycache__"
BYTECODE = (".pyc", ".pyo", "$py.class")
NUMBA = (".nbi", ".nbc")
NUMBA_TEMPORARY = (".nbi.tmp", ".nbc.tmp")

#: What import reads, and what import hooks read that write caches like any other (Hy, Coconut, Xonsh);
#: a script without a suffix can be imported by its path.
SOURCES = (".py", ".pyw", ".hy", ".coco", ".xsh", "")
#: Beside a legacy file, only what Python itself would compile to it counts.
LEGACY_SOURCES = (".py", ".pyw")


def is_cache_directory(name: str) -> bool:
    """Tell whether a directory of this name is a cache, in any case of letters."""
    return name.lower() == CACHE


def is_cached(name: str) -> bool:
    """Tell whether a file of this name in a cache directory is a cache, and may be removed."""
    lowered = name.lower()
    return lowered.endswith(BYTECODE + NUMBA) or is_leftover(lowered) or is_numba_leftover(lowered)


def is_legacy(name: str) -> bool:
    """Tell whether a file of this name outside of a cache directory is bytecode."""
    lowered = name.lower()
    return lowered.endswith(BYTECODE) or is_leftover(lowered)


def is_leftover(lowered: str) -> bool:
    """Tell whether a name in lower case is what a killed Python, or pytest, left: `….pyc.<digits>`."""
    stem, _, suffix = lowered.rpartition(".")
    return suffix.isascii() and suffix.isdecimal() and stem.endswith(BYTECODE)


def is_numba_leftover(lowered: str) -> bool:
    """Tell whether a name in lower case is what a killed numba left: `….nbi.tmp.<id>`."""
    stem, _, _ = lowered.rpartition(".")
    return stem.endswith(NUMBA_TEMPORARY)


def may_hold_bytecode(names: list[str]) -> bool:
    """Tell whether a name of bytecode, or of a cache directory, can be among `names`.

    Never wrong when it says no: this is what a clean tree costs, four searches a directory instead
    of a loop.
    """
    lowered = "/".join(names).lower()
    # Written out: a loop over the marks takes three times as long.
    return ".pyc" in lowered or ".pyo" in lowered or CACHE in lowered or "$py.class" in lowered


def has_source(name: str, beside: Container[str]) -> bool:
    """Tell whether a source of the cache `name` is in the directory above, whose files are `beside`.

    In doubt it is: numba's names do not tell where the module's name ends.
    """
    return any(module + suffix in beside for module in modules(name) for suffix in SOURCES)


def has_source_beside(name: str, beside: Container[str]) -> bool:
    """Tell whether a source of the legacy file `name` is among the files of its directory."""
    return any(source in beside for source in legacy_sources(name))


def legacy_sources(name: str) -> list[str]:
    """Return the names that the source of the legacy file `name` may have.

    What would be a tag in a cache directory is here a part of the module's name.
    """
    lowered = name.lower()
    stem = name[: max(lowered.rfind(suffix) for suffix in BYTECODE)]
    return [stem + suffix for suffix in LEGACY_SOURCES]


def modules(name: str) -> list[str]:
    """Return the module names that a file in a cache directory may be of."""
    # 7 ms with what it imports: only who asks for sources waits for it.
    from pycache_guard.bytecode.cachenames import parse_cache_name

    parsed = parse_cache_name(f"{CACHE}/{name}")
    if parsed is not None:
        if parsed.tag and parsed.tag.isalpha():  # `b.c.pyc`: no interpreter's tag, so of `b.c`
            return [parsed.module, f"{parsed.module}.{parsed.tag}"]
        return [parsed.module]
    # MODULE.QUALNAME-LINE.py312.nbi: both may hold dots.
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]
