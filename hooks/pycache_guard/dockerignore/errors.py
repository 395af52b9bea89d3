"""Errors in files that define how images are built."""

from __future__ import annotations


class Unreadable(ValueError):
    """The file, or a value in it, cannot be understood; `line` is 1-based."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
