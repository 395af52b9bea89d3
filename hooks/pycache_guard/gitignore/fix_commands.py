"""The commands that repair an ignore file, as it is on this disk and in the index."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pycache_guard.fs.regular import open_regular
from pycache_guard.git.index import list_skipped_entries
from pycache_guard.git.repository import cwd_is_below_toplevel, is_sparse
from pycache_guard.gitignore.patterns import detect_utf16_32
from pycache_guard.remedies import add_command, append_command, at_top, shell_quote, untrack_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.gitignore.project import Project


#: The files that the commands stage (gitglossary(7), "pathspec").
IGNORE_FILES = (":(top,glob)**/.gitignore", ":(top,glob)**/.gitattributes")


class FixCommands:
    """Commands that work in the directory of the reader. Files are bytes, relative to the top."""

    def __init__(self, tracked: Project, top: str) -> None:
        self._tracked = tracked
        self._top = top
        self._below_top = cwd_is_below_toplevel()
        self._sparse = is_sparse()
        #: Tracked files with the skip-worktree bit; None until it is asked.
        self._skipped: set[bytes] | None = None

    def stage(self, file: bytes) -> str:
        """Return the command that stages the file as it is."""
        return self._from_anywhere(self._stage(file))

    def stop_recoding(self, file: bytes) -> str:
        """Return the command after which a checkout no longer turns the file into UTF-16."""
        name = self._name(file)
        attributes = name.removesuffix(".gitignore") + ".gitattributes"
        line = ".gitignore !working-tree-encoding"
        append = append_command(attributes, [line], after_newline=False)
        first = f"{append} && {self._stage(os.fsencode(attributes))}"
        try:
            with open_regular(os.path.join(self._top, os.fsdecode(file))) as present:
                encoding = detect_utf16_32(present.read())
        except OSError:
            return self._from_anywhere(first)
        then = self._to_text(file, encoding) if encoding else self._stage(file)
        return self._from_anywhere(f"{first} && {then}")

    def untrack(self, file: bytes) -> str:
        """Return the command that untracks a link, a submodule or a directory named `.gitignore`."""
        return untrack_command(os.fsdecode(file), rooted=self._below_top, sparse=self._sparse)

    def convert_to_utf8(self, file: bytes, encoding: str) -> str:
        """Return the command that converts a file to UTF-8 and stages it."""
        return self._from_anywhere(self._to_text(file, encoding))

    def append(self, file: bytes, patterns: Sequence[str]) -> str:
        """Return the command that appends patterns and stages the file.

        The command first moves away a link or directory, converts UTF-16, and restores a file that
        is only in the index.
        """
        path = os.path.join(self._top, os.fsdecode(file))
        try:
            mode = os.lstat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            content, before = (
                self._tracked.ignore_files.get(file, b""),
                self._restore_from_index(file),
            )
        else:
            content, before = self._prepare_existing(file, path, mode)
        last = append_command(
            self._name(file),
            [*patterns],
            after_newline=not content or content.endswith(b"\n"),
        )
        return self._from_anywhere(" && ".join([*before, last, self._stage(file)]))

    def _prepare_existing(self, file: bytes, path: str, mode: int) -> tuple[bytes, list[str]]:
        """Return the content and the commands that turn the existing file into a text file."""
        if stat.S_ISREG(mode):
            with open_regular(path) as present:
                content = present.read()
            encoding = detect_utf16_32(content)
            return content, [self._iconv(file, encoding)] if encoding else []
        name = self._name(file)
        aside = f"mv -- {shell_quote(name)} {shell_quote(name + '.old')}"
        # Git sees the new file only once the entries of the directory are gone.
        return b"", [*[self.untrack(file)] * (file in self._tracked.unusable_ignore_files), aside]

    def _restore_from_index(self, file: bytes) -> list[str]:
        name = self._name(file)
        directory = os.path.dirname(name)
        make = [f"mkdir -p -- {shell_quote(directory)}"] if directory else []
        if file not in self._tracked.ignore_files:
            return [] if os.path.isdir(os.path.join(self._top, directory)) else make
        blob = shell_quote(f":0:{os.fsdecode(file)}")
        return [*make, f"git cat-file blob {blob} > {shell_quote(name)}"]

    def _iconv(self, file: bytes, encoding: str) -> str:
        name = self._name(file)
        old, new = shell_quote(name), shell_quote(name + ".utf-8")
        return f"iconv -f {encoding} -t UTF-8 -- {old} > {new} && mv -f -- {new} {old}"

    def _from_anywhere(self, command: str) -> str:
        """Return a command for the top as one that works in the directory of the reader."""
        if not self._below_top:
            return command
        return at_top(command, has_git_dir=os.path.lexists(os.path.join(self._top, ".git")))

    def _stage(self, file: bytes) -> str:
        """Return the command that stages a file at the top.

        Git adds no file with the skip-worktree bit, and before 2.34 has no `--sparse` to do it.
        """
        add = add_command(self._name(file), sparse=self._sparse)
        if self._sparse:
            return add
        if self._skipped is None:
            self._skipped = list_skipped_entries(*IGNORE_FILES)
        if file not in self._skipped:
            return add
        return f"git update-index --no-skip-worktree -- {shell_quote(self._name(file))} && {add}"

    def _to_text(self, file: bytes, encoding: str) -> str:
        return f"{self._iconv(file, encoding)} && {self._stage(file)}"

    def _name(self, file: bytes) -> str:
        return os.fsdecode(file)
