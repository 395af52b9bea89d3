"""Real files of every era to start from: the texts of the tests, never a `.pyc`."""

from __future__ import annotations

import base64
from pathlib import Path

TEXTS = Path(__file__).resolve().parent.parent / "tests" / "bytecode" / "fixtures"


def seeds() -> list[bytes]:
    """Return the files, smallest first, and the first bytes of each alone."""
    files = [
        base64.b85decode(path.read_text("ascii").replace("\n", ""))
        for path in sorted(TEXTS.glob("*.txt"))
    ]
    return sorted(
        [*files, *(file[:200] for file in files), *(file[:16] for file in files)], key=len
    )
