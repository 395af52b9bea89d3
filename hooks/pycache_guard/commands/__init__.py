"""The commands, one module each, and what a run without findings prints with.

# hot path: see tests/test_budgets.py
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def print_safely(text: str) -> None:
    """Write to stdout in its encoding, with escapes; a reader that has gone away is not an error."""
    if sys.stdout is None:
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        # The buffered rest would fail again when the interpreter exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def print_success(checked: str, notes: Sequence[str] = ()) -> None:
    """Write the text report of a run without findings, without importing a report format."""
    print_safely("".join(f"{line}\n" for line in (f"OK: {checked}.", *notes)))
