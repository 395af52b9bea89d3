"""The identity of an interpreter."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.magic import LENGTH

_TITLES = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


class Interpreter(NamedTuple):
    """An interpreter that can compile."""

    executable: str
    #: 4 bytes.
    magic: bytes
    #: `sys.implementation.name`, such as `cpython`.
    implementation: str
    #: In full: `3.12.1`.
    version: str
    #: The tag of its cache files, empty if it has none.
    tag: str

    @property
    def title(self) -> str:
        """`CPython 3.12.1`."""
        return f"{_TITLES.get(self.implementation, self.implementation)} {self.version}"

    def writes(self, magic: bytes, tag: str) -> bool:
        """Return whether it writes files with `magic` and `tag`, which is empty if the name has none.

        Pyston writes CPython 3.8's magic and its own tag.
        """
        return self.magic == magic and (not (tag and self.tag) or self.tag == tag.lower())


def parse_identity(executable: str, payload: bytes) -> Interpreter:
    """Parse the first frame of the child process. Raises `ValueError`."""
    name, version, tag = payload[LENGTH:].decode("ascii").split("\n")
    return Interpreter(executable, payload[:LENGTH], name, version, tag)
