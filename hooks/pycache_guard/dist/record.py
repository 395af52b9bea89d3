"""The list of files of a wheel: PEP 427, "The .dist-info directory"."""

from __future__ import annotations

import csv
import os
import re

from pycache_guard.archives.member import ArchiveError
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.misplaced import may_be_misplaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

#: In bytes; a path has 4096 at most on Linux.
LONGEST_LINE = 1 << 17

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")


def is_record(name: str) -> bool:
    """Return whether a member is a RECORD file."""
    return name.endswith("RECORD") and _RECORD.fullmatch(name) is not None


def recorded_bytecode(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the paths of bytecode that a list names, which is read piece by piece.

    Raises `ArchiveError`.
    """
    try:
        for row in csv.reader(_lines(pieces)):
            # Only bytecode counts: a source in `__pycache__` has another name.
            if row and is_bytecode_path(os.fsencode(row[0])) and not may_be_misplaced(row[0]):
                yield row[0]
    except csv.Error as error:
        raise ArchiveError(f"is not a list of files: {error}") from None


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield lines with their ends."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "surrogateescape") + "\n"
        if len(rest) > LONGEST_LINE:
            raise ArchiveError(f"is not a list of files: a line of more than {LONGEST_LINE} bytes")
    if rest:
        yield rest.decode("utf-8", "surrogateescape")
