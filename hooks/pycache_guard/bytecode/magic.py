"""Who wrote a file, told from its first four bytes.

A magic number tells the format, not always the writer: Pyston 2.3 writes CPython 3.8's.
"""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.magic_numbers import find_magic

#: The length of every magic.
LENGTH = 4


class Magic(NamedTuple):
    """One format of bytecode files."""

    #: As it stands at the start of the file.
    data: bytes
    #: `CPython`, `PyPy`, `GraalPy`, `RustPython`, `Dropbox`, `Jython`, `MicroPython`.
    implementation: str
    #: Of the language, `3.12`; a range where one magic served several; MicroPython: of the format.
    version: str
    #: Bytes in front of the code, the magic's own among them.
    header_length: int
    #: By a release, so that every writer of this magic understands it alike.
    released: bool

    @property
    def number(self) -> int:
        """The number as interpreters' sources have it."""
        return int.from_bytes(self.data[:2], "little")

    @property
    def has_number(self) -> bool:
        """Whether the format has a magic number: Java classes and MicroPython's files have none."""
        return self.implementation not in ("Jython", "MicroPython")


def identify_magic(head: bytes) -> Magic | None:
    """Name the format of a file that starts with `head`, `None` when it is none that we know.

    Jython's (any Java class) and MicroPython's magics are weak evidence: ask only of a file whose
    name says bytecode.
    """
    data = head[:LENGTH]
    row = find_magic(data)
    return Magic(data, *row) if row else _java_or_micropython(data)


def _java_or_micropython(data: bytes) -> Magic | None:
    # JVMS 4.1. Jython keeps its version and time in annotations, not in a header.
    if data == b"\xca\xfe\xba\xbe":
        return Magic(data, "Jython", "2.7", LENGTH, True)
    # micropython docs/reference/mpyfiles.rst: `M`, version, features, bits of a small int.
    if len(data) == LENGTH and data[:1] == b"M" and data[1] <= 6 and data[2] < 0x80:
        return Magic(data, "MicroPython", f"mpy {data[1]}", LENGTH, True)
    return None
