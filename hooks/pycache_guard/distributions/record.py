"""The list of files of a wheel: PEP 427, "The .dist-info directory"."""

from __future__ import annotations

import csv
import io
import os
import re

from pycache_guard.archives.member import Unjudgeable
from pycache_guard.bytecode.names import is_bytecode_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")


def is_record(name: str) -> bool:
    """Whether a member is such a list."""
    return _RECORD.fullmatch(name) is not None


def listed(data: bytes) -> Iterator[str]:
    """Yield the paths of bytecode that a list names. Raises `Unjudgeable`."""
    text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")
    try:
        for row in csv.reader(text):
            if row and is_bytecode_path(os.fsencode(row[0])):
                yield row[0]
    except csv.Error as error:
        raise Unjudgeable(f"is no list of files: {error}") from None
