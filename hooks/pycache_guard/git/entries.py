"""Entries of an index or a tree, and their modes."""

from __future__ import annotations

from typing import NamedTuple

#: The modes of entries, octal, as git prints them (git-fast-import(1), `filemodify`).
FILE = "100644"
EXECUTABLE = "100755"
LINK = "120000"
SUBMODULE = "160000"


class Entry(NamedTuple):
    """One entry of an index or a tree."""

    #: `FILE`, `EXECUTABLE`, `LINK` or `SUBMODULE`; old repositories also have `100664`.
    mode: str
    #: Object id in full: 40 hexadecimal digits, 64 in a SHA-256 repository.
    blob: str
    #: From the top of the repository, decoded with `os.fsdecode`.
    path: str

    @property
    def is_file(self) -> bool:
        """Return whether this is a regular file, and neither a symbolic link nor a submodule."""
        return self.mode.startswith("100")
