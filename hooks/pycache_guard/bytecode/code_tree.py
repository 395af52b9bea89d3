"""What a file's code reads as: inert values, never an interpreter's code objects.

Values share parts and may be very large when written out in full. Compare them with
`compare.difference`: `==`, `hash` and `repr` recurse.
"""

from __future__ import annotations

from types import EllipsisType
from typing import NamedTuple
from typing import TypeAlias
from typing import cast


class Long(int):
    """A `long` of Python 2: another type than its `int`, and another constant (`5L` is not `5`)."""

    def __repr__(self) -> str:
        return f"{int(self)}L"


class HugeInt:
    """An integer that is kept as the digits in the file: it is compared and described only.

    Two objects are equal if and only if the numbers are, because digits are read in normal form.
    """

    __slots__ = ("digits", "is_negative")

    def __init__(self, digits: memoryview, *, is_negative: bool) -> None:
        #: 15 bits in two bytes each, the least significant first; not a copy.
        self.digits = digits
        self.is_negative = is_negative

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, HugeInt)
            and self.is_negative == other.is_negative
            and self.digits == other.digits
        )

    def __hash__(self) -> int:
        return hash((self.is_negative, self.bit_length()))

    def __repr__(self) -> str:
        return f"<int of {self.bit_length()} bits>"

    def bit_length(self) -> int:
        """Return the number of bits of the absolute value, as `int.bit_length` does."""
        last = int.from_bytes(self.digits[-2:], "little")
        return 15 * (len(self.digits) // 2 - 1) + last.bit_length()


class Collection(NamedTuple):
    """A list, set, frozenset, dict, frozendict or slice.

    Its items stay in the order of the file, unhashed: what the file says of them may be a lie.
    """

    #: The name of the type.
    kind: str
    #: A dict's and frozendict's keys and values take turns; a slice has start, stop, step.
    items: tuple[Value, ...]


class Code(NamedTuple):
    """A code object with the fields of its era, in the order of the file.

    The names are those of `inspect`'s table of code attributes, without `co_`; the line table is
    `linetable` in every era. Texts are `str`; Python 2's are decoded with `surrogateescape`.
    """

    fields: dict[str, Value]

    @property
    def name(self) -> str:
        """`co_name`."""
        return cast(str, self.fields["name"])

    @property
    def filename(self) -> str:
        """`co_filename`: the source, as named to the compiler."""
        return cast(str, self.fields["filename"])

    @property
    def firstlineno(self) -> int:
        """`co_firstlineno`; 0 where the era has none."""
        return cast(int, self.fields.get("firstlineno", 0))

    @property
    def flags(self) -> int:
        """`co_flags`."""
        return cast(int, self.fields["flags"])

    @property
    def code(self) -> bytes:
        """`co_code`: the instructions."""
        return cast(bytes, self.fields["code"])

    @property
    def consts(self) -> tuple[Value, ...]:
        """`co_consts`, the code of nested scopes among them."""
        return cast("tuple[Value, ...]", self.fields["consts"])


#: Everything that marshal can say. Python 2's `str` is `bytes`. Tuples alone are tuples.
Value: TypeAlias = (
    "bool | int | HugeInt | float | complex | str | bytes | EllipsisType | type[StopIteration]"
    " | tuple[Value, ...] | Collection | Code | None"
)
