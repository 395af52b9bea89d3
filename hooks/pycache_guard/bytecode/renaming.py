"""Whether two marshalled code objects are the same bytes but for the source's file name.

The name is the one thing in a file's code that tells nothing of what the code does. When all else is
the same, byte by byte, no tree need be read: in most files of CPython 2 and of 3.11 and later.
"""

from __future__ import annotations

#: marshal's types of text, as Python 2 and 3 have them, by the length of their lengths. Bit 7 is
#: FLAG_REF.
_BYTES = b"s"
_LONG = b"aAut\xe1\xc1\xf5\xf4"
_SHORT = b"zZ\xfa\xda"


def same_but_for_name(expected: bytes, found: bytes, start: int, name: bytes) -> bool:
    """Compare `expected` with `found` from `start` on, where `name` in `expected` may be any text.

    `name` is what the compiler was given for a file name. Nothing in the source may hold it: then all
    that it stands in is a file name, and so is what stands in its place. No means that trees must be
    read, and perhaps are the same.
    """
    done, place = 0, start
    at = expected.find(name)
    while at >= 0:
        text, is_bytes = _text_around(expected, at, len(name))
        place += text - done
        if text < done or found[place - text + done : place] != expected[done:text]:
            return False
        end = _end_of_text(found, place, is_bytes=is_bytes)
        if end is None:
            return False
        done, place = at + len(name), end
        at = expected.find(name, done)
    return done > 0 and found[place:] == expected[done:]


def _text_around(data: bytes, at: int, length: int) -> tuple[int, bool]:
    """Return where the text starts whose `length` bytes are `at`, and whether it is Python 2's.

    -1 where there is none.
    """
    for begin, is_bytes in ((at - 2, False), (at - 5, False), (at - 5, True)):
        if begin >= 0 and _end_of_text(data, begin, is_bytes=is_bytes) == at + length:
            return begin, is_bytes
    return -1, False


def _end_of_text(data: bytes, start: int, *, is_bytes: bool) -> int | None:
    """Return where the text ends that starts at `start`; `None` if none starts there."""
    kind = data[start : start + 1]
    long = _BYTES if is_bytes else _LONG
    short = b"" if is_bytes else _SHORT
    width = 1 if kind and kind in short else 4 if kind and kind in long else 0
    content = start + 1 + width
    if not width or content > len(data):
        return None
    end = content + int.from_bytes(data[start + 1 : content], "little")
    if kind in b"ut\xf5\xf4":
        try:
            data[content:end].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None
    return end if end <= len(data) else None
