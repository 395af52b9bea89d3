"""What an interpreter says of itself."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.magic import LENGTH

_TITLES = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


class Interpreter(NamedTuple):
    """One interpreter that can be asked."""

    executable: str
    #: 4 bytes.
    magic: bytes
    #: `cpython`, as `sys.implementation.name` has it.
    implementation: str
    #: In full: `3.12.1`.
    version: str
    #: Of its cache files; empty where it has none.
    tag: str

    @property
    def title(self) -> str:
        """`CPython 3.12.1`."""
        return f"{_TITLES.get(self.implementation, self.implementation)} {self.version}"

    def writes(self, magic: bytes, tag: str) -> bool:
        """Whether files with `magic` are its own; `tag` is empty where their names have none.

        Pyston writes CPython 3.8's magic and its own tag.
        """
        return self.magic == magic and (not (tag and self.tag) or self.tag == tag.lower())


def parse_identity(executable: str, payload: bytes) -> Interpreter:
    """Read what the child's first frame says. Raises `ValueError`."""
    name, version, tag = payload[LENGTH:].decode("ascii").split("\n")
    return Interpreter(executable, payload[:LENGTH], name, version, tag)
