"""Identify the writer of a file by its first four bytes.

A magic number identifies the format, not always the writer: Pyston 2.3 writes that of CPython 3.8.
"""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.magic_numbers import find_magic

#: The length of every magic.
LENGTH = 4


class Magic(NamedTuple):
    """One format of bytecode files."""

    #: The 4 bytes at the start of the file.
    data: bytes
    #: `CPython`, `PyPy`, `GraalPy`, `RustPython`, `Dropbox`, `Jython`, `MicroPython`.
    implementation: str
    #: The language version, such as `3.12`, or a range of versions; for MicroPython that of the format.
    version: str
    #: Bytes before the code, including the magic.
    header_length: int
    #: Whether a release wrote it, so that all writers of this magic use one format.
    released: bool

    @property
    def number(self) -> int:
        """The number as in the sources of interpreters."""
        return int.from_bytes(self.data[:2], "little")

    @property
    def has_number(self) -> bool:
        """Return whether the format has a magic number. Java classes and MicroPython files have none."""
        return self.implementation not in ("Jython", "MicroPython")


def identify_magic(head: bytes) -> Magic | None:
    """Return the format of a file that starts with `head`, None if it is unknown.

    The magics of Jython (any Java class) and MicroPython are weak evidence: call this only for a
    file with a bytecode name.
    """
    data = head[:LENGTH]
    row = find_magic(data)
    return Magic(data, *row) if row else _java_or_micropython(data)


def _java_or_micropython(data: bytes) -> Magic | None:
    # JVMS 4.1. Jython keeps its version and time in annotations, not in a header.
    if data == b"\xca\xfe\xba\xbe":
        return Magic(data, "Jython", "2.7", LENGTH, released=True)
    # micropython docs/reference/mpyfiles.rst: `M`, version, features, bits of a small int.
    if len(data) == LENGTH and data[:1] == b"M" and data[1] <= 6 and data[2] < 0x80:
        return Magic(data, "MicroPython", f"mpy {data[1]}", LENGTH, released=True)
    return None
