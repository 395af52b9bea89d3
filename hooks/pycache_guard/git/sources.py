"""What can be judged: the index, or the tree of a commit. Both answer the same questions."""

from __future__ import annotations

import os

from pycache_guard.git import repository
from pycache_guard.git.changes import RAW
from pycache_guard.git.changes import Changes
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.entries import Entry


class Index:
    """What the next commit will contain."""

    def listing(self) -> Git:
        """Start listing every entry, wherever in the work tree we are."""
        return Git("ls-files", "--stage", "-z", "--full-name", "--", ":/")

    def comparison(self) -> Git:
        """Start comparing with HEAD; intent-to-add entries are differences."""
        return self._against("HEAD")

    def changes(self, comparison: Git) -> Changes:
        """Read a comparison; before the first commit everything is new."""
        try:
            return Changes(comparison)
        except GitFailure:
            if repository.resolved("HEAD^{commit}"):
                raise
            return Changes(self._against(repository.empty_tree()))

    def granted(self, glob: str) -> list[Entry]:
        """Return the entries that a pathspec glob of git's own matches."""
        from pycache_guard.git.listing import parse

        records = Git("ls-files", "--stage", "-z", "--full-name", "--", f":(top,glob){glob}")
        return [parse(record) for record in records.output().split(b"\0")[:-1]]

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path` of the work tree, `None` where there is none.

        With `thorough`, one that is not on disk is read as the index has it. `path` is relative to
        the top.
        """
        try:
            with open(os.path.join(repository.top() or os.curdir, path), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return stored(f":0:{path}") if thorough else None

    def untrack(self, paths: list[str]) -> None:
        """Take paths out of the index and leave the files on disk.

        `git rm --cached` refuses what lies outside a sparse checkout; this does not.
        """
        top = repository.top() or os.curdir
        process = Git("-C", top, "update-index", "--force-remove", "-z", "--stdin", feed=True)
        process.write(b"".join(os.fsencode(path) + b"\0" for path in paths))
        process.close_stdin()
        process.output()

    @staticmethod
    def _against(base: str) -> Git:
        return Git("diff-index", "--cached", "--ita-visible-in-index", *RAW, base, "--")


class Tree:
    """What a commit contains."""

    def __init__(self, revision: str) -> None:
        self._tree = repository.resolve(revision, "tree")
        self._commit = repository.resolved(f"{revision}^{{commit}}")

    def listing(self) -> Git:
        """Start listing every entry."""
        return Git("ls-tree", "-r", "-z", "--full-tree", self._tree)

    def comparison(self) -> Git:
        """Start comparing with what this commit came in the place of."""
        return self._against(repository.base_of(self._commit))

    def changes(self, comparison: Git) -> Changes:
        """Read a comparison."""
        return Changes(comparison)

    def granted(self, glob: str) -> list[Entry]:
        """Return the entries that a pathspec glob of git's own matches."""
        return Changes(self._against(repository.empty_tree(), f":(top,glob){glob}")).entries()

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path` as this tree has it, or `None`."""
        return stored(f"{self._tree}:{path}")

    def _against(self, base: str, *pathspecs: str) -> Git:
        return Git("diff-tree", "-r", *RAW, base, self._tree, "--", *pathspecs)


def stored(expression: str) -> bytes | None:
    """Return the blob that `expression` names (gitrevisions(7)), or `None`."""
    blob = repository.resolved(f"{expression}^{{blob}}")
    if blob is None:
        return None
    from pycache_guard.git.objects import content

    return content(blob)
