"""Bounds of a report: however many members an archive has, what is kept of them has a limit."""

from __future__ import annotations

#: The largest number of members, and of bytes of their names, that are kept for a report.
MOST_FINDINGS = 10_000
LARGEST_FINDINGS = 1 << 20
MOST_FAILURES = 1_000
LARGEST_FAILURES = 1 << 18


class Room:
    """What may still be kept, for an archive and those in it together."""

    def __init__(self, number: int, size: int) -> None:
        """Allow `number` texts of `size` characters in all."""
        self._number = number
        self._size = size
        #: How many texts there was no room for.
        self.omitted = 0

    def take(self, text: str) -> bool:
        """Whether there is room for `text`, which then is taken; else it is counted."""
        if self._number < 1 or self._size < len(text):
            self.omitted += 1
            return False
        self._number -= 1
        self._size -= len(text)
        return True


class Rooms:
    """The room for findings and for failures."""

    def __init__(self) -> None:
        """Start with all of it."""
        self.findings = Room(MOST_FINDINGS, LARGEST_FINDINGS)
        self.failures = Room(MOST_FAILURES, LARGEST_FAILURES)
        #: For the names at which sources are looked for.
        self.sources = Room(64 * MOST_FINDINGS, 4 * LARGEST_FINDINGS)
