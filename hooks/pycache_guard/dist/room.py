"""Limits of a report: an archive with any number of members needs a limited amount of memory."""

from __future__ import annotations

#: The largest number of members, and of bytes of their names, that are kept for a report.
MOST_FINDINGS = 10_000
LARGEST_FINDINGS = 1 << 20
MOST_FAILURES = 1_000
LARGEST_FAILURES = 1 << 18


class Room:
    """The number and size of texts that may still be kept, for an archive and its nested ones."""

    def __init__(self, number: int, size: int) -> None:
        """Allow `number` texts of `size` characters in all."""
        self._number = number
        self._size = size
        #: The number of texts that did not fit.
        self.omitted = 0

    def take(self, text: str) -> bool:
        """Reserve room for `text`, and return whether there was any; if not, count it."""
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
