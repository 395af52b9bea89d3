"""Changes that keep most of a file, so that what follows them is still read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

#: marshal's types, with and without FLAG_REF, and what lengths and references may lie about.
TYPES = b"0NFTS.iIlfgxystRuaAzZ()[<>{:}cr?"
NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return `data` with one to four changes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        kind = chance.randrange(6)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[at : at + 1] = bytes([chance.choice(TYPES) | chance.choice((0, 0x80))])
        elif kind == 2:
            changed[at : at + 4] = chance.choice(NUMBERS).to_bytes(4, "little")
        elif kind == 3:
            del changed[at : at + chance.randint(1, 16)]
        elif kind == 4:
            changed[at:at] = changed[at - chance.randint(1, 64) : at]
        else:
            changed[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(changed)
