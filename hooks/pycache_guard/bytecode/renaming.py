"""Whether two marshalled code objects are the same bytes, except for the name of the source file.

Equal bytes prove equality without reading a tree: most files of CPython 2, and of 3.11 and later. Whatever
is not equal here is compared as trees (`compare`), which alone can prove a difference.
"""

from __future__ import annotations

from pycache_guard.bytecode.code_layouts import Dialect

#: marshal's types of text, by the length of their lengths. An interned text (`t`, `A`, `Z`) and another
#: one read alike and take a number among the references alike, if and only if they bear FLAG_REF.
_LONG = b"aAut"
_SHORT = b"zZ"
_ASCII = b"aAzZ"
_FLAG_REF = 0x80


def equal_ignoring_filename(
    expected: bytes, found: bytes, start: int, name: bytes, dialect: Dialect
) -> bool:
    """Compare `expected` with `found` from `start` on, where `name` in `expected` may be any text.

    `name` is the file name that the compiler was given: 8 to 255 bytes of ASCII that nobody could
    foresee, so that nothing else in the output holds it. In `found`, the same text must stand in each
    of its places. All other bytes must be equal, FLAG_REF of the name included, so that both have the
    same references. False means that trees must be compared, and perhaps are the same.
    """
    done, place = 0, start
    other: bytes | None = None
    at = expected.find(name)
    while at >= 0:
        begin = _find_start(expected, at, len(name), dialect)
        place += begin - done
        if begin < done or found[place - begin + done : place] != expected[done:begin]:
            return False
        text = _text_at(found, place, expected[begin], dialect)
        if text is None or other not in (None, text[0]):
            return False
        other, place = text
        done = at + len(name)
        at = expected.find(name, done)
    rest = len(expected) - done
    return done > 0 and len(found) - place == rest and found[place:] == expected[done:]


def _find_start(data: bytes, at: int, length: int, dialect: Dialect) -> int:
    """Return where the text starts whose `length` bytes are `at`; -1 if they are not a text."""
    for begin in (at - 2, at - 5):
        if begin >= 0:
            text = _text_at(data, begin, data[begin], dialect)
            if text is not None and text[1] == at + length:
                return begin
    return -1


def _text_at(data: bytes, start: int, kind: int, dialect: Dialect) -> tuple[bytes, int] | None:
    """Return the text that starts at `start`, as UTF-8, and where it ends; None if none starts there.

    It must be one that may stand in the place of a text of the type `kind`.
    """
    if start >= len(data):
        return None
    byte = data[start]
    if not dialect.has_flag_ref:
        # Python 2 numbers interned texts and no others; before 3.4 there is one type of text.
        width = 4 if byte == kind and byte in b"stu" else 0
        plain = byte
    else:
        plain = byte & ~_FLAG_REF
        width = 1 if plain in _SHORT else 4 if plain in _LONG else 0
        if byte & _FLAG_REF != kind & _FLAG_REF:
            return None
    content = start + 1 + width
    end = content + int.from_bytes(data[start + 1 : content], "little")
    if not width or content > len(data) or end > len(data):
        return None
    text = data[content:end]
    if b"\0" in text:
        return None
    if not dialect.texts_are_bytes:
        try:
            text.decode("ascii" if plain in _ASCII else "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None
    return text, end
