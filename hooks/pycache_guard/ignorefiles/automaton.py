"""A regular expression without alternatives, matched in time that grows with the text alone.

Patterns and paths come from a repository that may be hostile, and the backtracking of `re` takes
years over `**a**a**a**a`. States are sets of places in the expression, worked out as they are met.
"""

from __future__ import annotations

from typing import Any
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

#: So many sets of places are remembered; then from anew.
_REMEMBERED = 10_000


class Chars(NamedTuple):
    """A set of characters: those in the ranges, or with `negated` all others."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False

    def has(self, character: str) -> bool:
        """Whether `character` is in the set."""
        return self.negated != any(low <= character <= high for low, high in self.ranges)


#: What `.` means without flags: a line break is none.
ANY = Chars((("\n", "\n"),), negated=True)
ANYTHING = Chars((), negated=True)


class Step(NamedTuple):
    """One place in the expression."""

    #: What stands here; `None` for nothing that takes a character.
    chars: Chars | None
    #: Whether it may stand any number of times, none included.
    repeated: bool = False
    #: So many steps from here on may be left out, together.
    optional: int = 0
    #: Whether only the start of the text is here.
    at_start: bool = False


#: The key under which a row has its set of places; no character is empty.
_PLACES = ""


class Automaton:
    """Matches whole texts."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._first = self._reached([0], at_start=True)
        #: By set of places: its row, which holds by character the row that follows.
        self._rows: dict[frozenset[int], dict[str, Any]] = {}

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` matches."""
        row = self._row(self._first)
        for character in text:
            following = row.get(character)
            if following is None:
                following = row[character] = self._row(self._behind(row[_PLACES], character))
            row = following
        return len(self._steps) in row[_PLACES]

    def _row(self, places: frozenset[int]) -> dict[str, Any]:
        row = self._rows.get(places)
        if row is None:
            if len(self._rows) >= _REMEMBERED:
                for known in self._rows.values():
                    known_places = known[_PLACES]
                    known.clear()
                    known[_PLACES] = known_places
                self._rows.clear()
            row = self._rows[places] = {_PLACES: places}
        return row

    def _behind(self, places: frozenset[int], character: str) -> frozenset[int]:
        taking = [
            (place, step)
            for place in places
            if place < len(self._steps)
            and (step := self._steps[place]).chars is not None
            and step.chars.has(character)
        ]
        return self._reached(place + (not step.repeated) for place, step in taking)

    def _reached(self, places: Iterable[int], *, at_start: bool = False) -> frozenset[int]:
        """Return `places` with all that can be reached from them without a character."""
        reached: set[int] = set()
        pending = [*places]
        while pending:
            place = pending.pop()
            if place in reached:
                continue
            reached.add(place)
            if place == len(self._steps):
                continue
            step = self._steps[place]
            if step.optional:
                pending += [place + 1, place + 1 + step.optional]
            elif step.repeated or (step.at_start and at_start):
                pending.append(place + 1)
        return frozenset(reached)
