"""`[tool.pycache-guard]` of a `pyproject.toml`: strict, so that a typing error is not a hole."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from pycache_guard.errors import Failure

#: Which bytecode `check-gitignore` and `check-dockerignore` require to be ignored.
PROBES = ("cache", "legacy")


class Allowance(NamedTuple):
    """Bytecode that may be there."""

    #: A glob of git's own (gitglossary(7), pathspec magic `glob`), from the top of the repository.
    glob: str
    #: Object id in full, where only this content may be there.
    blob: str | None = None
    #: File and line that say so; `None` for one given on the command line.
    file: str | None = None
    line: int | None = None


class Config(NamedTuple):
    """What a repository says of itself."""

    allow: tuple[Allowance, ...] = ()
    probes: tuple[str, ...] = PROBES


def parse(data: bytes, file: str) -> Config:
    """Read the table from the bytes of `file`, a name for messages.

    Raises `Failure`, naming file and key, for broken TOML, an unknown key, a wrong type, an empty
    reason.
    """
    tool = toml(data, file).get("tool", {})
    table = tool.get("pycache-guard", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise Failure(f"{file}: tool.pycache-guard: must be a table")
    known(table, {"allow", "probes"}, f"{file}: tool.pycache-guard")
    where = f"{file}: tool.pycache-guard"
    return Config(
        tuple(
            allowance(item, data, file, f"{where}.allow[{n}]")
            for n, item in enumerate(items(table.get("allow", []), f"{where}.allow"))
        ),
        probe_names(items(table.get("probes", [*PROBES]), f"{where}.probes"), f"{where}.probes"),
    )


def toml(data: bytes, file: str) -> dict[str, object]:
    """Parse TOML 1.0. Raises `Failure` with the parser's line and column."""
    if sys.version_info >= (3, 11):  # pragma: >=3.11 cover
        import tomllib
    else:  # pragma: <3.11 cover
        import tomli as tomllib
    try:
        return tomllib.loads(data.decode("utf-8").replace("\r\n", "\n"))
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, a number of 5000 digits
        raise Failure(f"{file}: not TOML: {error}") from None
    except RecursionError:
        raise Failure(f"{file}: not TOML: nested too deeply") from None


def allowance(item: object, data: bytes, file: str, where: str) -> Allowance:
    """Read one element of `allow`."""
    if not isinstance(item, dict):
        raise Failure(f"{where}: must be a table with `path` and `reason`")
    known(item, {"path", "reason", "blob"}, where)
    for key in ("path", "reason"):
        if not isinstance(item.get(key), str) or not item[key].strip() or "\0" in item[key]:
            raise Failure(f"{where}.{key}: must be a string that is not empty")
    blob = item.get("blob")
    if blob is not None and not is_object_id(blob):
        raise Failure(f"{where}.blob: must be an object id in full, as `git hash-object` prints it")
    glob = os.fsdecode(item["path"].encode("utf-8"))  # as git has it, whatever the locale
    return Allowance(glob, blob and blob.lower(), file, line_of(item["path"], data))


def is_object_id(value: object) -> bool:
    """Tell whether `value` is a whole SHA-1 or SHA-256 object id."""
    return (
        isinstance(value, str)
        and len(value) in (40, 64)
        and set(value.lower()) <= set("0123456789abcdef")
    )


def line_of(text: str, data: bytes) -> int | None:
    """Return the first line that holds `text` as a string without escapes, if one does."""
    places = [data.find(f"{quote}{text}{quote}".encode()) for quote in "\"'"]
    found = [place for place in places if place >= 0]
    return data.count(b"\n", 0, min(found)) + 1 if found else None


def probe_names(names: list[object], where: str) -> tuple[str, ...]:
    """Check the names of probes; at least one."""
    if not names or not all(name in PROBES for name in names):
        raise Failure(f"{where}: must name at least one of {', '.join(PROBES)}, and nothing else")
    return tuple(name for name in PROBES if name in names)


def items(value: object, where: str) -> list[object]:
    """Check that `value` is an array."""
    if not isinstance(value, list):
        raise Failure(f"{where}: must be an array")
    return value


def known(table: dict[str, object], keys: set[str], where: str) -> None:
    """Check that `table` has no key but `keys`."""
    for key in sorted(table.keys() - keys):
        raise Failure(f"{where}.{key}: unknown key; there are {', '.join(sorted(keys))}")
