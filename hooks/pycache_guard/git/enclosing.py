"""Find the repositories that may track what is in a directory, by what is on disk, without git.

`git` looks on above a `.git` that it cannot read (gitrepository-layout(5), `setup_git_directory` in
git's `setup.c`), and then answers for another repository. `clean` must know which one it asked.
"""

from __future__ import annotations

import os
import stat

from pycache_guard import compat
from pycache_guard.fs.git_dir import git_dir_candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: What git keeps in a `.git`, but for what `git init` copies from a template (hooks, info, description).
GIT_NAMES = (
    *("HEAD", "index", "objects", "refs", "config", "packed-refs", "logs", "commondir", "gitdir"),
    *("modules", "worktrees", "reftable", "shallow", "ORIG_HEAD", "FETCH_HEAD", "COMMIT_EDITMSG"),
)
#: What tools that keep a home directory in a repository call theirs, from that directory.
HOME_STORES = (".local/share/yadm/repo.git", ".config/yadm/repo.git", ".yadm/repo.git")
#: A directory with one repository per topic: vcsh(1).
HOME_STORE_DIRECTORIES = (".config/vcsh/repo.d",)
#: Most bytes of a file `.git`: `gitdir: ` and a path of 4096 bytes (Linux `PATH_MAX`), with room to spare.
MAX_LINK_BYTES = 1 << 14
#: No more of a configuration is read to see whether git has to be asked.
MAX_CONFIG_BYTES = 1 << 20
#: Whom everything is believed.
ROOT_USER = 0


def find_mark(directory: str) -> str | None:
    """Return the nearest `.git` of a directory, or of one above, as a path; `None` without one.

    A damaged one counts, and so does a link that leads nowhere. A directory `.git` in which nothing
    has a name of git's does not count: it holds nothing that git could have lost.
    """
    return next(
        (mark for mark in git_dir_candidates(os.path.realpath(directory)) if _is_mark(mark)), None
    )


def find_git_directory(mark: str) -> str | None:
    """Return the git directory that a `.git` is, or names as a file; `None` if it names none.

    The file holds `gitdir: PATH`, relative to its directory (gitrepository-layout(5)).
    """
    if os.path.isdir(mark):
        return mark
    from pycache_guard.fs import regular

    try:
        with regular.open_regular(mark) as file:
            content = file.read(MAX_LINK_BYTES)
    except OSError:
        return None
    if not content.startswith(b"gitdir: "):
        return None
    named = os.fsdecode(content.removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    return os.path.join(os.path.dirname(mark), named)


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


def _is_mark(path: str) -> bool:
    if not os.path.isdir(path):
        return os.path.lexists(path)
    # A directory that is closed to us shows no names.
    return not os.access(path, os.X_OK) or any(
        os.path.lexists(os.path.join(path, name)) for name in GIT_NAMES
    )


def _candidates(directory: str) -> Iterator[str]:
    """Yield what may be a store of which `directory` is the work tree.

    In a directory that everyone can write to, as `/tmp`, there is none: what lies there is passing.
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
    if not os.path.isfile(path):
        return False
    import re

    from pycache_guard.fs import regular

    try:
        with regular.open_regular(path) as file:
            content = file.read(MAX_CONFIG_BYTES)
    except OSError:
        return False
    return re.search(rb"(?mi)^\s*(?:\[core\]\s*)?worktree\s*=", content) is not None


def _is_own(path: str) -> bool:
    return not compat.HAS_FILE_OWNERS or os.lstat(path).st_uid in (ROOT_USER, os.geteuid())
