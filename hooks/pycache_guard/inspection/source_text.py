"""Check by text whether a source contains what its bytecode contains: without the matching interpreter.

A compiler joins, cuts and evaluates literals, so a string of the bytecode need not stand in the source as
it is. Everything is reported as missing unless one of a few rules finds it, because a string that is wrongly called
known would hide a secret.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from pycache_guard.inspection.strings import write_number

if TYPE_CHECKING:
    from collections.abc import Container

#: Characters of the source that may be searched altogether: a bound on the time for hostile files.
MAX_SEARCHED_CHARS = 4 << 30

#: A comment, or a string literal with its prefix, quotes and body. An unfinished literal ends with its line or
#: the source, so that the search takes linear time.
_TOKENS = re.compile(
    r"#[^\n]*"
    r"|(?P<prefix>[A-Za-z]{0,2})(?:"
    r"(?P<quotes>\"\"\"|''')(?P<long>(?:[^\\]|\\.)*?)(?:(?P=quotes)|\\?\Z)"
    r"|(?P<quote>[\"'])(?P<short>(?:[^\\\n]|\\.)*?)(?:(?P=quote)|(?=\n)|\\?\Z))",
    re.DOTALL,
)
_ESCAPES = re.compile(
    r"\\(?:\n|(?P<octal>[0-7]{1,3})|x(?P<x>[0-9A-Fa-f]{2})|u(?P<u>[0-9A-Fa-f]{4})"
    r"|U(?P<U>[0-9A-Fa-f]{8})|N\{(?P<name>[^}]*)\}|(?P<one>[\\'\"abfnrtv]))"
)
_ONE = dict(zip("\\'\"abfnrtv", "\\'\"\a\b\f\n\r\t\v", strict=True))
_NUMBERS = re.compile(r"\b0[xX][\da-fA-F_]+|\b0[oO]?[0-7_]+|\b0[bB][01_]+|\b[1-9][\d_]*")
_WORDS = re.compile(r"\w+")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
#: What is not compared: layout, and the quotes between the parts of a string.
_LAYOUT = re.compile(r"[\s\\\"'()]+")

#: Names and strings that compilers and pytest write and no source has to contain.
_GENERATED = re.compile(
    r"\.\d+|\.(?:type_params|generic_base|defaults|kwdefaults|format)"
    r"|<(?:module|lambda|listcomp|setcomp|dictcomp|genexpr|locals)>"
    r"|__(?:module|qualname|name|doc|annotations|annotate|annotate_func|conditional_annotations|class|classcell"
    r"|classdict|classdictcell|firstlineno|static_attributes|type_params|build_class|path|all|metaclass"
    r"|locals|new|import|enter|exit|aenter|aexit|debug)__"
    r"|AssertionError|NotImplementedError|return|format|builtins|_\[\d+\]"
    r"|@py(?:_\w+|test_\w+)|py\d+|locals|_pytest\.assertion\.rewrite|rewrite|_saferepr|_format_\w+"
    r"|_should_repr_global_name|_call_\w+|util|\W{0,3}"
)
_PYTEST_PLACE = re.compile(r"%\(py\d+\)s")
#: A name in a class body: `_C__x` is `__x` in the source.
_MANGLED = re.compile(r"_(?P<owner>[^\W_]\w*?)__(?P<name>\w+)")
#: The scope of type parameters, since CPython 3.12.
_TYPE_SCOPE = re.compile(r"<generic parameters of (?P<name>\w+)>")
#: Longer names are compared as strings only.
_MAX_IDENTIFIER_CHARS = 1000


class SourceText:
    """The text of a source, and what can be found in it."""

    def __init__(self, data: bytes, known: Container[str] = ()) -> None:
        """Read a source; `known` are strings that another Python version compiles it to."""
        self._known = known
        self._text = decode_source(data)
        self._words = set(_WORDS.findall(self._text))
        self._numbers = {
            number
            for text in _NUMBERS.findall(self._text)
            if (number := read_number(text)) is not None
        }
        literals = [*iter_literals(self._text)]
        self._literals = {*literals}
        self._searched = (
            self._text,
            "".join(literals),
            squeeze(self._text),
            "\0".join(map(squeeze, literals)),
        )
        self._left = MAX_SEARCHED_CHARS

    def contains(self, value: str | int) -> bool:
        """Return whether the source contains a string or a number, as far as its text shows."""
        if isinstance(value, int):
            return abs(value) in self._numbers or write_number(value) in self._known
        if value in self._known or value in self._words or value in self._literals:
            return True
        if _GENERATED.fullmatch(value) or self._is_name(value) or self._is_repeated(value):
            return True
        if _PYTEST_PLACE.search(value):
            parts = _PYTEST_PLACE.split(value.removeprefix("assert "))
            return all(self._finds(part.strip(" {}=\n")) for part in parts)
        return self._finds(value)

    def _finds(self, value: str) -> bool:
        """Search for a string, then for the string without white space and quotes."""
        if value in self._text or value in self._searched[1]:
            return True
        self._left -= sum(map(len, self._searched))
        if self._left < 0:
            return False
        squeezed = squeeze(value)
        return bool(squeezed) and (squeezed in self._searched[2] or squeezed in self._searched[3])

    def _is_name(self, value: str) -> bool:
        """Return whether a qualified or mangled name consists of words of the source."""
        parts = value.split(".")
        return all(part in self._words or self._is_plain_name(part) for part in parts)

    def _is_plain_name(self, part: str) -> bool:
        if part and _GENERATED.fullmatch(part):
            return True
        if scope := _TYPE_SCOPE.fullmatch(part):
            return scope["name"] in self._words
        found = _MANGLED.fullmatch(part) if len(part) <= _MAX_IDENTIFIER_CHARS else None
        return found is not None and f"__{found['name']}" in self._words

    def _is_repeated(self, value: str) -> bool:
        """Return whether a string is a literal several times, as from `"-" * 70`."""
        period = (value + value).find(value, 1)
        return 0 < period < len(value) and value[:period] in self._literals


def decode_source(data: bytes) -> str:
    """Return a source as text: by its mark or its `coding` line (PEP 263), else as UTF-8, else as Latin-1."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    encodings = ["utf-8", "latin-1"]
    for line in data.split(b"\n", 2)[:2]:
        if found := _CODING.match(line):
            encodings.insert(0, found[1].decode("ascii"))
    for encoding in encodings:
        try:
            return data.decode(encoding).replace("\r\n", "\n")
        except (LookupError, ValueError):
            continue
    raise AssertionError("Latin-1 decodes everything")


def iter_literals(text: str) -> list[str]:
    """Return the string literals of a source in their order, decoded; of f-strings with their expressions."""
    found = []
    for token in _TOKENS.finditer(text):
        body = token["long"] if token["long"] is not None else token["short"]
        if body is not None:
            prefix = token["prefix"].lower()
            body = body if "r" in prefix else _ESCAPES.sub(_decode_escape, body)
            found.append(body.replace("{{", "{").replace("}}", "}") if "f" in prefix else body)
    return found


def _decode_escape(escape: re.Match[str]) -> str:
    if escape["octal"]:
        return chr(int(escape["octal"], 8))
    for kind in ("x", "u", "U"):
        if escape[kind]:
            number = int(escape[kind], 16)
            return chr(number) if number <= 0x10FFFF else escape[0]
    if escape["name"]:
        try:
            return unicodedata.lookup(escape["name"])
        except KeyError:
            return escape[0]
    return _ONE.get(escape["one"] or "", "")


#: Digits of a literal that are read.
_MAX_DIGITS = 400


def read_number(text: str) -> int | None:
    """Return the value of an integer literal, of Python 2 as well; None if it is not one."""
    digits = text.replace("_", "")
    if len(digits) > _MAX_DIGITS:
        return None
    try:
        return int(digits, 0)
    except ValueError:
        pass
    try:
        return int(digits, 8)
    except ValueError:
        return None


def squeeze(text: str) -> str:
    """Return a text without layout and quotes."""
    return _LAYOUT.sub("", text)
