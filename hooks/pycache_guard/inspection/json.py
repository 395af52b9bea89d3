"""Facts for programs: the elements of `files` in JSON, version 1."""

from __future__ import annotations

import base64
import os

from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.inspection.facts import is_tag_right
from pycache_guard.inspection.outline import constants
from pycache_guard.inspection.outline import names
from pycache_guard.inspection.outline import walk_code
from pycache_guard.report.escape import escape_surrogates
from pycache_guard.report.escape import is_utf8

#: The length of the headers that have flags.
PEP_552 = 16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.inspection.facts import PycFacts


def to_json(facts: PycFacts, *, is_well_formed: bool, with_code: bool) -> dict[str, object]:
    """Return the facts with every key, None if one does not apply or is not known."""
    path = facts.path
    return {
        "path": escape_surrogates(path),
        "path_base64": None if is_utf8(path) else base64.b64encode(os.fsencode(path)).decode(),
        "revision": facts.revision,
        "size": facts.size,
        "well_formed": is_well_formed,
        "magic": facts.magic.hex(),
        **by_header(facts),
        "name": name_parts(facts),
        "tag_fits": is_tag_right(facts) if facts.name and facts.name.tag else None,
        "source": source(facts),
        "would_run": facts.running.runs,
        "why": escape_surrogates(facts.running.why),
        "filenames": [escape_surrogates(name) for name in facts.filenames],
        "absolute_paths": [escape_surrogates(name) for name in facts.absolute_paths],
        "code": code_objects(facts) if with_code else None,
    }


def by_header(facts: PycFacts) -> dict[str, object]:
    """Return the fields of the header."""
    header = facts.header
    magic = header and header.magic
    validation = header and header.validation
    stamp = validation if isinstance(validation, Timestamp) else None
    digest = validation if isinstance(validation, SourceHash) else None
    return {
        "magic_number": magic.number if magic and magic.has_number else None,
        "implementation": magic and magic.implementation,
        "version": magic and magic.version,
        "prerelease": magic and not magic.released,
        "header_length": magic and magic.header_length,
        "flags": header.flags if magic and header and magic.header_length == PEP_552 else None,
        "invalidation_mode": mode(facts),
        "source_mtime": stamp and stamp.mtime,
        "source_size": stamp and stamp.source_size,
        "source_hash": digest and digest.digest.hex(),
    }


def mode(facts: PycFacts) -> str | None:
    """Return the invalidation mode as `py_compile` calls it."""
    validation = facts.header and facts.header.validation
    if isinstance(validation, SourceHash):
        return "checked-hash" if validation.checked else "unchecked-hash"
    return "timestamp" if isinstance(validation, Timestamp) else None


def name_parts(facts: PycFacts) -> dict[str, object] | None:
    """Return the parts of the name."""
    name = facts.name
    if name is None:
        return None
    return {
        "module": escape_surrogates(name.module),
        "tag": name.tag or None,
        "optimization": name.optimization or None,
        "pytest": name.pytest or None,
        "suffix": name.suffix,
        "leftover": name.is_temporary,
    }


def source(facts: PycFacts) -> dict[str, object] | None:
    """Return the facts about the source, None if it does not exist."""
    found, fitting = facts.source, facts.fitting
    if found is None or fitting is None:
        return None
    return {
        "path": escape_surrogates(found.path),
        "size": found.source.size,
        "mtime": found.source.mtime,
        "fits": fitting.freshness.value,
    }


def code_objects(facts: PycFacts) -> list[dict[str, object]] | None:
    """Return a flat list of every code object once, in the order of the file, with its depth."""
    if facts.code is None:
        return None
    return [
        {
            "depth": depth,
            "name": escape_surrogates(code.name),
            "first_line": code.firstlineno,
            "flags": code.flags,
            "names": [escape_surrogates(name) for name in names(code)],
            "constants": [escape_surrogates(constant) for constant in constants(code)],
        }
        for depth, code in walk_code(facts.code)
    ]
