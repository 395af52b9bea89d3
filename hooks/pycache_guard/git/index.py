"""What the next commit will contain.

Only `process` is imported at once; the rest is imported while git is already at work.
"""

from __future__ import annotations

import os

from pycache_guard.git.process import RAW
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.entries import Entry
    from pycache_guard.git.changes import Changes


class Index:
    """The index that git uses here: `GIT_INDEX_FILE` is honoured."""

    def listing(self) -> Git:
        """Start listing every entry, wherever in the work tree we are."""
        return Git("ls-files", "--stage", "-z", "--full-name", "--", ":/")

    def comparison(self) -> Git:
        """Start comparing with HEAD; intent-to-add entries are differences."""
        return self._against("HEAD")

    def changes(self, comparison: Git) -> Changes:
        """Read a comparison; before the first commit everything is new."""
        from pycache_guard.git.changes import Changes

        try:
            return Changes(comparison)
        except GitFailure:
            from pycache_guard.git import repository

            if repository.resolved("HEAD^{commit}"):
                raise
            return Changes(self._against(repository.empty_tree()))

    def granted(self, glob: str) -> list[Entry]:
        """Return the entries that a pathspec glob of git's own matches."""
        from pycache_guard.git.listing import parse

        records = git("ls-files", "--stage", "-z", "--full-name", "--", f":(top,glob){glob}")
        return [parse(record) for record in records.split(b"\0")[:-1]]

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path` of the work tree, `None` where there is none.

        With `thorough`, one that is not on disk is read as the index has it. `path` is relative to
        the top.
        """
        from pycache_guard.git.repository import work_tree
        from pycache_guard.regular import opened

        try:
            with opened(os.path.join(work_tree(), path)) as file:
                return file.read()
        except FileNotFoundError:
            if not thorough:
                return None
            from pycache_guard.git.objects import stored

            return stored(f":0:{path}")

    def below(self, paths: Sequence[str]) -> set[str]:
        """Return the entries at or below `paths`, which are relative to where we stand.

        Raises `GitFailure` for one that matches nothing.
        """
        specs = [f":(literal){path}" for path in paths]
        listed = git("ls-files", "--error-unmatch", "-z", "--full-name", "--", *specs)
        return {os.fsdecode(path) for path in listed.split(b"\0")[:-1]}

    def untrack(self, paths: list[str]) -> None:
        """Take paths out of the index and leave the files on disk.

        `git rm --cached` refuses what lies outside a sparse checkout; this does not. The paths stand
        in a file: if we were killed, the end of a pipe would be the end of the list to git, and what
        has come of its last path a path.
        """
        import tempfile

        from pycache_guard.git.repository import work_tree

        with tempfile.TemporaryFile() as listed:
            listed.write(b"".join(os.fsencode(path) + b"\0" for path in paths))
            listed.seek(0)
            options = ("--force-remove", "-z", "--stdin")
            Git("-C", work_tree(), "update-index", *options, stdin=listed.fileno()).output()

    @staticmethod
    def _against(base: str) -> Git:
        return Git("diff-index", "--cached", "--ita-visible-in-index", *RAW, base, "--")
