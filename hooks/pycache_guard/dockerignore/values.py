"""Values in files that define builds: their variables, and whether a context is a directory.

Compose specification, `12-interpolation.md`; compose-go, `paths/context.go` (`isRemoteContext`);
BuildKit and Bake add `target:` and `input:` to the contexts that are not directories.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unreadable(ValueError):
    """The file, or a value in it, cannot be understood; `line` is 1-based."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


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
    text = replace_variables(value.text, environment, value.line, 0)
    if UNKNOWN in text and not is_remote(text):
        raise Unreadable(value.line, f"`{value.text}` depends on the environment")
    return text


def interpolate_or_unknown(value: Value, environment: Mapping[str, str]) -> str:
    """Return a value with its variables replaced, `UNKNOWN` in place of each that is not known."""
    return replace_variables(value.text, environment, value.line, 0)


def replace_variables(text: str, environment: Mapping[str, str], line: int, depth: int) -> str:
    """Return `text` with its variables replaced, `UNKNOWN` for each that is not known."""
    if depth > _MAX_DEPTH:
        raise Unreadable(line, "its variables are nested too deeply")
    found, at = "", 0
    while at < len(text):
        dollar = text.find("$", at)
        if dollar < 0:
            return found + text[at:]
        found += text[at:dollar]
        after = text[dollar + 1 : dollar + 2]
        name = _NAME.match(text, dollar + 1)
        if after == "$":
            found, at = found + "$", dollar + 2
        elif after == "{":
            end = find_closing_brace(text, dollar + 2, line)
            inner = text[dollar + 2 : end]
            found, at = found + replace_braced(inner, environment, line, depth), end + 1
        elif name:
            found, at = found + environment.get(name[0], UNKNOWN), name.end()
        else:
            raise Unreadable(
                line, f"`{text}` has a `$` that Compose rejects; write `$$` for a dollar sign"
            )
    return found


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
    raise Unreadable(line, f"`{text}` has a `${{` that is not closed")


def replace_braced(inner: str, environment: Mapping[str, str], line: int, depth: int) -> str:
    """Return the value of `${inner}`, `UNKNOWN` if it is not known."""
    name = _NAME.match(inner)
    if name is None:
        raise Unreadable(line, f"`${{{inner}}}` does not name a variable")
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
    raise Unreadable(line, f"`${{{inner}}}` has an operator that Compose does not have")


def read_environment(content: bytes) -> dict[str, str]:
    """Return the variables of a `.env` file: lines `NAME=VALUE`, the value quoted or not.

    A value that refers to another variable is left out, and so is not known.
    """
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
