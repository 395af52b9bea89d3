"""The tag in a cache file's name against the magic in the file (PEP 3147)."""

from __future__ import annotations

import functools

from pycache_guard.bytecode.magic import Magic

_IMPLEMENTATIONS = {
    "cpython": "CPython",
    "graalpy": "GraalPy",
    "pypy": "PyPy",
    # Writes CPython 3.8's magic, whatever version of its own its tag names.
    "pyston": "CPython",
    "rustpython": "RustPython",
}


def is_tag(text: str) -> bool:
    """Whether `text` looks like an interpreter's `sys.implementation.cache_tag`."""
    return _implementation(text) is not None and text[-1].isdigit()


@functools.lru_cache(maxsize=64)
def tag_fits(tag: str, magic: Magic) -> bool:
    """Whether a file with `magic` may bear `tag`, in any case of letters."""
    tag = tag.lower()
    if _implementation(tag) != magic.implementation:
        return False
    if tag.startswith("pyston"):
        return magic.version == "3.8"
    # Before 7.3, PyPy named itself and not the language: `pypy3-71`.
    if tag.startswith("pypy3-"):
        return magic.version in ("3.2", "3.3", "3.5", "3.6")
    digits = tag[len(tag.rstrip("0123456789")) :]
    version = f"{digits[:1]}.{digits[1:]}"
    # A magic without a row of its own may be of any version 3.
    return version in magic.version.split("-") or magic.version == "3"


def _implementation(tag: str) -> str | None:
    letters = len(tag) - len(tag.lower().lstrip("abcdefghijklmnopqrstuvwxyz"))
    return _IMPLEMENTATIONS.get(tag[:letters].lower())
