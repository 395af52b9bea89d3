"""Mutations that keep most of an input, so that parsers still read what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

#: Values for lengths and references.
NUMBERS = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate(
    data: bytes,
    rng: random.Random,
    tokens: Sequence[bytes] = (),
    others: Sequence[bytes] = (),
) -> bytes:
    """Return `data` with one to four changes; pieces are copied from `others`."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        kind = rng.randrange(8)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << rng.randrange(8)
        elif kind == 1 and tokens:
            token = rng.choice(tokens)
            changed[at : at + rng.choice((0, len(token)))] = token
        elif kind == 2:
            changed[at : at + 4] = rng.choice(NUMBERS).to_bytes(4, "little")
        elif kind == 3:
            del changed[at : at + rng.randint(1, 16)]
        elif kind == 4:
            changed[at:at] = changed[max(0, at - rng.randint(1, 64)) : at]
        elif kind == 5 and others:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            changed[at:at] = other[start : start + rng.randint(1, 64)]
        elif kind == 6 and tokens:
            changed[at:at] = b"".join(rng.choices(tokens, k=rng.randint(1, 4)))
        else:
            changed[at:at] = rng.randbytes(rng.randint(1, 8))
    return bytes(changed)
