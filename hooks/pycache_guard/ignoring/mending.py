"""The commands that mend an ignore file, as it is on this disk and in the index."""

from __future__ import annotations

import os
import stat

from pycache_guard.git.repository import in_subdirectory
from pycache_guard.git.repository import is_sparse
from pycache_guard.ignorefiles.gitignore import wide_encoding
from pycache_guard.regular import opened
from pycache_guard.remedies import append
from pycache_guard.remedies import at_top
from pycache_guard.remedies import quoted
from pycache_guard.remedies import stage
from pycache_guard.remedies import untrack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.ignoring.modules import Tracked


class Mending:
    """Commands that work wherever the reader stands. Files are git's bytes, from the top."""

    def __init__(self, tracked: Tracked, top: str) -> None:
        self._tracked = tracked
        self._top = top
        self._below_top = in_subdirectory()
        self._sparse = is_sparse()

    def stage(self, file: bytes) -> str:
        """Return the command that stages the file as it is."""
        return self._from_anywhere(self._stage(file))

    def stop_recoding(self, file: bytes) -> str:
        """Return the command after which a checkout no longer turns the file into UTF-16."""
        name = self._name(file)
        attributes = name.removesuffix(".gitignore") + ".gitattributes"
        line = ".gitignore !working-tree-encoding"
        first = append(attributes, [line], after_newline=False, sparse=self._sparse)
        try:
            with opened(os.path.join(self._top, os.fsdecode(file))) as present:
                encoding = wide_encoding(present.read())
        except OSError:
            return self._from_anywhere(first)
        then = self._to_text(file, encoding) if encoding else self._stage(file)
        return self._from_anywhere(f"{first} && {then}")

    def untrack(self, file: bytes) -> str:
        """Return the command that untracks what cannot be an ignore file."""
        return untrack(os.fsdecode(file), rooted=self._below_top, sparse=self._sparse)

    def to_text(self, file: bytes, encoding: str) -> str:
        """Return the command that turns a file of another encoding into UTF-8, and stages it."""
        return self._from_anywhere(self._to_text(file, encoding))

    def append(self, file: bytes, patterns: Sequence[str]) -> str:
        """Return the command that appends patterns and stages the file.

        What is no text file is moved out of the way or recoded before; what is in the index alone
        is fetched.
        """
        path = os.path.join(self._top, os.fsdecode(file))
        try:
            mode = os.lstat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            content, before = self._tracked.rules.get(file, b""), self._fetch(file)
        else:
            content, before = self._present(file, path, mode)
        last = append(
            self._name(file),
            [*patterns],
            after_newline=not content or content.endswith(b"\n"),
            sparse=self._sparse,
        )
        return self._from_anywhere(" && ".join([*before, last]))

    def _present(self, file: bytes, path: str, mode: int) -> tuple[bytes, list[str]]:
        """Return content, as it will be, and the commands that make a text file of what is there."""
        if stat.S_ISREG(mode):
            with opened(path) as present:
                content = present.read()
            encoding = wide_encoding(content)
            return content, [self._recode(file, encoding)] if encoding else []
        name = self._name(file)
        aside = f"mv -- {quoted(name)} {quoted(name + '.old')}"
        # Git would otherwise see the file only where the directory's entries have gone.
        return b"", [*[self.untrack(file)] * (file in self._tracked.not_files), aside]

    def _fetch(self, file: bytes) -> list[str]:
        if file not in self._tracked.rules:
            return []
        name = self._name(file)
        directory = os.path.dirname(name)
        make = [f"mkdir -p -- {quoted(directory)}"] if directory else []
        blob = quoted(f":0:{os.fsdecode(file)}")
        return [*make, f"git cat-file blob {blob} > {quoted(name)}"]

    def _recode(self, file: bytes, encoding: str) -> str:
        name = self._name(file)
        old, new = quoted(name), quoted(name + ".utf-8")
        return f"iconv -f {encoding} -t UTF-8 -- {old} > {new} && mv -f -- {new} {old}"

    def _from_anywhere(self, command: str) -> str:
        """Return a command for the top as one for where the reader stands."""
        return at_top(command) if self._below_top else command

    def _stage(self, file: bytes) -> str:
        return stage(self._name(file), sparse=self._sparse)

    def _to_text(self, file: bytes, encoding: str) -> str:
        return f"{self._recode(file, encoding)} && {self._stage(file)}"

    def _name(self, file: bytes) -> str:
        return os.fsdecode(file)
