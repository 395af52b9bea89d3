"""How far a long run is, on a terminal."""

from __future__ import annotations

import sys
from time import monotonic

#: Seconds before the first word, and between words.
PATIENCE = 1.0
INTERVAL = 0.2


class Progress:
    """A line on stderr that counts commits; nothing where stderr is no terminal."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.count = 0
        self._width = 0
        self._next = monotonic() + PATIENCE
        self._wanted = sys.stderr is not None and sys.stderr.isatty()

    def add(self, commits: int) -> None:
        """Count, and say so now and then."""
        self.count += commits
        if self._wanted and monotonic() >= self._next:
            self._next = monotonic() + INTERVAL
            text = f"{self._command}: {self.count} commits"
            self._width = len(text)
            sys.stderr.write(f"\r{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line as it was."""
        if self._width:
            sys.stderr.write(f"\r{'':{self._width}}\r")
            sys.stderr.flush()
            self._width = 0
