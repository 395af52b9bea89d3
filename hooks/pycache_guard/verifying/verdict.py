"""What is wrong with one file."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.findings import Rule


class Verdict(NamedTuple):
    """One thing that is wrong."""

    rule: Rule
    message: str
    #: The command that mends it, where that is not to remove the file.
    remedy: str | None = None
