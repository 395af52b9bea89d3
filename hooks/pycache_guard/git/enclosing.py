"""Find the repositories that may track what is in a directory, by what is on disk, without git.

`git` looks on above a `.git` that it cannot read (gitrepository-layout(5), `setup_git_directory` in
git's `setup.c`), and then answers for another repository. `clean` must know which one it asked.
"""

from __future__ import annotations

import os
import stat

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: What tools that keep a home directory in a repository call theirs, from that directory.
HOME_STORES = (".local/share/yadm/repo.git", ".config/yadm/repo.git", ".yadm/repo.git")
#: A directory with one repository per topic: vcsh(1).
HOME_STORE_DIRECTORIES = (".config/vcsh/repo.d",)
#: No more of a configuration is read to see whether git has to be asked.
MAX_CONFIG_BYTES = 1 << 20
#: Whom everything is believed.
ROOT_USER = 0


def find_stores(directory: str) -> Iterator[str]:
    """Yield bare repositories with an index that lie in a directory, or in one above it.

    Such an index is of `git --git-dir=STORE --work-tree=DIRECTORY`, as people keep their dotfiles:
    the work tree itself has no `.git`. Its name begins with a dot or ends with `.git`, or a tool for
    dotfiles has chosen it. A repository beside the directory, or beside one above, whose `core.worktree`
    leads elsewhere is one too. One that belongs to another user is left out.
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
    """Yield the paths that may be a repository whose work tree is `directory`.

    A directory that everyone can write to, such as `/tmp`, yields none: its files are temporary.
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
            content = file.read(MAX_CONFIG_BYTES)
    except OSError:
        return False
    import re

    return re.search(rb"(?mi)^\s*(?:\[core\]\s*)?worktree\s*=", content) is not None


def _is_own(path: str) -> bool:
    return not compat.HAS_FILE_OWNERS or os.lstat(path).st_uid in (ROOT_USER, os.geteuid())
