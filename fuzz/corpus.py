r"""Inputs to start from, as text in `seeds/NAME.txt`: one a line, escaped as in a literal of bytes.

A line that begins with `#` is a comment. Binary inputs are decoded from the text fixtures of the tests or
made when needed; no `.pyc` and no archive is stored.
"""

from __future__ import annotations

import ast
import base64
from functools import cache
from pathlib import Path

TEXTS = Path(__file__).resolve().parent / "seeds"
FIXTURES = TEXTS.parents[1] / "tests" / "bytecode" / "fixtures"


@cache
def seeds(name: str) -> list[bytes]:
    """Return the inputs of a file, smallest first."""
    lines = (TEXTS / f"{name}.txt").read_text("ascii").splitlines()
    return sorted((literal(line) for line in lines if line and line[0] != "#"), key=len)


def literal(line: str) -> bytes:
    """Read a line: the inside of a literal of bytes."""
    data = ast.literal_eval('b"' + line.replace('"', r"\x22") + '"')
    assert isinstance(data, bytes)
    return data


@cache
def bytecode() -> list[bytes]:
    """Return real bytecode files of many Python versions, whole and truncated."""
    files = [
        base64.b85decode(path.read_text("ascii").replace("\n", ""))
        for path in sorted(FIXTURES.glob("*.txt"))
    ]
    return sorted(
        [*files, *(file[:200] for file in files), *(file[:16] for file in files)], key=len
    )
