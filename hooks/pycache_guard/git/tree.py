"""Read HEAD or another commit: in a bare repository, on a server, and for `--tree`."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
from _thread import allocate_lock  # threading costs 1 ms

from pycache_guard.errors import Failure
from pycache_guard.git import repository
from pycache_guard.git.listing import Diff, parse_entry
from pycache_guard.git.objects import read_blob, read_path
from pycache_guard.git.process import RAW_DIFF_OPTIONS, Git, git_output
from pycache_guard.git.repository import toplevel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.git.entries import Entry
    from pycache_guard.git.index import Index
    from pycache_guard.git.objects import ObjectReader


#: What `HEAD` means if HEAD itself is unborn (gitrevisions(7)). Anybody may push such a tag.
OTHER_HEADS = (
    *("refs/HEAD", "refs/tags/HEAD", "refs/heads/HEAD"),
    *("refs/remotes/HEAD", "refs/remotes/HEAD/HEAD"),
)


class HeadTree:
    """The tree of HEAD, which may be unborn; read through an existing process."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._is_born: bool | None = None

    def is_born(self) -> bool:
        """Return whether HEAD names a commit. If its branch does not exist, it is unborn."""
        if self._is_born is None:
            self._reader.ask(["HEAD", *OTHER_HEADS])
            head, *others = self._reader.answers()
            self._is_born = head is not None
            if any(others):
                process = Git("show-ref", "--verify", "--quiet", "HEAD")
                self._is_born = process.wait(allowed=(0, 1)) == 0
        return self._is_born

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path`, or `None`."""
        if not self.is_born():
            return None
        self._reader.ask([f"HEAD:{path}"])
        (answer,) = self._reader.answers()
        return None if answer is None else read_blob(answer[0])


def check_head(created: set[str], head: HeadTree) -> None:
    """Raise `Failure` if one of the refs `created` is the branch of HEAD and other branches exist.

    Such a HEAD has no configuration, and the first person to push the branch would choose it. In a
    repository without branches, the first push may do that.
    """
    if not created or head.is_born():
        return
    process = Git("symbolic-ref", "--quiet", "HEAD")
    name = os.fsdecode(b"".join(iter(process.read, b""))[:-1])
    process.wait(allowed=(0, 1))  # 1: HEAD names no branch (git-symbolic-ref(1))
    if name in created and git_output("for-each-ref", "--count=1", "refs/heads"):
        raise Failure(
            f"the push creates {name}, the branch of HEAD, although other branches exist, so its"
            " configuration would decide what is allowed; set HEAD first, with `git symbolic-ref HEAD"
            " refs/heads/NAME` on the server, or use `--config-from REV` in the hook"
        )


def config_source(reader: ObjectReader) -> HeadTree | Index:
    """Return the object that reads the configuration: the index if there is a work tree, else HEAD."""
    if toplevel() is None:
        return HeadTree(reader)
    from pycache_guard.git.index import Index

    return Index()


class RevisionFiles:
    """The files of a commit's tree, each read once, whichever thread asks.

    The commit is looked up at the first question. Raises `Failure` for one that does not exist.
    """

    def __init__(self, revision: str) -> None:
        self._revision = revision
        self._lock = allocate_lock()
        self._known: dict[str, bytes | Failure | None] = {}

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path`, or `None`."""
        with self._lock:
            if path not in self._known:
                try:
                    tree = repository.rev_parse(self._revision, "tree")
                    self._known[path] = read_path(f"{tree}:{path}")
                except Failure as failure:
                    self._known[path] = failure
        found = self._known[path]
        if isinstance(found, Failure):
            raise found
        return found


class Tree:
    """The tree of a commit."""

    def __init__(self, revision: str) -> None:
        self._revision = revision
        self._tree = repository.rev_parse(revision, "tree")
        #: How `REV:PATH` names it: as the user did, unless the words contain a colon or the like.
        is_plain = all(c.isalnum() or c in "_./~^+-" for c in revision)
        self.name = revision if is_plain else self._commit() or self._tree

    def _commit(self) -> str | None:
        """Return the commit, None for a tree without one."""
        return repository.try_rev_parse(f"{self._revision}^{{commit}}")

    def list_entries(self) -> Git:
        """Start listing every entry."""
        return Git("ls-tree", "-r", "-z", "--full-tree", self._tree)

    def if_large(self) -> None:
        """Return None: a tree is listed once."""

    def start_diff(self) -> Git:
        """Start comparing with what this commit came in the place of."""
        return self._diff_against(repository.comparison_base(self._commit()))

    def require(self) -> None:
        """Do nothing: a tree needs no work tree."""

    def read_diff(self, comparison: Git) -> Diff:
        """Read a comparison."""
        return Diff(comparison)

    def check_changes(self, changes: Diff) -> None:
        """Do nothing: a tree cannot be missing."""

    def directory(self) -> None:
        """Return None: a tree is not on disk."""

    def has_skipped_entries(self, paths: set[bytes]) -> bool:
        """Return False: only an index has skip-worktree entries."""
        return False

    def committed(self, records: list[bytes]) -> list[bytes]:
        """Return the records: a tree contains all of its entries."""
        return records

    def entries_matching(self, glob: str) -> list[Entry]:
        """Return the entries that a pathspec glob matches, as git reads it."""
        changes = Diff(self._diff_against(repository.empty_tree(), f":(top,glob){glob}"))
        return [parse_entry(record) for record in changes.records()]

    def read_early(self, path: str) -> None:
        """Do nothing: a file of a tree is read once."""

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path` as this tree has it, or `None`."""
        return read_path(f"{self._tree}:{path}")

    def _diff_against(self, base: str, *pathspecs: str) -> Git:
        return Git("diff-tree", "-r", *RAW_DIFF_OPTIONS, base, self._tree, "--", *pathspecs)
