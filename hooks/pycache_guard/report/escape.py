"""Odd paths and messages, made printable."""

from __future__ import annotations

import os


def shown(text: str) -> str:
    r"""Return `text` for a terminal or a line-based format: what cannot be printed as `\xNN`.

    Control characters are shown, not obeyed, and undecodable bytes (surrogates of `os.fsdecode`)
    keep their value.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else spelled(c) for c in text)


def decodable(text: str) -> str:
    r"""Return `text` with only its undecodable bytes as `\xNN`: for formats that escape the rest."""
    return "".join(spelled(c) if "\ud800" <= c <= "\udfff" else c for c in text)


def spelled(character: str) -> str:
    r"""Return the bytes of one character as `\xNN`."""
    data = character.encode(
        "utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    )
    return "".join(f"\\x{byte:02x}" for byte in data)


def is_utf8(path: str) -> bool:
    """Whether the bytes of `path` are UTF-8."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
