"""The facts as text and as JSON, with the tree of code objects, shortened for display."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, cast

from pycache_guard.bytecode.cache_names import writes_other_code
from pycache_guard.bytecode.code_facts import (
    find_docstring,
    is_function,
    iter_imports,
    list_arguments,
    name_flags,
)
from pycache_guard.bytecode.code_object import Code, Container
from pycache_guard.bytecode.header import SourceHash, Timestamp
from pycache_guard.inspection.facts import is_absolute, is_tag_right
from pycache_guard.inspection.scopes import walk_scopes
from pycache_guard.report.escape import escape_surrogates, is_utf8

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.code_object import Value
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.findings import Finding
    from pycache_guard.inspection.facts import PycFacts
    from pycache_guard.inspection.scopes import Scope

#: Whether Python would run the file instead of compiling its source.
_RUNS = {True: "yes", False: "no", None: "depends"}


def to_text(facts: PycFacts, findings: list[Finding], *, with_code: bool) -> Iterator[str]:
    """Yield lines: the path, then the facts."""
    revision = "" if facts.revision is None else f"{facts.revision}:"
    yield f"{revision}{facts.path}"
    for finding in findings:
        yield f"  {finding.rule.name}        {finding.message}"
    header = facts.header
    runs = f"  runs          {_RUNS[facts.running.runs]}: {facts.running.why}"
    if header is None:
        yield runs
        return
    yield f"  written by    {describe_writer(facts, header)}"
    if facts.name is not None:
        yield f"  name          {describe_name(facts.name)}"
    yield f"  invalidation  {describe_validation(header)}"
    yield f"  source        {describe_source(facts)}"
    yield runs
    for name in facts.filenames[:MAX_LINES]:
        leak = " (an absolute path of the machine that compiled it)" if is_absolute(name) else ""
        yield f"  compiled as   {name}{leak}"
    yield from _count_rest("compiled as", len(facts.filenames))
    if facts.code is not None:
        yield from describe_code(facts.code, header.magic, with_functions=not with_code)
    if with_code and facts.code is not None:
        yield "  code"
        for depth, code in walk_code(facts.code):
            listed = ", ".join(constant_reprs(code))
            yield f"  {'  ' * depth}  {describe_object(code, code.name, header.magic)}: {listed}"
    elif with_code:
        yield "  code          cannot be read"


def describe_code(code: Code, magic: Magic, *, with_functions: bool) -> Iterator[str]:
    """Yield lines about the docstring, the imports and the functions of a module."""
    docstring = find_docstring(code, magic)
    if docstring and docstring.strip():
        yield f"  docstring     {cut_text(docstring.strip().splitlines()[0])}"
    scopes = [*walk_scopes(code)]
    imports = list_imports(scopes, magic)
    if imports:
        more = f", and {len(imports) - MAX_LINES:,} more" if len(imports) > MAX_LINES else ""
        yield f"  imports       {', '.join(map(cut_text, imports[:MAX_LINES]))}{more}"
    if not with_functions:
        return
    functions = [scope for scope in scopes if is_function(scope.code)]
    for scope in functions[:MAX_LINES]:
        yield f"  function      {describe_object(scope.code, scope.name, magic)}"
    yield from _count_rest("function", len(functions))


def _count_rest(label: str, number: int) -> Iterator[str]:
    if number > MAX_LINES:
        yield f"  {label:12}  {number - MAX_LINES:,} more: see --code"


#: Lines of one kind that a description without `--code` has.
MAX_LINES = 20


def describe_object(code: Code, name: str, magic: Magic) -> str:
    """Describe a code object: `f(a, *b), line 3, 58 bytes, flags OPTIMIZED, NEWLOCALS`."""
    flags = ", ".join(name_flags(code.flags, magic)) or "none"
    signature = write_signature(code, name)
    return f"{signature}, line {code.firstlineno}, {len(code.code)} bytes, flags {flags}"


def write_signature(code: Code, name: str) -> str:
    """Return the name of a code object, with the arguments of a function."""
    name = cut_text(name)
    return (
        f"{name}({', '.join(map(cut_text, list_arguments(code)))})" if is_function(code) else name
    )


def list_imports(scopes: Iterable[Scope], magic: Magic) -> list[str]:
    """Return the modules that code objects import, each once, in their order."""
    return [*dict.fromkeys(name for scope in scopes for name in iter_imports(scope.code, magic))]


#: Characters of a name or a line of a docstring.
MAX_LINE_CHARS = 300


def cut_text(text: str) -> str:
    """Return a text, cut off if it is long."""
    return text if len(text) <= MAX_LINE_CHARS else f"{text[:MAX_LINE_CHARS]}…"


def describe_writer(facts: PycFacts, header: Header) -> str:
    """Return what wrote the file: by its tag, if its interpreter uses the magic number of another one."""
    magic = header.magic
    early = "" if magic.released else ", a pre-release"
    number = f"magic {magic.number}" if magic.has_number else "no magic number"
    writer = f"{magic.implementation} {magic.version}{early}"
    name = facts.name
    if name and name.implementation and is_tag_right(facts) and writes_other_code(name.tag, magic):
        return f"{name.implementation} ({number} of {writer})"
    return f"{writer} ({number})"


def describe_name(name: CacheName) -> str:
    """Describe the parts of a name."""
    parts = [f"{'script' if name.is_script else 'module'} {name.module}"]
    if name.tag:
        parts.append(f"tag {name.tag}")
    if name.optimization:
        parts.append(f"optimization {name.optimization}")
    if name.pytest:
        parts.append(f"rewritten by {name.pytest_writer}")
    if name.is_temporary:
        parts.append("left by an interrupted write")
    return ", ".join(parts)


def describe_validation(header: Header) -> str:
    """Describe how Python checks whether the file is out of date."""
    validation = header.validation
    if isinstance(validation, SourceHash):
        how = "checked" if validation.checked else "never checked"
        return f"hash of the source, {how}: {validation.digest.hex()}"
    if isinstance(validation, Timestamp):
        size = "" if validation.source_size is None else f", {validation.source_size} bytes"
        return f"timestamp: source of {describe_time(validation.mtime)}{size}"
    return "not in a header"


def describe_time(seconds: int) -> str:
    """Return a time in UTC, and in the time zone of the reader if that is another one."""
    utc = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
    try:
        local = time.localtime(seconds)
    except (OSError, OverflowError):  # Windows, for a year that the C library does not know
        return utc
    if not local.tm_gmtoff:
        return utc
    # Not `%z`: PyPy writes +0000 for every zone.
    minutes = abs(local.tm_gmtoff) // 60
    offset = f"{'-' if local.tm_gmtoff < 0 else '+'}{minutes // 60:02}{minutes % 60:02}"
    return f"{utc} ({time.strftime('%Y-%m-%d %H:%M:%S', local)} {offset})"


def describe_source(facts: PycFacts) -> str:
    """Describe the source."""
    if facts.source is None or facts.fitting is None:
        return "not found"
    return f"{facts.source.path}, {facts.source.source.size} bytes: {facts.fitting.why}"


#: The length of the headers that have flags.
PEP_552_HEADER_BYTES = 16


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
        **header_fields(facts),
        "name": name_fields(facts),
        "tag_fits": is_tag_right(facts) if facts.name and facts.name.tag else None,
        "source": source_fields(facts),
        "would_run": facts.running.runs,
        "why": escape_surrogates(facts.running.why),
        "filenames": [escape_surrogates(name) for name in facts.filenames],
        "absolute_paths": [escape_surrogates(name) for name in facts.absolute_paths],
        "docstring": docstring_field(facts),
        "imports": imports_field(facts),
        "code": code_fields(facts) if with_code else None,
    }


def header_fields(facts: PycFacts) -> dict[str, object]:
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
        "flags": header.flags
        if magic and header and magic.header_length == PEP_552_HEADER_BYTES
        else None,
        "invalidation_mode": invalidation_mode(facts),
        "source_mtime": stamp and stamp.mtime,
        "source_size": stamp and stamp.source_size,
        "source_hash": digest and digest.digest.hex(),
    }


def invalidation_mode(facts: PycFacts) -> str | None:
    """Return the invalidation mode as `py_compile` calls it."""
    validation = facts.header and facts.header.validation
    if isinstance(validation, SourceHash):
        return "checked-hash" if validation.checked else "unchecked-hash"
    return "timestamp" if isinstance(validation, Timestamp) else None


def name_fields(facts: PycFacts) -> dict[str, object] | None:
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


def source_fields(facts: PycFacts) -> dict[str, object] | None:
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


def docstring_field(facts: PycFacts) -> str | None:
    """Return the docstring of the module, None if it has none."""
    if facts.code is None or facts.header is None:
        return None
    docstring = find_docstring(facts.code, facts.header.magic)
    return None if docstring is None else escape_surrogates(docstring)


def imports_field(facts: PycFacts) -> list[str] | None:
    """Return the modules that the code imports, None if it cannot be read."""
    if facts.code is None or facts.header is None:
        return None
    return [*map(escape_surrogates, list_imports(walk_scopes(facts.code), facts.header.magic))]


def code_fields(facts: PycFacts) -> list[dict[str, object]] | None:
    """Return a flat list of every code object once, in the order of the file, with its depth."""
    if facts.code is None or facts.header is None:
        return None
    magic = facts.header.magic
    return [
        {
            "depth": depth,
            "name": escape_surrogates(code.name),
            "first_line": code.firstlineno,
            "size": len(code.code),
            "arguments": [escape_surrogates(name) for name in arguments_of(code)],
            "flags": code.flags,
            "flag_names": name_flags(code.flags, magic),
            "names": [escape_surrogates(name) for name in used_names(code)],
            "constants": [escape_surrogates(constant) for constant in constant_reprs(code)],
        }
        for depth, code in walk_code(facts.code)
    ]


#: Characters of a text, items of a collection, levels of nesting, bits of a number.
MAX_REPR_CHARS = 40
MAX_ITEM_COUNT = 4
MAX_DEPTH = 4
#: Constants of a code object.
MAX_CONSTANTS = 1000
MAX_INT_BITS = 1024


def walk_code(code: Code) -> Iterator[tuple[int, Code]]:
    """Yield each code object once, with its depth, in the order of the file."""
    seen: set[int] = set()
    pending: list[tuple[int, Value]] = [(0, code)]
    while pending:
        depth, value = pending.pop()
        if id(value) in seen or not isinstance(value, tuple):
            continue
        seen.add(id(value))
        parts = value.items if isinstance(value, Container) else value
        if isinstance(value, Code):
            yield depth, value
            parts, depth = value.consts, depth + 1
        pending.extend((depth, part) for part in reversed(cast("tuple[Value, ...]", parts)))


def arguments_of(code: Code) -> list[str]:
    """Return the arguments of a function, nothing for other code."""
    return list_arguments(code) if is_function(code) else []


def used_names(code: Code) -> tuple[str, ...]:
    """Return the names that the code uses: globals and attributes."""
    return cast("tuple[str, ...]", code.fields["names"])


def constant_reprs(code: Code) -> list[str]:
    """Return the first `MAX_CONSTANTS` constants, code objects left out."""
    values = [value for value in code.consts if not isinstance(value, Code)]
    rest = [f"… ({len(values) - MAX_CONSTANTS:,} more)"] if len(values) > MAX_CONSTANTS else []
    return [*map(short_repr, values[:MAX_CONSTANTS]), *rest]


def short_repr(value: Value, depth: int = 0) -> str:
    """Return the repr of a constant, shortened if it is long or deep."""
    if isinstance(value, str | bytes):
        return repr(value) if len(value) <= MAX_REPR_CHARS else f"{value[:MAX_REPR_CHARS]!r}…"
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        return f"<int of {value.bit_length()} bits>"
    if isinstance(value, Code):
        return f"<code {value.name}>"
    if not isinstance(value, tuple):
        return repr(value)
    if isinstance(value, Container):
        return _write_collection(value.kind, value.items, depth)
    return _write_collection("tuple", cast("tuple[Value, ...]", value), depth)


#: The brackets of a collection, and the text of an empty one.
_BRACKETS = {
    "tuple": ("(", ")", "()"),
    "list": ("[", "]", "[]"),
    "set": ("{", "}", "set()"),
    "frozenset": ("frozenset({", "})", "frozenset()"),
    "dict": ("{", "}", "{}"),
    "frozendict": ("frozendict({", "})", "frozendict()"),
    "slice": ("slice(", ")", "slice()"),
}


def _write_collection(kind: str, items: tuple[Value, ...], depth: int) -> str:
    step = 2 if kind in ("dict", "frozendict") else 1
    if depth == MAX_DEPTH:
        return f"<{kind} of {len(items) // step}>"
    written = [short_repr(item, depth + 1) for item in items[: step * MAX_ITEM_COUNT]]
    if step == 2:
        written = [": ".join(written[at : at + 2]) for at in range(0, len(written), 2)]
    if len(items) > step * MAX_ITEM_COUNT:
        written.append("…")
    opening, closing, empty = _BRACKETS[kind]
    if not items:
        return empty
    comma = "," if kind == "tuple" and len(items) == 1 else ""
    return f"{opening}{', '.join(written)}{comma}{closing}"
