"""What git tracks at one path."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One entry of an index or a tree."""

    #: Octal, as git prints it: `100644`, `100755`, `120000` (symlink), `160000` (submodule).
    mode: str
    #: Object id in full: 40 hexadecimal digits, 64 in a SHA-256 repository.
    blob: str
    #: From the top of the repository, decoded with `os.fsdecode`.
    path: str

    @property
    def is_file(self) -> bool:
        """Whether there is file content: symlinks and submodules have none."""
        return self.mode.startswith("100")
