"""Where cleaning ends: what is never entered, and what only if it is named."""

from __future__ import annotations

import os

from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: What version control keeps for itself. A file there may have any name: git has branches `x.pyc`.
VCS_DIRS = frozenset((".git", ".hg", ".svn", ".bzr", ".jj", ".sl", "_darcs"))
#: Whose repository a directory is the top of.
REPOSITORY = frozenset((".git", ".hg", ".jj", ".sl"))
#: What git puts beside `HEAD`, `objects/` and `refs/`.
SETTINGS = frozenset(("config", "packed-refs", "description", "index"))
#: How many marks of a git directory it takes.
MIN_MARKS = 3


def skip_reason_by_name(name: str) -> str | None:
    """Say why a directory of this name is not looked into, `None` if it is."""
    lowered = name.lower()
    if lowered in VCS_DIRS:
        return "a repository's own files"
    if lowered == "node_modules":
        return "node_modules"
    return None


def skip_reason_by_content(files: Sequence[str], directories: Sequence[str]) -> str | None:
    """Say why a directory is left again, told by what is in it; `None` if it is not."""
    if is_git_directory(files, directories):
        return "a repository's own files"
    if ".git" in files or (
        directories and not REPOSITORY.isdisjoint(name.lower() for name in directories)
    ):
        return "another repository"
    if "pyvenv.cfg" in files or "conda-meta" in directories:
        return "a virtual environment"
    return None


def is_git_directory(files: Sequence[str], directories: Sequence[str]) -> bool:
    """Return whether this is, or was, what is otherwise called `.git`.

    That is a bare repository, a submodule's or a worktree's (gitrepository-layout(5)), and one that
    has lost its HEAD, its objects or its refs: three of these four marks are left.
    """
    has_head, has_objects = "HEAD" in files, "objects" in directories
    if not has_head and not has_objects:
        return False
    has_refs = "refs" in directories
    has_settings = not SETTINGS.isdisjoint(files)
    if has_head + has_objects + has_refs + has_settings >= MIN_MARKS:
        return True
    return has_head and "commondir" in files


def reject_vcs_internals(path: str) -> None:
    """Raise `Failure` if `path` is in a repository's own files.

    A work tree may lie in there: then its `.git` is nearer.
    """
    here = os.path.realpath(path)
    while True:
        if os.path.basename(here).lower() in VCS_DIRS or on_disk_git_directory(here):
            raise Failure(f"{path}: is among a repository's own files, which are left alone")
        above = os.path.dirname(here)
        if above == here or os.path.lexists(os.path.join(here, ".git")):
            return
        here = above


def on_disk_git_directory(path: str) -> bool:
    """Return whether `path` is a directory as of `is_git_directory`."""
    present = [
        name
        for name in ("HEAD", "commondir", "objects", "refs", *SETTINGS)
        if os.path.lexists(os.path.join(path, name))
    ]
    return is_git_directory(present, present)
