"""The directories where a walk starts, and those that `clean` never enters."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
import sys

from pycache_guard.bytecode.cache_names import is_cache_directory
from pycache_guard.errors import Failure
from pycache_guard.fs.vcs import VCS_DIRS
from pycache_guard.fs.walk import open_cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycache_guard.fs.cursors import DirectoryCursor


class CleanRoot:
    """The directory where a walk starts."""

    __slots__ = ("cursor", "parent_files", "path", "source_dir", "start")

    def __init__(
        self,
        cursor: DirectoryCursor,
        path: str,
        start: tuple[str, ...] = (),
        parent_files: Sequence[str] = (),
        source_dir: str | None = None,
    ) -> None:
        self.cursor = cursor
        #: The path of the root of the cursor `cursor`.
        self.path = path
        #: The names that lead from there to the start of the walk.
        self.start = start
        #: The files next to the start, if the start is a cache directory.
        self.parent_files = parent_files
        #: For a tree below `sys.pycache_prefix`: the directory of its sources.
        self.source_dir = source_dir

    def display_path(self, parts: tuple[str, ...], name: str = "") -> str:
        """Return the path of an entry below the root, starting with the argument, with `/` on every system."""
        words = (*parts, name) if name else parts
        below = "/".join(words)
        if self.path == os.curdir:
            return below or os.curdir
        path = self.path.replace(os.sep, "/")
        return f"{path.rstrip('/')}/{below}" if below else path


def root_for(path: str) -> CleanRoot:
    """Return the root for a path on the command line.

    Raises `Failure` for a path that does not exist, is not a directory, is a link, leads through a link
    and back (`link/..`), or is in a git directory.
    """
    bare = os.path.normpath(path.rstrip(os.sep + (os.altsep or "")) or path)
    require_same_directory(path, bare)
    reject_vcs_internals(bare)
    directory, name = os.path.split(bare)
    if not is_cache_directory(name):
        return CleanRoot(open_cursor(bare), bare)
    # The sources of its files are in the directory above.
    open_cursor(bare).close()
    above = directory or os.curdir
    cursor = open_cursor(above)
    files, _, _ = cursor.list_entries()
    return CleanRoot(cursor, above, (name,), files)


def require_same_directory(path: str, bare: str) -> None:
    """Raise `Failure` unless a path and its normalized form lead to the same directory.

    `..` after a link leads to the parent of the link target, not back (path_resolution(7)).
    """
    try:
        meant = os.stat(path)
        # `open_cursor` reports an argument that is a link itself.
        found = os.stat(bare)
    except (FileNotFoundError, NotADirectoryError):
        raise Failure(f"{path}: no such directory") from None
    if not os.path.samestat(meant, found):
        where = os.path.realpath(path)
        raise Failure(f"{path}: leads through a link to {where}; pass that directory")


def prefix_roots(path: str) -> Iterator[CleanRoot]:
    """Yield the roots of the caches of `path` below `sys.pycache_prefix`; none without a prefix.

    Below the prefix Python repeats the path of the source directory without its root
    (`cache_from_source` in CPython `Lib/importlib/_bootstrap_external.py`), as it is in `sys.path`:
    as written, or with links resolved.
    """
    if sys.pycache_prefix is None or not os.path.isdir(sys.pycache_prefix):
        return
    prefix = os.path.abspath(sys.pycache_prefix)
    require_apart(path, prefix)
    for whole in dict.fromkeys((os.path.abspath(path), os.path.realpath(path))):
        cursor = open_cursor(os.path.realpath(prefix))
        yield CleanRoot(cursor, prefix, split_path(whole), source_dir=whole)


def require_apart(path: str, prefix: str) -> None:
    """Raise `Failure` if a directory is, contains or is inside `sys.pycache_prefix`.

    In that case sources and caches cannot be distinguished.
    """
    mirror = os.path.join(prefix, *split_path(os.path.realpath(path)))
    for inner, outer in ((path, prefix), (prefix, path), (mirror, path), (path, mirror)):
        if is_within(inner, outer):
            raise Failure(
                f"{path}: overlaps with PYTHONPYCACHEPREFIX ({prefix}), so that sources and caches"
                " cannot be distinguished; run `clean` without --prefix"
            )


def is_within(inner: str, outer: str) -> bool:
    """Return whether a directory is another one or is below it, compared by identity."""
    try:
        target = os.stat(outer)
    except OSError:
        return False
    here = os.path.realpath(inner)
    while True:
        if os.path.exists(here) and os.path.samestat(os.stat(here), target):
            return True
        above = os.path.dirname(here)
        if above == here:
            return False
        here = above


def split_path(path: str) -> tuple[str, ...]:
    """Return the names of an absolute path, without drive and root."""
    _, tail = os.path.splitdrive(path)
    return tuple(name for name in tail.replace(os.sep, "/").split("/") if name)


#: A directory that contains one of these is the top of a repository.
REPOSITORY = frozenset((".git", ".hg", ".jj", ".sl"))
#: Files next to `HEAD`, `objects/` and `refs/` in a git directory.
SETTINGS = frozenset(("config", "packed-refs", "description", "index"))
#: Minimum number of features by which a git directory is recognized.
MIN_FEATURE_COUNT = 3


def skip_reason_by_name(name: str) -> str | None:
    """Return the reason why a directory with this name is skipped, or None if it is entered."""
    lowered = name.lower()
    if lowered in VCS_DIRS:
        return "internal files of a repository"
    if lowered == "node_modules":
        return "node_modules"
    return None


def skip_reason_by_content(files: Sequence[str], directories: Sequence[str]) -> str | None:
    """Return the reason why a directory with this content is skipped, or None if it is cleaned."""
    if is_git_directory(files, directories):
        return "internal files of a repository"
    if ".git" in files or (
        directories and not REPOSITORY.isdisjoint(name.lower() for name in directories)
    ):
        return "another repository"
    if "pyvenv.cfg" in files or "conda-meta" in directories:
        return "a virtual environment"
    return None


def is_git_directory(files: Sequence[str], directories: Sequence[str]) -> bool:
    """Return whether a directory is or was a git directory, whatever its name.

    This includes bare repositories and git directories of submodules and worktrees
    (gitrepository-layout(5)), and those that have lost their HEAD, objects or refs: three of four
    features are enough.
    """
    has_head, has_objects = "HEAD" in files, "objects" in directories
    if not has_head and not has_objects:
        return False
    has_refs = "refs" in directories
    has_settings = not SETTINGS.isdisjoint(files)
    if has_head + has_objects + has_refs + has_settings >= MIN_FEATURE_COUNT:
        return True
    return has_head and "commondir" in files


def reject_vcs_internals(path: str) -> None:
    """Raise `Failure` if `path` is in a git directory or another internal directory of a repository.

    A work tree inside one is accepted: its own `.git` is nearer.
    """
    here = os.path.realpath(path)
    while True:
        if os.path.basename(here).lower() in VCS_DIRS or is_git_directory_on_disk(here):
            raise Failure(
                f"{path}: contains internal files of a repository; `clean` never removes them"
            )
        above = os.path.dirname(here)
        if above == here or os.path.lexists(os.path.join(here, ".git")):
            return
        here = above


def is_git_directory_on_disk(path: str) -> bool:
    """Return whether the directory `path` on disk is one according to `is_git_directory`."""
    present = [
        name
        for name in ("HEAD", "commondir", "objects", "refs", *SETTINGS)
        if os.path.lexists(os.path.join(path, name))
    ]
    return is_git_directory(present, present)
