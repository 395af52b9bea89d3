"""Print text on stdout. A module of its own because a clean run needs nothing else of reporting."""

from __future__ import annotations

import os
import sys


def print_safely(text: str) -> None:
    """Write to stdout whatever its encoding; a reader who has gone away is no failure."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
