"""Make paths and messages printable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.remedies import INVISIBLE, is_visible

if TYPE_CHECKING:
    from collections.abc import Iterable


def escape_unprintable(text: str) -> str:
    r"""Return a line for a terminal or a line-based format, with control characters as `\xNN`.

    In addition to `escape_text`, a `::` at the start is escaped, because the GitHub runner reads it as
    a command (actions/runner, `ActionCommand.cs`).
    """
    text = escape_text(text)
    start = text.lstrip()
    if start.startswith("::"):
        return f"{text[: len(text) - len(start)]}\\x3a{start[1:]}"
    return text


def join_lines(lines: Iterable[str]) -> str:
    """Return the lines, each escaped as by `escape_unprintable`, with a newline after each."""
    listed = [*lines]
    # One search of all lines takes a quarter of the time, and hardly a text has anything to escape.
    whole = "".join(listed)
    if not (whole.isascii() and whole.isprintable()) or "::" in whole or "##" in whole:
        listed = [escape_unprintable(line) for line in listed]
    return "\n".join([*listed, ""])


def escape_text(text: str) -> str:
    r"""Return a part of a line with control characters as `\xNN`.

    Undecodable bytes (surrogates of `os.fsdecode`) keep their value. The second character of `##` is
    escaped, because `##[`, `##vso[` and
    `##teamcity[` begin a command anywhere in a line (GitHub, Azure Pipelines, TeamCity).
    """
    if not (text.isprintable() and (text.isascii() or INVISIBLE.isdisjoint(text))):
        text = _escape_characters(text, {c for c in set(text) if not is_visible(c)})
    return text.replace("##", "#\\x23")


def quiet_json(text: str) -> str:
    r"""Return equivalent JSON without `##`, which begins commands of CI runners."""
    return text.replace("##", "#\\u0023")


def escape_surrogates(text: str) -> str:
    r"""Return `text` with only its undecodable bytes as `\xNN`: for formats that escape the rest."""
    return _escape_characters(text, {c for c in set(text) if "\ud800" <= c <= "\udfff"})


def _escape_characters(text: str, characters: set[str]) -> str:
    return text.translate({ord(c): _hex_bytes(c) for c in characters})


def _hex_bytes(character: str) -> str:
    r"""Return the bytes of one character as `\xNN`."""
    data = character.encode(
        "utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    )
    return "".join(f"\\x{byte:02x}" for byte in data)


def is_utf8(path: str) -> bool:
    """Return whether the bytes of `path` are UTF-8."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
