"""Directories that `clean` never enters, or enters only if they are an argument."""

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.fs.vcs import VCS_DIRS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: A directory that contains one of these is the top of a repository.
REPOSITORY = frozenset((".git", ".hg", ".jj", ".sl"))
#: Files next to `HEAD`, `objects/` and `refs/` in a git directory.
SETTINGS = frozenset(("config", "packed-refs", "description", "index"))
#: Minimum number of features by which a git directory is recognized.
MIN_MARKS = 3


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
    if has_head + has_objects + has_refs + has_settings >= MIN_MARKS:
        return True
    return has_head and "commondir" in files


def reject_vcs_internals(path: str) -> None:
    """Raise `Failure` if `path` is in a git directory or another internal directory of a repository.

    A work tree inside one is accepted: its own `.git` is nearer.
    """
    here = os.path.realpath(path)
    while True:
        if os.path.basename(here).lower() in VCS_DIRS or on_disk_git_directory(here):
            raise Failure(
                f"{path}: contains internal files of a repository; `clean` never removes them"
            )
        above = os.path.dirname(here)
        if above == here or os.path.lexists(os.path.join(here, ".git")):
            return
        here = above


def on_disk_git_directory(path: str) -> bool:
    """Return whether the directory `path` on disk is one according to `is_git_directory`."""
    present = [
        name
        for name in ("HEAD", "commondir", "objects", "refs", *SETTINGS)
        if os.path.lexists(os.path.join(path, name))
    ]
    return is_git_directory(present, present)
