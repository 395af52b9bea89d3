"""The directories in which version control systems keep their own files, and how to find that of git."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.fs.regular import read_small_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Directory names, each with entries of which at least one exists in a real one. Git has branches, and
#: with them files, named `x.pyc`; Subversion keeps copies of tracked files. `_darcs` has no entries
#: here, because it can also be the name of a package.
VCS_ENTRIES = {
    ".git": ("HEAD",),
    ".hg": ("requires", "store", "00changelog.i"),
    ".svn": ("wc.db", "entries"),
    ".bzr": ("branch-format", "branch"),
    ".jj": ("repo",),
    ".sl": ("requires", "store"),
    "_darcs": (),
}
VCS_DIRS = frozenset(VCS_ENTRIES)


#: The names in a `.git`, except those that `git init` copies from a template (hooks, info, description).
GIT_NAMES = (
    *("HEAD", "index", "objects", "refs", "config", "packed-refs", "logs", "commondir", "gitdir"),
    *("modules", "worktrees", "reftable", "shallow", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG"),
)


def find_git_dir(directory: str) -> str | None:
    """Return the git directory of the work tree that contains a directory, or None."""
    mark = find_mark(directory)
    return None if mark is None else resolve_mark(mark)


def find_mark(directory: str) -> str | None:
    """Return the path of the nearest `.git` of a directory or of a directory above it, or None.

    A damaged `.git` counts, and so does a symbolic link that leads nowhere. A directory `.git` without
    any name that git uses does not count: git cannot have lost anything there.
    """
    return next((mark for mark in _marks(os.path.realpath(directory)) if _is_mark(mark)), None)


def resolve_mark(mark: str) -> str | None:
    """Return the git directory that a `.git` is, or that it names if it is a file; otherwise None.

    The file contains `gitdir: PATH`, relative to its directory (gitrepository-layout(5)).
    """
    if os.path.isdir(mark):
        return mark
    try:
        content = read_small_file(mark)
    except (OSError, ValueError):
        return None
    if not content.startswith(b"gitdir: "):
        return None
    named = os.fsdecode(content.removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    return os.path.join(os.path.dirname(mark), named)


def _marks(directory: str) -> Iterator[str]:
    """Yield where a `.git` may be, from a directory upwards."""
    yield os.path.join(directory, ".git")
    while (above := os.path.dirname(directory)) != directory:
        directory = above
        yield os.path.join(directory, ".git")


def _is_mark(path: str) -> bool:
    if not os.path.isdir(path):
        return os.path.lexists(path)
    # A directory without search permission shows no names.
    return not os.access(path, os.X_OK) or any(
        os.path.lexists(os.path.join(path, name)) for name in GIT_NAMES
    )
