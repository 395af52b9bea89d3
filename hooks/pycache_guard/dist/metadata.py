"""The metadata of an archive: which backend built it, and which files a wheel lists.

The backend has a setting that excludes bytecode. Each setting was tried on a tree with caches, except
that of maturin, which is from its documentation; docs/dist.md has the table. In hatchling and
poetry-core, `include` and similar keys override `exclude`. The list of files is specified in PEP 427,
"The .dist-info directory".
"""

from __future__ import annotations

import csv
import os
import re
from typing import TYPE_CHECKING

from pycache_guard.archives.member import ArchiveError
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.errors import Failure
from pycache_guard.misplaced import may_be_misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: By a word that the name of the generator or backend contains.
EXCLUDE_SETTINGS = {
    "setuptools": (
        "add `global-exclude *.py[co] *.pyc.*` and `global-exclude __pycache__/*` as the last lines of"
        " MANIFEST.in, and if pyproject.toml sets package-data, add"
        ' `"*" = ["*.py[co]", "__pycache__/*"]` to `[tool.setuptools.exclude-package-data]`'
    ),
    "hatchling": (
        'add `exclude = ["*.py[co]", "__pycache__"]` to `[tool.hatch.build]` in pyproject.toml, and'
        " remove patterns for bytecode from `artifacts` and `force-include`"
    ),
    "flit": (
        'add `exclude = ["**/*.py[co]", "**/__pycache__"]` to `[tool.flit.sdist]` in pyproject.toml'
    ),
    "poetry": (
        "remove patterns that match bytecode, such as `**/*`, from `include` of `[tool.poetry]` in"
        " pyproject.toml: `exclude` does not override them"
    ),
    "uv": (
        "remove `default-excludes = false` from `[tool.uv.build-backend]` in pyproject.toml, or set"
        ' `source-exclude` and `wheel-exclude` to `["__pycache__", "*.pyc", "*.pyo"]` there'
    ),
    "pdm": (
        "remove patterns that match bytecode from `includes` and `source-includes` of"
        " `[tool.pdm.build]` in pyproject.toml"
    ),
    "maturin": (
        'add `exclude = ["**/__pycache__/**", "**/*.py[co]"]` to `[tool.maturin]` in pyproject.toml'
    ),
}

#: Older names for what setuptools does.
_ALIASES = {"bdist_wheel": "setuptools", "bdist_egg": "setuptools"}

#: For an archive of an unknown backend.
ANY_BACKEND = "run `pycache-guard clean` before you build the archive"

_GENERATOR = re.compile(rb"^Generator:(.*)$", re.MULTILINE | re.IGNORECASE)
_WHEEL = re.compile(r"[^/]+\.dist-info/WHEEL")
_PROJECT = re.compile(r"[^/]+/pyproject\.toml")
_SETUP = re.compile(r"[^/]+/setup\.py|EGG-INFO/PKG-INFO")


#: Maximum size of a metadata file that is read, and of one that is parsed as a whole.
MAX_METADATA_BYTES = 1 << 16
MAX_PARSED_BYTES = 4096
_BUILD_SYSTEM = re.compile(rb"^[ \t]*\[[ \t]*build-system[ \t]*\]", re.MULTILINE)
_NEXT_TABLE = re.compile(rb"^[ \t]*\[", re.MULTILINE)
_ENDS = ("WHEEL", "pyproject.toml", "setup.py", "PKG-INFO")
_KINDS = (_WHEEL, _PROJECT, _SETUP)


def is_metadata(name: str) -> bool:
    """Return whether a member shows which backend built the archive."""
    return name.endswith(_ENDS) and any(form.fullmatch(name) for form in _KINDS)


def keep_metadata(metadata: dict[str, bytes], name: str, data: bytes) -> None:
    """Add a member's content to `metadata`, if it is the first of its kind there."""
    kind = next(form for form in _KINDS if form.fullmatch(name))
    if not any(map(kind.fullmatch, metadata)):
        metadata[name] = b"" if kind is _SETUP else data


def backend(metadata: dict[str, bytes]) -> str:
    """Return the name of the backend, empty if unknown. `metadata` maps member names to content."""
    named = ""
    for name, data in metadata.items():
        if _WHEEL.fullmatch(name):
            found = _GENERATOR.search(data)
            return found[1].strip().decode("utf-8", "replace") if found else ""
        if _PROJECT.fullmatch(name):
            named = build_backend(data) or named
        elif not named:
            named = "setuptools"
    return named


def build_backend(data: bytes) -> str:
    """Return `build-backend` of a `pyproject.toml`; setuptools if the key is missing (PEP 517).

    In a file of more than `MAX_PARSED_BYTES`, only the table `[build-system]` is parsed: tomllib
    needs time and memory that grow with the square of a dotted key. Returns an empty string if that
    table cannot be read.
    """
    if len(data) > MAX_PARSED_BYTES:
        start = _BUILD_SYSTEM.search(data)
        if start is None:
            return "" if b"build-system" in data else "setuptools"
        end = _NEXT_TABLE.search(data, start.end())
        data = data[start.start() : end.start() if end else len(data)]
    if len(data) > MAX_PARSED_BYTES:
        return ""
    from pycache_guard.config import parse_toml  # 4 ms, for an archive with this file

    try:
        table = parse_toml(data, "").get("build-system")
    except Failure:
        return ""
    named = table.get("build-backend") if isinstance(table, dict) else None
    return named if isinstance(named, str) else "setuptools"


def exclude_hint(metadata: dict[str, bytes]) -> str:
    """Return a sentence on how to exclude bytecode from the archives of this backend."""
    name = backend(metadata).lower()
    for word, known in _ALIASES.items():
        name = name.replace(word, known)
    words = re.split(r"[^a-z]+", name)
    return next((hint for known, hint in EXCLUDE_SETTINGS.items() if known in words), ANY_BACKEND)


#: A path has at most 4096 bytes on Linux.
MAX_LINE_BYTES = 1 << 17

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")


def is_record(name: str) -> bool:
    """Return whether a member is a RECORD file."""
    return name.endswith("RECORD") and _RECORD.fullmatch(name) is not None


def recorded_bytecode(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the paths of bytecode in a RECORD file. Raises `ArchiveError`."""
    try:
        for row in csv.reader(_lines(pieces)):
            # Only bytecode counts: a source in `__pycache__` has another name.
            if row and is_bytecode_path(os.fsencode(row[0])) and not may_be_misplaced(row[0]):
                yield row[0]
    except csv.Error as error:
        raise ArchiveError(f"is not a list of files: {error}") from None


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield lines with their ends."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "surrogateescape") + "\n"
        if len(rest) > MAX_LINE_BYTES:
            raise ArchiveError(
                f"is not a list of files: a line of more than {MAX_LINE_BYTES} bytes"
            )
    if rest:
        yield rest.decode("utf-8", "surrogateescape")
