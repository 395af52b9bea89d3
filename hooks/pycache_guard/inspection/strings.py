"""The strings of a bytecode file, each once: what a secret scanner has to see.

`strings_as_text` is fast, because it does not build the tree of code; `find_strings` also returns where
each string stands.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, NamedTuple, cast

from pycache_guard.bytecode.code_facts import find_docstring
from pycache_guard.bytecode.code_object import Code, Container, marshal_format
from pycache_guard.bytecode.header import InvalidHeader, parse_header
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import UnsupportedFormat
from pycache_guard.bytecode.string_scan import (
    ScanResult,
    find_printable_runs,
    is_long_number,
    scan_strings,
)
from pycache_guard.inspection.scopes import walk_scopes
from pycache_guard.report.escape import escape_surrogates, escape_unprintable, is_utf8
from pycache_guard.verify.check import describe_invalid_header

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.code_object import Value
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.inspection.scopes import Scope

#: Fields of a code object with names.
_NAME_FIELDS = (
    *("names", "localsplusnames", "varnames", "freevars", "cellvars", "name", "qualname"),
)


class FoundString(NamedTuple):
    """A string or number of a file, and where it stands first."""

    value: str | bytes | int
    #: `text`, `bytes`, `number`, `docstring`, `name` or `file name`.
    kind: str
    #: The code object, as in `walk_scopes`, and its first line.
    scope: str
    line: int
    #: The field of the code object, and the index in it, None for a field that is one string.
    field: str
    item: int | None

    @property
    def text(self) -> str:
        """The value as text; bytes that are not UTF-8 are surrogates (`surrogateescape`)."""
        return as_text(self.value)

    @property
    def place(self) -> str:
        """`consts[2] of C.f`; empty if the code could not be read."""
        if not self.field:
            return ""
        index = "" if self.item is None else f"[{self.item}]"
        return f"{self.field}{index} of {self.scope}"


def as_text(value: str | bytes | int) -> str:
    """Return a string, bytes or an integer as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return write_number(value) if isinstance(value, int) else value


#: Decimal digits of larger numbers take quadratic time to compute, and Python refuses some.
MAX_DECIMAL_BITS = 1024


def write_number(number: int) -> str:
    """Return an integer in decimal, or in hexadecimal if it is very large."""
    if number.bit_length() <= MAX_DECIMAL_BITS:
        return int.__repr__(number)
    return f"{number:#x}"


def find_strings(code: Code, magic: Magic) -> Iterator[FoundString]:
    """Yield the strings of a tree of code; the same text may occur several times.

    Tuples that several code objects share are read once.
    """
    seen: set[int] = set()
    for scope in walk_scopes(code):
        nested = scope.code
        docstring = find_docstring(nested, magic)
        if id(nested.consts) not in seen:
            seen.add(id(nested.consts))
            for index, constant in enumerate(nested.consts):
                for value in _atoms(constant, seen):
                    yield _found_constant(value, scope, index, docstring)
        for field in _NAME_FIELDS:
            names = nested.fields.get(field)
            if isinstance(names, tuple):
                if id(names) in seen:
                    continue
                seen.add(id(names))
                for index, name in enumerate(cast("tuple[str, ...]", names)):
                    yield FoundString(name, "name", scope.name, nested.firstlineno, field, index)
            elif isinstance(names, str):
                yield FoundString(names, "name", scope.name, nested.firstlineno, field, None)
        where = (scope.name, nested.firstlineno, "filename", None)
        yield FoundString(nested.filename, "file name", *where)


def _found_constant(
    value: str | bytes | int, scope: Scope, index: int, docstring: str | None
) -> FoundString:
    kind = "bytes" if isinstance(value, bytes) else "text" if isinstance(value, str) else "number"
    if docstring is not None and kind != "number" and as_text(value) == docstring:
        kind = "docstring"
    return FoundString(value, kind, scope.name, scope.code.firstlineno, "consts", index)


def _atoms(constant: Value, seen: set[int]) -> Iterator[str | bytes | int]:
    """Yield the strings and long numbers in a constant; code objects are left out."""
    pending = [constant]
    while pending:
        value = pending.pop()
        if isinstance(value, str | bytes):
            yield value
        elif isinstance(value, tuple) and not isinstance(value, Code):
            if id(value) not in seen:
                seen.add(id(value))
                items = value.items if isinstance(value, Container) else value
                pending.extend(reversed(items))
        elif isinstance(value, int) and is_long_number(value):
            yield value


def list_strings(code: Code, magic: Magic) -> list[FoundString]:
    """Return the strings of a tree of code, each text once, where it stands first."""
    found: dict[str, FoundString] = {}
    for string in find_strings(code, magic):
        found.setdefault(string.text, string)
    found.pop("", None)
    return list(found.values())


class ListedStrings(NamedTuple):
    """The strings of a file without their places."""

    #: Texts and bytes, in UTF-8, in the order of the file.
    strings: dict[bytes, None]
    numbers: dict[int, None]
    #: Why the code could not be read to its end, empty if it could; then printable runs are among `strings`.
    problem: str


def collect_strings(data: bytes, name: CacheName | None) -> ListedStrings:
    """Return the strings of a file. Of damaged or unknown code, those that can be found.

    `name` is the result of `parse_cache_name`.
    """
    try:
        magic = parse_header(data, name).magic
    except InvalidHeader as error:
        problem = describe_invalid_header(data, error)[1]
        return ListedStrings(dict.fromkeys(find_printable_runs(data)), {}, problem)
    start = magic.header_length
    dialect = None if name is not None and name.has_foreign_code else marshal_format(magic)
    if dialect is None:
        problem = f"the code of {magic.implementation} {magic.version} cannot be read"
        return ListedStrings(dict.fromkeys(find_printable_runs(data, start)), {}, problem)
    result = ScanResult()
    try:
        surplus = len(data) - scan_strings(data, start, dialect, result)
        problem = f"not well-formed: {surplus} bytes after the code" if surplus else ""
    except MarshalError as error:
        problem = f"not well-formed: {error}"
    if problem:
        # Damaged code, or bytes after the code, which Python ignores and a scanner should not.
        result.strings.update(dict.fromkeys(find_printable_runs(data, result.end)))
    result.strings.pop(b"", None)
    return ListedStrings(result.strings, result.numbers, problem)


def list_all_strings(pyc: Pyc, name: CacheName | None) -> tuple[list[FoundString], str]:
    """Return the strings of a file, and the problem of its code, empty if it is well-formed.

    Strings of code that cannot be read, and those in bytes after the code, have no place.
    """
    if not is_readable(pyc):
        listed = collect_strings(pyc.data, name)
        return place_nowhere(listed), listed.problem or "it is not well-formed"
    found = list_strings(pyc.code, pyc.header.magic)
    surplus = pyc.trailing_bytes
    runs = dict.fromkeys(find_printable_runs(pyc.data, len(pyc.data) - surplus))
    problem = f"not well-formed: {surplus} bytes after the code" if surplus else ""
    return found + place_nowhere(ListedStrings(runs, {}, "")), problem


def is_readable(pyc: Pyc) -> bool:
    """Return whether the code can be read to its end."""
    try:
        return pyc.code is not None
    except (MarshalError, UnsupportedFormat):
        return False


def place_nowhere(listed: ListedStrings) -> list[FoundString]:
    """Return strings whose place is not known."""
    values: list[str | bytes | int] = [*listed.strings, *listed.numbers]
    return [
        FoundString(v, "number" if isinstance(v, int) else "bytes", "", 0, "", None) for v in values
    ]


#: A part of a string that an escape would join to the word before; shorter ones are no secrets.
MIN_PART_CHARS = 8
#: Characters that are escaped in one step, so that a long string does not exist several times.
_CHUNK_CHARS = 1 << 20
_CONTROLS = re.compile("[\0-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff]+")


def escape_string(text: str) -> str:
    r"""Return a string as a part of a line: `\n`, `\r` and `\t`, other control characters as `\xNN`.

    Backslashes are not doubled, so that a scanner finds a token as it is.
    """
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    if len(text) <= _CHUNK_CHARS:
        return escape_unprintable(text)
    starts = range(0, len(text), _CHUNK_CHARS)
    return "".join([escape_unprintable(text[at : at + _CHUNK_CHARS]) for at in starts])


def decode_all(strings: Collection[bytes]) -> list[str]:
    """Return strings as text; all in one step if none contains NUL, which is faster."""
    whole = b"\0".join(strings)
    texts = whole.decode("utf-8", "surrogateescape").split("\0")
    if len(texts) == len(strings):
        return texts
    return [data.decode("utf-8", "surrogateescape") for data in strings]


def write_lines(listed: ListedStrings) -> list[str]:
    r"""Return the lines for a scanner, each string once.

    A string of several lines is one line, in which `\n` stands for a line break. Most scanners want a token
    to begin a word, and `\nAKIA…` would hide one, so such a part of a string is repeated on a line of its own.
    """
    parts: dict[str, None] = {}
    lines = [
        text if text.isascii() and text.isprintable() else _write_line(text, parts)
        for text in decode_all(listed.strings)
    ]
    whole = "\n".join(lines)
    if "##" in whole or whole.startswith("::") or "\n::" in whole or " ::" in whole:
        lines = [escape_unprintable(line) for line in lines]
    lines += [
        escape_string(part)
        for part in parts
        if part.encode("utf-8", "surrogateescape") not in listed.strings
    ]
    return lines + [write_number(number) for number in listed.numbers]


def _write_line(text: str, parts: dict[str, None]) -> str:
    """Return a string as one line; add what follows its control characters to `parts`."""
    if text.isascii() and (line := text.replace("\n", "\\n")).isprintable():
        found = text.split("\n")
    else:
        line = escape_string(text)
        found = _CONTROLS.split(text)
    for part in found[1:]:
        if len(part) >= MIN_PART_CHARS and (part[0].isalnum() or part[0] == "_"):
            parts[part] = None
    return line


#: Characters of a value that a line for people shows, and that JSON has of strings that leaked or changed.
MAX_SHOWN_CHARS = 2000


def write_value(value: str | bytes | int) -> str:
    """Return a string or number as Python writes it, cut off after `MAX_SHOWN_CHARS`."""
    if isinstance(value, int):
        return cut_value(write_number(value))
    if len(value) <= MAX_SHOWN_CHARS:
        return repr(value)
    unit = "bytes" if isinstance(value, bytes) else "characters"
    return f"{value[:MAX_SHOWN_CHARS]!r}… ({len(value):,} {unit})"


def cut_value(text: str) -> str:
    """Return a text, cut off with its length if it is long."""
    if len(text) <= MAX_SHOWN_CHARS:
        return text
    return f"{text[:MAX_SHOWN_CHARS]}… ({len(text):,} characters)"


def string_to_json(string: FoundString) -> dict[str, object]:
    """Return a string with its place; every key is present."""
    value = string.value
    raw = value if isinstance(value, bytes) and not is_utf8(string.text) else None
    return {
        "value": value
        if isinstance(value, int) and value.bit_length() <= _JSON_BITS
        else escape_surrogates(string.text),
        "value_base64": None if raw is None else base64.b64encode(raw).decode("ascii"),
        "kind": string.kind,
        "code": escape_surrogates(string.scope) or None,
        "line": string.line if string.scope else None,
        "field": string.field or None,
        "index": string.item,
    }


#: Larger integers are strings in JSON: other programs read numbers as doubles.
_JSON_BITS = 53
