"""Whether two marshalled code objects are the same bytes but for the source's file name.

The name is the one thing in a file's code that tells nothing of what the code does. When all else is
the same, byte by byte, no tree need be read: in most files of CPython 3.11 and later.
"""

from __future__ import annotations

#: marshal's types of text, by the length of their lengths. Bit 7 is FLAG_REF.
_LONG = b"aAut\xe1\xc1\xf5\xf4"
_SHORT = b"zZ\xfa\xda"


def same_but_for_name(expected: bytes, found: bytes, start: int, name: bytes) -> bool:
    """Compare `expected` with `found` from `start` on, where `name` in `expected` may be any text.

    `name` is what the compiler was given for a file name. Nothing in the source may hold it: then all
    that refers to it is a file name, and so is what stands in its place. No means that trees must be
    read, and perhaps are the same.
    """
    at = expected.find(name)
    if at < 0 or expected.find(name, at + 1) >= 0:
        return False
    ours = _text_around(expected, at, len(name))
    if ours is None:
        return False
    before = expected[:ours]
    if not found.startswith(before, start):
        return False
    text_end = _end_of_text(found, start + ours)
    return text_end is not None and found[text_end:] == expected[at + len(name) :]


def _text_around(data: bytes, at: int, length: int) -> int | None:
    """Return where the text starts whose `length` bytes are `at`."""
    for width in (1, 4):
        begin = at - width - 1
        if begin >= 0 and _end_of_text(data, begin) == at + length:
            return begin
    return None


def _end_of_text(data: bytes, start: int) -> int | None:
    """Return where the text ends that starts at `start`; `None` if none starts there."""
    kind = data[start : start + 1]
    width = 1 if kind and kind in _SHORT else 4 if kind and kind in _LONG else 0
    content = start + 1 + width
    if not width or content > len(data):
        return None
    end = content + int.from_bytes(data[start + 1 : content], "little")
    return end if end <= len(data) else None
