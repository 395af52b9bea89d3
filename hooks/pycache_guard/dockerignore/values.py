"""Values in files that define builds: their variables, and whether a context is a directory.

Compose specification, `12-interpolation.md`; compose-go, `paths/context.go` (`isRemoteContext`);
BuildKit and Bake add `target:` and `input:` to the contexts that are not directories.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.fs.regular import MAX_TEXT_BYTES, TOO_LARGE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unreadable(ValueError):
    """The file, or a value in it, cannot be understood; `line` is 1-based."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


#: No path is longer on Linux, and no URL of a context.
MAX_VALUE_CHARS = 4096
#: What aliases, merges, includes and inherited values make of all files, counted in values.
MAX_VALUES = 250_000
#: Of a value in a message.
_MAX_SHOWN_CHARS = 1000


def decode_file(content: bytes) -> str:
    """Return the text of a file that defines a build. Raises `Unreadable`."""
    require_small(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(1, "it is not UTF-8") from None


def require_small(content: bytes) -> None:
    """Raise `Unreadable` for a file that nobody writes, which could take time and memory."""
    if len(content) > MAX_TEXT_BYTES:
        raise Unreadable(1, TOO_LARGE)


def require_short(text: str, line: int, length: int = 0) -> str:
    """Return `text`. Raises `Unreadable` if it, or a text of `length`, is too long for a path."""
    if max(len(text), length) > MAX_VALUE_CHARS:
        raise Unreadable(line, f"a value has more than {MAX_VALUE_CHARS} characters")
    return text


class ValueCount:
    """Counts values, because aliases, merges, includes and inheritance make many of few bytes."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def add(self, count: int, line: int) -> None:
        """Count more values. Raises `Unreadable` if there are too many."""
        self._left -= count
        if self._left < 0:
            raise Unreadable(
                line, "its aliases, merges, includes or inherited values make too many values"
            )


def encode_path(text: str) -> bytes:
    """Return a path as git has it; a lone surrogate, which JSON and YAML can have, is kept."""
    return text.encode("utf-8", "surrogatepass")


def shorten(text: str) -> str:
    """Return a text for a message."""
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}…"


#: Stands for a variable whose value is not known here.
UNKNOWN = "\0"
#: Stands for the directory that an editor opens, the top, in front of a devcontainer's path.
WORKSPACE = "\1"

_REMOTE = re.compile(
    r"[a-z][a-z0-9+.-]*://.* | (?:service|target|input):.* | github\.com/.* | git@.*",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: More defaults within defaults than people write.
_MAX_DEPTH = 20


class Value(NamedTuple):
    """A scalar as it is written, and the line (from 1) of its key."""

    text: str
    line: int


def is_remote(context: str) -> bool:
    """Return whether a context is a URL, an image or another build, and not a directory of this machine."""
    return _REMOTE.fullmatch(context) is not None


def interpolate(value: Value, environment: Mapping[str, str]) -> str:
    """Return a value with its variables replaced.

    A variable has its value in `environment`, else its default. Raises `Unreadable` for one that has
    neither, unless the value is remote anyway.
    """
    text = interpolate_or_unknown(value, environment)
    if UNKNOWN in text and not is_remote(text):
        raise Unreadable(value.line, f"`{shorten(value.text)}` depends on the environment")
    return text


def interpolate_or_unknown(value: Value, environment: Mapping[str, str]) -> str:
    """Return a value with its variables replaced, `UNKNOWN` in place of each that is not known."""
    text = require_short(value.text, value.line)
    return replace_variables(text, environment, value.line, 0) if "$" in text else text


def replace_variables(text: str, environment: Mapping[str, str], line: int, depth: int) -> str:
    """Return `text` with its variables replaced, `UNKNOWN` for each that is not known."""
    if depth > _MAX_DEPTH:
        raise Unreadable(line, "its variables are nested too deeply")
    parts, at, length = [], 0, 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        after = text[dollar + 1 : dollar + 2]
        name = _NAME.match(text, dollar + 1)
        if after == "$":
            found, at = "$", dollar + 2
        elif after == "{":
            end = find_closing_brace(text, dollar + 2, line)
            found, at = replace_braced(text[dollar + 2 : end], environment, line, depth), end + 1
        elif name:
            found, at = environment.get(name[0], UNKNOWN), name.end()
        else:
            raise Unreadable(
                line,
                f"`{shorten(text)}` has a `$` that Compose rejects; write `$$` for a dollar sign",
            )
        length += len(found)
        parts.append(require_short(found, line, length))
    return "".join(parts) + text[at:]


def find_closing_brace(text: str, at: int, line: int) -> int:
    """Return where the `}` is that closes the `${` before `at`."""
    depth = 1
    while at < len(text):
        if text.startswith("${", at):
            depth, at = depth + 1, at + 2
            continue
        depth -= text[at] == "}"
        if not depth:
            return at
        at += 1
    raise Unreadable(line, f"`{shorten(text)}` has a `${{` that is not closed")


def replace_braced(inner: str, environment: Mapping[str, str], line: int, depth: int) -> str:
    """Return the value of `${inner}`, `UNKNOWN` if it is not known."""
    name = _NAME.match(inner)
    if name is None:
        raise Unreadable(line, f"`${{{shorten(inner)}}}` does not name a variable")
    value = environment.get(name[0])
    rest = inner[name.end() :]
    is_empty_unset = rest.startswith(":")
    operator = rest.removeprefix(":")[:1]
    word = rest.removeprefix(":")[1:]
    is_set = bool(value) if is_empty_unset else value is not None
    if not operator or operator == "?":
        return value if value is not None and (is_set or not operator) else UNKNOWN
    if operator == "-":
        return (
            value
            if is_set and value is not None
            else replace_variables(word, environment, line, depth + 1)
        )
    if operator == "+":
        return replace_variables(word, environment, line, depth + 1) if is_set else ""
    raise Unreadable(line, f"`${{{shorten(inner)}}}` has an operator that Compose does not have")


def read_environment(content: bytes) -> dict[str, str]:
    """Return the variables of a `.env` file: lines `NAME=VALUE`, the value quoted or not.

    A value that refers to another variable is left out, and so is not known. Raises `Unreadable` for a
    file that is too large.
    """
    require_small(content)
    found: dict[str, str] = {}
    for line in content.decode("utf-8", "replace").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not _NAME.fullmatch(name):
            continue
        if value[:1] in ("'", '"') and value.count(value[0]) >= 2:
            value = value[1 : value.index(value[0], 1)]
        else:
            value = re.split(r"\s#", value)[0].rstrip()
        if "$" not in value:
            found[name] = value
    return found
