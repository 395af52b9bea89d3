"""Which backend built an archive, and the setting of its own that keeps bytecode out.

Each setting was tried on a tree with caches, but for maturin's, which is as its documentation has it;
docs/dist.md has the table. Hatchling's and poetry-core's `include` and its like win over `exclude`.
"""

from __future__ import annotations

import re

from pycache_guard.config import parse_toml
from pycache_guard.errors import Failure

#: By a word in the name of the generator or backend.
EXCLUDE_SETTINGS = {
    "setuptools": (
        "in MANIFEST.in, `global-exclude *.py[co] *.pyc.*` and `global-exclude __pycache__/*` as the"
        " last lines; in pyproject.toml, where package-data is set,"
        ' `[tool.setuptools.exclude-package-data]` with `"*" = ["*.py[co]", "__pycache__/*"]`'
    ),
    "hatchling": (
        'in pyproject.toml, `[tool.hatch.build]` with `exclude = ["*.py[co]", "__pycache__"]`, and'
        " nothing in `artifacts` or `force-include` that takes bytecode in all the same"
    ),
    "flit": (
        'in pyproject.toml, `[tool.flit.sdist]` with `exclude = ["**/*.py[co]", "**/__pycache__"]`'
    ),
    "poetry": (
        "in pyproject.toml, `include` of `[tool.poetry]` without patterns that take bytecode in, such"
        " as `**/*`: it wins over `exclude`"
    ),
    "uv": (
        "in pyproject.toml, `[tool.uv.build-backend]` without `default-excludes = false`, or with"
        ' `source-exclude` and `wheel-exclude = ["__pycache__", "*.pyc", "*.pyo"]`'
    ),
    "pdm": (
        "in pyproject.toml, `includes` and `source-includes` of `[tool.pdm.build]` without patterns"
        " that take bytecode in"
    ),
    "maturin": (
        'in pyproject.toml, `[tool.maturin]` with `exclude = ["**/__pycache__/**", "**/*.py[co]"]`'
    ),
}

#: Older names for what setuptools does.
_ALIASES = {"bdist_wheel": "setuptools", "bdist_egg": "setuptools"}

_ANY = "remove the caches (`pycache-guard clean`) before the archive is built"

_GENERATOR = re.compile(rb"^Generator:\s*(.*?)\s*$", re.MULTILINE | re.IGNORECASE)
_WHEEL = re.compile(r"[^/]+\.dist-info/WHEEL")
_PROJECT = re.compile(r"[^/]+/pyproject\.toml")
_SETUP = re.compile(r"[^/]+/setup\.py|EGG-INFO/PKG-INFO")


#: The largest metadata that is looked at, in bytes; the kinds of it, and what is kept of each.
LARGEST_METADATA = 1 << 16
#: In bytes.
LARGEST_PARSED = 4096
_BUILD_SYSTEM = re.compile(rb"^[ \t]*\[[ \t]*build-system[ \t]*\]", re.MULTILINE)
_NEXT_TABLE = re.compile(rb"^[ \t]*\[", re.MULTILINE)
_ENDS = ("WHEEL", "pyproject.toml", "setup.py", "PKG-INFO")
_KINDS = (_WHEEL, _PROJECT, _SETUP)


def is_metadata(name: str) -> bool:
    """Whether a member shows which backend built the archive."""
    return name.endswith(_ENDS) and any(form.fullmatch(name) for form in _KINDS)


def keep_metadata(metadata: dict[str, bytes], name: str, data: bytes) -> None:
    """Add a member's content to `metadata`, if it is the first of its kind there."""
    kind = next(form for form in _KINDS if form.fullmatch(name))
    if not any(map(kind.fullmatch, metadata)):
        metadata[name] = b"" if kind is _SETUP else data


def backend(metadata: dict[str, bytes]) -> str:
    """Name the backend, empty where it cannot be told. `metadata` is content by name of member."""
    told = ""
    for name, data in metadata.items():
        if _WHEEL.fullmatch(name):
            found = _GENERATOR.search(data)
            return found[1].decode("utf-8", "replace") if found else ""
        if _PROJECT.fullmatch(name):
            told = build_backend(data) or told
        elif not told:
            told = "setuptools"
    return told


def build_backend(data: bytes) -> str:
    """Return `build-backend` of a `pyproject.toml`; setuptools, where none is named (PEP 517).

    Of a file of more than `LARGEST_PARSED` bytes, only the table `[build-system]` is parsed: tomllib
    needs time and memory that grow with the square of a dotted key. Returns an empty string if that
    table cannot be read.
    """
    if len(data) > LARGEST_PARSED:
        start = _BUILD_SYSTEM.search(data)
        if start is None:
            return "" if b"build-system" in data else "setuptools"
        end = _NEXT_TABLE.search(data, start.end())
        data = data[start.start() : end.start() if end else len(data)]
    if len(data) > LARGEST_PARSED:
        return ""
    try:
        table = parse_toml(data, "").get("build-system")
    except Failure:
        return ""
    named = table.get("build-backend") if isinstance(table, dict) else None
    return named if isinstance(named, str) else "setuptools"


def exclude_hint(metadata: dict[str, bytes]) -> str:
    """Say what to write, and where."""
    name = backend(metadata).lower()
    for word, known in _ALIASES.items():
        name = name.replace(word, known)
    words = re.split(r"[^a-z]+", name)
    return next((told for known, told in EXCLUDE_SETTINGS.items() if known in words), _ANY)
