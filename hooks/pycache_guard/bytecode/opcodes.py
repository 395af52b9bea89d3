"""The instructions that compilers write, by magic, from CPython 3.11 on.

Sources: each interpreter's own `opcode.opmap`, `_inline_cache_entries` and, from 3.13 on,
`Lib/_opcode_metadata.py`.
"""

from __future__ import annotations

from typing import NamedTuple


class Opcodes(NamedTuple):
    """The instruction set of one magic."""

    #: What a compiler writes: not CACHE or RESERVED, nothing specialised, instrumented or internal.
    written: frozenset[int]
    #: Opcode → 2-byte units of inline cache behind it, where there are any.
    caches: dict[int, int]


def _spans(*spans: tuple[int, int]) -> frozenset[int]:
    return frozenset(opcode for first, last in spans for opcode in range(first, last + 1))


#: Releases only: the numbers moved with every pre-release.
OPCODES = {
    # CPython 3.11
    3495: Opcodes(
        _spans((1, 2), (9, 12), (15, 15), (25, 25), (30, 33), (35, 37), (49, 54), (60, 61))
        | _spans((68, 71), (74, 75), (82, 112), (114, 120), (122, 126), (128, 140), (142, 142))
        | _spans((144, 149), (151, 152), (155, 157), (160, 160), (162, 166), (171, 176)),
        {
            **dict.fromkeys((60, 92, 122, 166), 1),
            **dict.fromkeys((25, 95, 106, 171), 4),
            107: 2,
            116: 5,
            160: 10,
        },
    ),
    # CPython 3.12
    3531: Opcodes(
        _spans((1, 5), (9, 9), (11, 12), (15, 15), (25, 27), (30, 33), (35, 37), (49, 55))
        | _spans((60, 61), (68, 69), (71, 71), (74, 75), (83, 83), (85, 85), (87, 87), (89, 110))
        | _spans((114, 147), (149, 152), (155, 157), (162, 165), (171, 176)),
        {
            **dict.fromkeys((25, 60, 92, 93, 107, 122, 123, 141), 1),
            **dict.fromkeys((95, 116), 4),
            106: 9,
            171: 3,
        },
    ),
    # CPython 3.13
    3571: Opcodes(
        _spans((1, 2), (4, 16), (18, 69), (71, 118), (149, 149)),
        {
            **dict.fromkeys((5, 39, 45, 58, 59, 72, 77, 93, 97, 98, 99, 100, 104, 117), 1),
            **dict.fromkeys((40, 53), 3),
            **dict.fromkeys((91, 108), 4),
            82: 9,
        },
    ),
    # CPython 3.14
    3627: Opcodes(
        _spans((1, 2), (4, 16), (18, 120), (128, 128)),
        {
            **dict.fromkeys((38, 56, 57, 70, 75, 96, 100, 101, 102, 103, 106, 119), 1),
            **dict.fromkeys((39, 52, 55), 3),
            **dict.fromkeys((92, 110), 4),
            44: 5,
            80: 9,
        },
    ),
    # CPython 3.15
    3666: Opcodes(
        _spans((1, 2), (4, 16), (18, 119), (128, 128)),
        {
            **dict.fromkeys((4, 36, 54, 55, 68, 70, 74, 95, 99, 100, 101, 102, 105, 118, 128), 1),
            **dict.fromkeys((37, 50, 53), 3),
            **dict.fromkeys((91, 109), 4),
            42: 5,
            79: 9,
        },
    ),
}
