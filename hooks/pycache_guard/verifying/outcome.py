"""What came of comparing a file with its source."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.compare import Difference


class Result(IntEnum):
    """From what tells least to what settles it."""

    #: No compiler could be asked, or none could answer.
    UNKNOWN = 0
    #: The source is no Python of the file's version.
    REFUSED = 1
    DIFFERENT = 2
    #: Only line tables differ, and they are well-formed: patch levels of one version do that.
    LINES_DIFFER = 3
    SAME = 4


class Outcome(NamedTuple):
    """The best of all attempts."""

    result: Result
    #: Of the compiler: `CPython 3.12.1`; empty where there was none.
    compiler: str = ""
    #: Why nothing is known, what the compiler reports about the source, or which table is malformed.
    reason: str = ""
    #: Where the trees part first.
    difference: Difference | None = None
    #: Whether the bytes say so, so that the code need not be read.
    exact: bool = False
    #: The optimization level of the comparison.
    level: int = 0


def place(difference: Difference) -> str:
    """Say where two trees part: `consts[2] of Outer.inner`."""
    scopes = ".".join(difference.path[1:]) or difference.path[0]
    return f"{difference.field} of {scopes}"
