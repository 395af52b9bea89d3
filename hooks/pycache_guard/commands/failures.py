"""Say on stderr what could not be done."""

from __future__ import annotations

import sys

from pycache_guard.report.escape import shown


def tell(message: str, kind: str = "error") -> None:
    """Write one `error:` line, or one of another kind."""
    if sys.stderr is not None:
        try:  # noqa: SIM105 - contextlib costs 1 ms
            sys.stderr.write(f"{kind}: {shown(message)}\n")
        except OSError:  # no one listens; the exit code tells
            pass
