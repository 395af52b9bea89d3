"""What a commit contains; answers the same questions as `index.Index`."""

from __future__ import annotations

from pycache_guard.git import repository
from pycache_guard.git.changes import Changes
from pycache_guard.git.listing import parse
from pycache_guard.git.objects import stored
from pycache_guard.git.process import RAW
from pycache_guard.git.process import Git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.entries import Entry


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

    def require(self) -> None:
        """Do nothing: a tree needs no work tree."""

    def changes(self, comparison: Git) -> Changes:
        """Read a comparison."""
        return Changes(comparison)

    def check_changes(self, changes: Changes) -> None:
        """Do nothing: a tree is what it is."""

    def directory(self) -> None:
        """Return `None`: a tree is nowhere on disk."""

    def committed(self, records: list[bytes]) -> list[bytes]:
        """Return the records: a tree contains all of its entries."""
        return records

    def granted(self, glob: str) -> list[Entry]:
        """Return the entries that a pathspec glob of git's own matches."""
        changes = Changes(self._against(repository.empty_tree(), f":(top,glob){glob}"))
        return [parse(record) for record in changes.records()]

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path` as this tree has it, or `None`."""
        return stored(f"{self._tree}:{path}")

    def _against(self, base: str, *pathspecs: str) -> Git:
        return Git("diff-tree", "-r", *RAW, base, self._tree, "--", *pathspecs)
