"""Changes that keep most of an input, so that what follows them is still read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

#: What lengths and references may lie about.
NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(
    data: bytes,
    chance: random.Random,
    tokens: Sequence[bytes] = (),
    others: Sequence[bytes] = (),
) -> bytes:
    """Return `data` with one to four changes; `others` are inputs to take pieces of."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(8)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << chance.randrange(8)
        elif kind == 1 and tokens:
            token = chance.choice(tokens)
            changed[at : at + chance.choice((0, len(token)))] = token
        elif kind == 2:
            changed[at : at + 4] = chance.choice(NUMBERS).to_bytes(4, "little")
        elif kind == 3:
            del changed[at : at + chance.randint(1, 16)]
        elif kind == 4:
            changed[at:at] = changed[max(0, at - chance.randint(1, 64)) : at]
        elif kind == 5 and others:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            changed[at:at] = other[start : start + chance.randint(1, 64)]
        elif kind == 6 and tokens:
            changed[at:at] = b"".join(chance.choices(tokens, k=chance.randint(1, 4)))
        else:
            changed[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(changed)
