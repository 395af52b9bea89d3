"""Read the index, which is what the next commit will contain.

Only `process` is imported at once; the rest is imported while git is already at work.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.process import RAW_DIFF_OPTIONS, Git, GitFailure, git_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycache_guard.git.entries import Entry
    from pycache_guard.git.listing import Diff

#: Of comparisons: in a sparse index one entry stands for a directory that is not checked out, and a tree
#: that lacks the directory is compared with that entry instead of its files (git 2.55).
FULL_INDEX = ("-c", "index.sparse=false")
#: Lists entries with their modes, ids and stages, as paths from the top.
LIST = ("ls-files", "--stage", "-z", "--full-name", "--")
#: Lists paths, each after a letter and a blank: git takes two thirds of the time, and writes half as much.
LIST_PATHS = ("ls-files", "-t", "-z", "--full-name", "--")
#: An index file of more bytes than this, of some 40,000 entries, is large.
LARGE_INDEX_BYTES = 1 << 22
#: More paths than this are looked up in a whole listing.
MAX_PATHSPECS = 100


#: The ids of the empty blob, in the two formats that there are (gitformat-pack(5)).
EMPTY_BLOBS = (
    b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    b"473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)


class Listing(Git):
    """Runs `git ls-files`; reading fails without a work tree, or if the index file is missing.

    Git itself lists the index of a bare repository, or none, and ends with 0. Asked for the current
    directory by its absolute path too, it fails where that is not in a work tree (pathspec.c).
    """

    def __init__(self, command: Sequence[str] = LIST) -> None:
        self._command = command
        super().__init__(*command, ":/", f":(literal){os.getcwd()}")

    def chunks(self) -> Iterator[bytes]:
        """Yield stdout as it arrives. Raises `Failure` without a work tree or an index."""
        is_empty = True
        for chunk in self._chunks():
            is_empty = False
            yield chunk
        if is_empty:
            check_presence()

    def _chunks(self) -> Iterator[bytes]:
        try:
            yield from super().chunks()
        except GitFailure as failure:
            if "is outside repository" not in str(failure):
                raise
            from pycache_guard.git.repository import require_toplevel

            require_toplevel()
            yield from Git(*self._command, ":/").chunks()


def check_presence() -> None:
    """Raise `Failure` if the file of the index is missing although HEAD has files.

    Git treats a missing file as an index without entries, for instance after `git clone --no-checkout`
    or if `GIT_INDEX_FILE` names a missing file. Before the first commit that is right.
    """
    from pycache_guard.errors import Failure
    from pycache_guard.git import repository

    path = os.environ.get("GIT_INDEX_FILE") or ""
    if path:
        # Git reads it from the top of the work tree.
        path = os.path.join(repository.toplevel() or os.curdir, path)
    else:
        path = os.fsdecode(git_output("rev-parse", "--git-path", "index")[:-1])
    tree = repository.try_rev_parse("HEAD^{tree}")
    if os.path.exists(path) or tree is None or tree == repository.empty_tree():
        return
    repository.require_toplevel()
    raise Failure(
        f"the index is missing ({path}), although HEAD has files;"
        " `git reset` restores it, `git checkout` also restores the files"
    )


def is_likely_top() -> bool:
    """Return whether the current directory has a `.git`, by two questions to the file system."""
    return "GIT_WORK_TREE" not in os.environ and (
        os.path.isfile(".git") or os.path.isfile(os.path.join(".git", "HEAD"))
    )


def index_bytes() -> int:
    """Return the size of the index file; 0 if it is not at its usual place."""
    try:
        return os.path.getsize(os.environ.get("GIT_INDEX_FILE") or os.path.join(".git", "index"))
    except OSError:
        return 0


class Index:
    """The index that git uses here: `GIT_INDEX_FILE` is honoured."""

    #: How `REV:PATH` of gitrevisions(7) names it.
    name = ""

    def __init__(self) -> None:
        #: Paths that a listing has shown to be missing: git need not be asked for them.
        self.absent: set[str] = set()
        #: Processes that were started early, by the method that returns them, and files read early.
        self._is_early = False
        self._started: dict[str, Git] = {}
        self._early: dict[str, bytes | None] = {}
        self._directory: str | None = None

    def list_entries(self) -> Git:
        """Start listing every entry, in any directory of the work tree.

        Reading it raises `Failure` without a work tree.
        """
        return self._started.pop("list_entries", None) or Listing()

    def start_early(self, *, compare: bool) -> None:
        """Start what a check reads, so that git runs while the rest is imported.

        With `compare` it is a check of new content.
        """
        self._is_early = True
        if compare:
            self._started["start_diff"] = self._diff_against("HEAD")
        if compare and self.if_large():
            self._started["list_paths"] = self.list_paths()
        else:
            self._started["list_entries"] = self.list_entries()

    def if_large(self) -> Index | None:
        """Return this index if `list_paths` is worth a second listing of what it finds."""
        return self if index_bytes() > LARGE_INDEX_BYTES else None

    def list_paths(self) -> Git:
        """Start listing the path of every entry, for `listing.select_paths`."""
        return self._started.pop("list_paths", None) or Listing(LIST_PATHS)

    def records_at(self, paths: Sequence[bytes]) -> list[bytes]:
        """Return the records of entries that `list_paths` has listed.

        Raises `GitFailure` if one is no longer there.
        """
        if not paths:
            return []
        from pycache_guard.git.listing import path_of, select_records

        specs = [":/"]
        if len(paths) <= MAX_PATHSPECS:
            specs = [f":(top,literal){os.fsdecode(path)}" for path in paths]
        wanted = {*paths}
        records = select_records(Git(*LIST, *specs), bool, wanted.__contains__)
        if {*map(path_of, records)} != wanted:
            raise GitFailure("git ls-files: the index changed while it was read")
        return records

    def check_changes(self, changes: Diff) -> None:
        """Raise `Failure` if only a missing index makes everything seem to be deleted."""
        if changes.delete_everything():
            check_presence()

    def committed(self, records: list[bytes]) -> list[bytes]:
        """Return those of some records of a listing that the next commit will contain.

        `git add --intent-to-add` makes entries of the empty blob that no commit contains
        (git-add(1)); git compares the index with the empty tree to find them, and only if an entry
        has that blob.
        """
        if not any(record[7:].startswith(EMPTY_BLOBS) for record in records):
            return records
        from pycache_guard.git import repository
        from pycache_guard.git.listing import Diff, path_of

        options = ("--cached", "--ita-invisible-in-index", *RAW_DIFF_OPTIONS)
        process = Git(*FULL_INDEX, "diff-index", *options, repository.empty_tree(), "--")
        kept = set(map(path_of, Diff(process).records()))
        return [record for record in records if path_of(record) in kept]

    def has_skipped_entries(self, paths: set[bytes]) -> bool:
        """Return whether an entry of `paths` has the skip-worktree bit (git-update-index(1)).

        `git rm` and `git mv` then want `--sparse`, as outside a sparse checkout.
        """
        from pycache_guard.git.repository import has_sparse_option

        return not paths.isdisjoint(list_skipped_entries(":/")) and has_sparse_option()

    def start_diff(self) -> Git:
        """Start comparing with HEAD; intent-to-add entries are differences."""
        return self._started.pop("start_diff", None) or self._diff_against("HEAD")

    def require(self) -> None:
        """Raise `Failure` without a work tree: then no commit is made from an index."""
        self.directory()

    def read_diff(self, comparison: Git) -> Diff:
        """Read a comparison; before the first commit everything is new."""
        from pycache_guard.git.listing import Diff

        try:
            return Diff(comparison)
        except GitFailure:
            from pycache_guard.git import repository

            if repository.try_rev_parse("HEAD^{commit}"):
                raise
            return Diff(self._diff_against(repository.empty_tree()))

    def entries_matching(self, glob: str) -> list[Entry]:
        """Return the entries that a pathspec glob matches, as git reads it."""
        from pycache_guard.git.listing import parse_entry

        records = git_output("ls-files", "--stage", "-z", "--full-name", "--", f":(top,glob){glob}")
        return [parse_entry(record) for record in records.split(b"\0")[:-1]]

    def read_early(self, path: str) -> None:
        """After `start_early`, read a file while git runs, for a `read` that is not thorough."""
        if self._is_early and is_likely_top():
            try:
                # Without a file nothing is imported.
                is_there = os.path.lexists(path)
                self._early[path] = self.read(path, thorough=False) if is_there else None
            except OSError:  # `read` raises it if the file is needed
                pass

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the content of the file `path` of the work tree, or None if it does not exist.

        With `thorough`, one that is not on disk is read as the index has it. Without, the directory of
        a `.git` counts as the top, which costs no process and can be wrong: what is found there must be
        read again before it is of consequence. `path` is relative to the top.
        """
        if not thorough and path in self._early:
            return self._early[path]
        from pycache_guard.fs.regular import open_regular

        where = os.curdir if not thorough and is_likely_top() else self.directory()
        try:
            with open_regular(os.path.join(where, path)) as file:
                return file.read()
        except FileNotFoundError:
            if not thorough or path in self.absent:
                return None
            from pycache_guard.git.objects import read_path

            return read_path(f":0:{path}")

    def directory(self) -> str:
        """Return the top of the work tree, as a path from the current directory. Raises `Failure`."""
        if self._directory is None:
            from pycache_guard.git.repository import require_toplevel

            self._directory = require_toplevel()
        return self._directory

    def entries_below(self, paths: Sequence[str]) -> set[str]:
        """Return the entries at or below `paths`, which are relative to the current directory.

        Raises `GitFailure` for one that matches nothing.
        """
        specs = [f":(literal){path}" for path in paths]
        listed = git_output("ls-files", "--error-unmatch", "-z", "--full-name", "--", *specs)
        return {os.fsdecode(path) for path in listed.split(b"\0")[:-1]}

    def untrack(self, paths: list[str]) -> None:
        """Remove paths from the index and leave the files on disk.

        `git rm --cached` refuses paths outside a sparse checkout; this does not. Git reads the paths
        from a file, not from a pipe: if this program is killed, git would take the end of the pipe for
        the end of the list, and the beginning of a path for a path.
        """
        from pycache_guard.git.repository import options_at, require_toplevel
        from pycache_guard.git.tempdir import open_unnamed_file

        where = options_at(require_toplevel())
        with open_unnamed_file() as listed:
            listed.write(b"".join(os.fsencode(path) + b"\0" for path in paths))
            listed.seek(0)
            options = ("--force-remove", "-z", "--stdin")
            Git(
                *(*where, *without_programs(), "update-index", *options),
                stdin=listed.fileno(),
            ).output()

    @staticmethod
    def _diff_against(base: str) -> Git:
        return Git(
            *(*FULL_INDEX, "diff-index", "--cached", "--ita-visible-in-index"),
            *(*RAW_DIFF_OPTIONS, base, "--"),
        )


#: The index whose git was started before the command was imported.
_early: list[Index] = []


def start_index(*, compare: bool) -> None:
    """Start git for the command that is about to be imported; see `Index.start_early`."""
    index = Index()
    index.start_early(compare=compare)
    _early[:] = [index]


def current_index() -> Index:
    """Return the index, the one of `start_index` if there is one."""
    return _early.pop() if _early else Index()


#: Sections of the configuration with programs that git runs when it writes an index: filters, and the
#: hooks of git 2.54 and later (git-hook(1)), which `core.hooksPath` does not disable. Each has the
#: settings that disable its programs.
PROGRAMS = {
    "filter": ("clean=", "process=", "required=false"),
    "hook": ("enabled=false",),
}


def list_skipped_entries(*pathspecs: str) -> set[bytes]:
    """Return the paths of the entries with the skip-worktree bit (git-update-index(1)) that match a pathspec."""
    from pycache_guard.git.listing import iter_blocks

    listing = Git("ls-files", "-t", "-z", "--full-name", "--", *pathspecs)
    records = (record for block in iter_blocks(listing) for record in block.split(b"\0"))
    return {record[2:] for record in records if record.startswith(b"S ")}


def without_programs() -> list[str]:
    """Return options for git, before its subcommand, that disable the configured `PROGRAMS`.

    When git writes an index, it reads files again that changed in the second of the last write
    ("racily clean", git's Documentation/technical/racy-git.txt), through `filter.NAME.clean` or
    `filter.NAME.process` (gitattributes(5)): programs that the repository names. Without the filter the
    content differs, and git compares it again at the next command: nothing is lost. Raises `Failure`
    for a name that cannot be part of an option.
    """
    pattern = rf"^({'|'.join(PROGRAMS)})\."
    process = Git("config", "-z", "--name-only", "--get-regexp", pattern)
    keys = b"".join(iter(process.read, b"")).split(b"\0")[:-1]
    process.wait(allowed=(0, 1))
    options = ["-c", "hook.post-index-change.enabled=false"]
    for start in dict.fromkeys(key[: key.rindex(b".") + 1] for key in keys):
        name = os.fsdecode(start)
        if name.count(".") < 2:  # a section without a name configures nothing
            continue
        if "=" in name:
            raise Failure(f"{name[:-1]}: the name contains `=`, so no option of git can disable it")
        for setting in PROGRAMS[name.partition(".")[0]]:
            options += ["-c", f"{name}{setting}"]
    return options
