"""Locate the work tree, and resolve names of commits and trees."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.process import Git, GitFailure, git_output, is_object_id, object_id

TYPE_CHECKING = False


#: Variables that locate the repository or its work tree (git(1), "The Git Repository").
POINTERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_IMPLICIT_WORK_TREE")


def toplevel() -> str | None:
    """Return the top of the work tree as a path, None without a work tree.

    This is the one place that asks git where the repository is. There is no work tree in a bare
    repository, in the root of a bare repository with work trees and in a `.git`. If the current
    directory has a usual `.git` (as in a hook, githooks(5)), no process is started. Raises `GitFailure`
    with the message of git outside a repository, and if git refuses one (`safe.directory`).
    """
    if is_usual_top():
        return os.curdir
    process = Git("rev-parse", "--is-bare-repository", "--is-inside-git-dir", "--show-toplevel")
    # A path can hold newlines: it comes last.
    bare, inside, path = (b"".join(iter(process.read, b"")).split(b"\n", 2) + [b""] * 2)[:3]
    if bare == b"true" or (inside == b"true" and "GIT_WORK_TREE" not in os.environ):
        process.wait(allowed=(0, 128))
        return None
    process.wait()
    found = os.fsdecode(path[:-1])
    if not os.path.isdir(found):  # MSYS2 and Cygwin have a git whose paths are not those of Windows
        raise GitFailure(
            f"the work tree is {found}, as git writes it; that is not a directory here"
        )
    return found


def may_find_repository() -> bool:
    """Return whether git may find a repository here, without a process. `False` is certain.

    Git looks for a `.git`, or for the files of a bare repository, from the current directory upwards
    (git(1), `GIT_CEILING_DIRECTORIES`), unless a variable names a repository.
    """
    if any(name in os.environ for name in POINTERS):
        return True
    try:
        place = os.getcwd()
    except OSError:  # it was deleted
        return True
    while not any(os.path.lexists(os.path.join(place, name)) for name in (".git", "HEAD")):
        if place == os.path.dirname(place):
            return False
        place = os.path.dirname(place)
    return True


def require_toplevel() -> str:
    """Return `toplevel()`. Raises `Failure` without a work tree.

    In a bare repository git lists an index that is not there as one without entries.
    """
    where = toplevel()
    if where is None:
        raise Failure("not inside a work tree; there is no index to check")
    return where


def options_at(directory: str) -> tuple[str, ...]:
    """Return options for git, before its subcommand, that run it at `directory`, the top of the work tree.

    Outside the current directory, repository and work tree are named: variables can be relative to the
    current directory, and a repository with another work tree (`core.worktree`) is not found from there.
    """
    if directory == os.curdir:
        return ("-C", directory)
    own = os.fsdecode(git_output("rev-parse", "--absolute-git-dir")[:-1])
    return ("-C", directory, "--git-dir", own, "--work-tree", os.path.abspath(directory))


def is_usual_top() -> bool:
    """Return whether files alone prove that the current directory is the top of a work tree.

    They do if `.git` is a repository that git accepts (setup.c, `is_git_directory`) and its
    configuration sets neither `core.bare` nor `core.worktree`, or if `.git` names the repository of a
    linked work tree, for which git does not read these two (git-worktree(1), "CONFIGURATION FILE").
    """
    if any(name in os.environ for name in POINTERS):
        return False
    try:
        if os.path.isdir(".git"):
            return is_usual_repository(".git")
        named = _read_small_file(".git")
        if not named.startswith(b"gitdir: "):
            return False
        directory = os.fsdecode(named.removeprefix(b"gitdir: ").rstrip(b"\r\n"))
        back = os.fsdecode(_read_small_file(os.path.join(directory, "gitdir")).rstrip(b"\r\n"))
        common = os.fsdecode(_read_small_file(os.path.join(directory, "commondir")).rstrip(b"\r\n"))
        return (
            os.path.realpath(os.path.join(directory, back)) == os.path.realpath(".git")
            and is_head(os.path.join(directory, "HEAD"))
            and is_repository(os.path.join(directory, common))
            and not os.path.lexists(os.path.join(directory, "config.worktree"))
        )
    except (OSError, ValueError):  # is not there, or is not a regular file; a NUL in a path
        return False


def is_usual_repository(directory: str) -> bool:
    """Return whether a directory is a repository whose configuration does not move its work tree."""
    if not is_repository(directory):
        return False
    config = b"".join(_read_small_file(os.path.join(directory, "config")).lower().split())
    return b"worktree" not in config and config.count(b"bare") == config.count(b"bare=false")


def is_repository(directory: str) -> bool:
    """Return whether git accepts a directory as a repository: it has `objects`, `refs` and a HEAD."""
    return (
        os.path.isdir(os.path.join(directory, "objects"))
        and os.path.isdir(os.path.join(directory, "refs"))
        and is_head(os.path.join(directory, "HEAD"))
    )


def is_head(path: str) -> bool:
    """Return whether a file is a HEAD: a branch, or an object id (setup.c, `validate_headref`)."""
    try:
        text = _read_small_file(path).strip()
    except (OSError, ValueError):
        return False
    return text.startswith(b"ref: refs/") or is_object_id(text)


def _read_small_file(path: str) -> bytes:
    """Call `fs.regular.read_small_file`, imported only here: a usual repository needs no such file."""
    from pycache_guard.fs.regular import read_small_file

    return read_small_file(path)


def cwd_is_below_toplevel() -> bool:
    """Return whether paths from the top do not work in the directory of the reader.

    That is the current directory; for a hook of git's it is `GIT_PREFIX`, the directory in which
    `git commit` was typed, while git runs the hook at the top (git(1), git-rev-parse(1)
    `--show-prefix`).
    """
    where = toplevel()
    if where is None:
        return False
    return bool(os.environ.get("GIT_PREFIX")) or not os.path.samefile(where, os.curdir)


def is_sparse() -> bool:
    """Return whether a sparse checkout is enabled, and `git rm` wants `--sparse` for files outside it."""
    process = Git("config", "--type=bool", "--get", "core.sparseCheckout")
    answer = b"".join(iter(process.read, b""))
    return process.wait(allowed=(0, 1)) == 0 and answer == b"true\n" and has_sparse_option()


def has_sparse_option() -> bool:
    """Return whether `git add`, `git mv` and `git rm` have `--sparse`: git 2.34 and later."""
    import re

    found = re.match(rb"git version (\d+)\.(\d+)", git_output("version"))
    return found is None or (int(found[1]), int(found[2])) >= (2, 34)


def rev_parse(revision: str, kind: str) -> str:
    """Return the object id of `revision` as a `commit` or `tree` (gitrevisions(7)).

    Raises `Failure` if the revision does not exist or is of another kind.
    """
    found = None if revision.startswith("-") else try_rev_parse(f"{revision}^{{{kind}}}")
    if found is None:
        raise Failure(f"{revision!r} is not a {kind} in this repository")
    return found


def try_rev_parse(expression: str) -> str | None:
    """Return the object id of an expression, `None` where it names nothing."""
    process = Git("rev-parse", "--quiet", "--verify", expression)
    answer = b"".join(iter(process.read, b""))
    # 1: no such object; 128: words that cannot name one.
    if process.wait(allowed=(0, 1, 128)):
        return None
    return object_id(answer, "rev-parse")


def empty_tree() -> str:
    """Return the id of the empty tree, which every repository knows without storing it."""
    return object_id(git_output("hash-object", "-t", "tree", "--stdin"), "hash-object")


def comparison_base(commit: str | None) -> str:
    """Return the commit or tree with which `commit` is compared to find its new content.

    This is HEAD. For the commit of HEAD itself, or if HEAD is unborn, it is the first parent, or the
    empty tree for a root commit. For a tree without a commit (None) it is HEAD or the empty tree.
    """
    head = try_rev_parse("HEAD^{commit}")
    if commit is None:
        return head or empty_tree()
    if head is not None and head != commit:
        return head
    return try_rev_parse(f"{commit}^1^{{commit}}") or empty_tree()


def uses_temporary_index() -> bool:
    """Return whether `GIT_INDEX_FILE` names another index than the repository's own.

    `git commit -a` and `git commit PATH` let their hooks see an index that is thrown away, or
    replaced, afterwards: what a hook changes there is lost or undone.
    """
    named = os.environ.get("GIT_INDEX_FILE")
    if not named:
        return False
    own = os.path.join(os.fsdecode(git_output("rev-parse", "--absolute-git-dir")[:-1]), "index")
    if os.path.exists(named) and os.path.exists(own):
        return not os.path.samefile(named, own)
    # On Windows letters' case means nothing, and `/` is `\`.
    return os.path.normcase(os.path.realpath(named)) != os.path.normcase(os.path.realpath(own))
