"""Find repositories whose work tree is a directory without a `.git`: dotfiles, `core.worktree`.

Git itself does not find them. They are found by what is on disk, without starting git.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
import stat

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Repositories of tools that track a home directory, relative to it: yadm(1).
HOME_STORES = (".local/share/yadm/repo.git", ".config/yadm/repo.git", ".yadm/repo.git")
#: Directories with one such repository per topic: vcsh(1).
HOME_STORE_DIRECTORIES = (".config/vcsh/repo.d",)
#: The user id of root. Repositories of root count like those of the current user.
ROOT_USER = 0


def find_stores(directory: str) -> Iterator[str]:
    """Yield the git directories, in `directory` or in a parent of it, that may have it as work tree.

    These are bare repositories with an index, which `git --git-dir=STORE --work-tree=DIRECTORY` writes:
    people track their dotfiles so. Their names begin with a dot, end with `.git`, or are those of a
    tool for dotfiles. A `.git` of a sibling directory whose `core.worktree` leads elsewhere is yielded
    too. Repositories of other users are left out.
    """
    here = os.path.realpath(directory)
    while True:
        for store in _candidates(here):
            is_used = has_index(store) or os.path.basename(store) == ".git"
            if is_used and _is_own(store):
                yield store
        above = os.path.dirname(here)
        if above == here:
            return
        here = above


def has_index(directory: str) -> bool:
    """Return whether a directory is, or was, a git directory with an index of its own."""
    found = [os.path.lexists(os.path.join(directory, n)) for n in ("index", "HEAD", "objects")]
    return found[0] and (found[1] or found[2])


def _candidates(directory: str) -> Iterator[str]:
    """Yield the paths in `directory` that may be a repository whose work tree it is.

    Yields nothing for a directory that everyone can write to, such as `/tmp`.
    """
    try:
        if os.stat(directory).st_mode & stat.S_IWOTH and compat.HAS_FILE_OWNERS:
            return
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        names = []
    for name in names:
        if name != ".git" and (name.startswith(".") or name.endswith(".git")):
            yield os.path.join(directory, name)
        elif _names_work_tree(os.path.join(directory, name, ".git", "config")):
            yield os.path.join(directory, name, ".git")
    for name in HOME_STORES:
        yield os.path.join(directory, name)
    for name in HOME_STORE_DIRECTORIES:
        try:
            with os.scandir(os.path.join(directory, name)) as entries:
                yield from sorted(entry.path for entry in entries)
        except OSError:
            continue


def _names_work_tree(path: str) -> bool:
    """Return whether a repository's configuration may name a work tree elsewhere (core.worktree)."""
    from pycache_guard.fs import regular

    try:
        with regular.open_regular(path) as file:
            content = file.read(regular.MAX_TEXT_BYTES)
    except OSError:
        return False
    import re

    return re.search(rb"(?mi)^[^\S\n]*(?:\[core\]\s*)?worktree\s*=", content) is not None


def _is_own(path: str) -> bool:
    return not compat.HAS_FILE_OWNERS or os.lstat(path).st_uid in (ROOT_USER, os.geteuid())
