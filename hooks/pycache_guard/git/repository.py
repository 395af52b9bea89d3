"""Where we are, and which commits and trees are meant."""

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.process import Git
from pycache_guard.git.process import git
from pycache_guard.git.process import object_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def top() -> str | None:
    """Return the top of the work tree as a path, `None` in a bare repository or a `.git`.

    In a directory that holds the repository this is known without asking; a hook's process always
    stands there (githooks(5)). Raises `GitFailure` outside a repository.
    """
    if "GIT_WORK_TREE" not in os.environ and (
        os.path.isfile(".git") or os.path.isfile(os.path.join(".git", "HEAD"))
    ):
        return os.curdir
    if b"true" in git("rev-parse", "--is-bare-repository", "--is-inside-git-dir").split():
        return None
    return os.fsdecode(git("rev-parse", "--show-toplevel")[:-1])


def work_tree() -> str:
    """Return `top()`. Raises `Failure` where there is none.

    In a bare repository git lists an index that is not there as one without entries.
    """
    where = top()
    if where is None:
        raise Failure("not in a work tree, so there is no index to judge")
    return where


def directory_around(directory: str) -> str | None:
    """Return the repository of the work tree that a directory is in, `None` where it is in none.

    This is told without git, and for no more than a place: `.git` as a directory, or as a file that
    names one (gitrepository-layout(5)).
    """
    mark = next(
        (here for here in marks(os.path.realpath(directory)) if os.path.lexists(here)), None
    )
    if mark is None or not os.path.isfile(mark):
        return mark
    with open(mark, "rb") as file:
        named = os.fsdecode(file.read().removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    return os.path.join(os.path.dirname(mark), named)


def marks(directory: str) -> Iterator[str]:
    """Yield where a `.git` may be, from a directory upwards."""
    yield os.path.join(directory, ".git")
    while (above := os.path.dirname(directory)) != directory:
        directory = above
        yield os.path.join(directory, ".git")


def in_subdirectory() -> bool:
    """Whether paths from the top mean something else here."""
    where = top()
    return where is not None and not os.path.samefile(where, os.curdir)


def is_sparse() -> bool:
    """Whether a sparse checkout is on: `git rm` then leaves alone what is not on disk."""
    process = Git("config", "--type=bool", "--get", "core.sparseCheckout")
    answer = b"".join(iter(process.read, b""))
    return process.check(allowed=(0, 1)) == 0 and answer == b"true\n"


def resolve(revision: str, kind: str) -> str:
    """Return the object id of `revision` as a `commit` or `tree` (gitrevisions(7)).

    Raises `Failure` for a revision that does not exist or is no such thing.
    """
    found = None if revision.startswith("-") else resolved(f"{revision}^{{{kind}}}")
    if found is None:
        raise Failure(f"{revision!r} is not a {kind} in this repository")
    return found


def resolved(expression: str) -> str | None:
    """Return the object id of an expression, `None` where it names nothing."""
    process = Git("rev-parse", "--quiet", "--verify", expression)
    answer = b"".join(iter(process.read, b""))
    # 1: no such object; 128: words that cannot name one.
    if process.check(allowed=(0, 1, 128)):
        return None
    return object_id(answer, "rev-parse")


def empty_tree() -> str:
    """Return the id of the empty tree, which every repository knows without storing it."""
    return object_id(git("hash-object", "-t", "tree", "--stdin"), "hash-object")


def committed() -> str:
    """Return what the index is compared with: `HEAD`, or the empty tree before the first commit."""
    return resolved("HEAD^{commit}") or empty_tree()


def base_of(commit: str | None) -> str:
    """Return the tree-ish in whose place `commit` came.

    That is HEAD; for HEAD's own commit (or where HEAD is unborn) its first parent; for a root, or
    for a tree without a commit (`None`), the empty tree.
    """
    head = resolved("HEAD^{commit}")
    if commit is None:
        return head or empty_tree()
    if head is not None and head != commit:
        return head
    return resolved(f"{commit}^1^{{commit}}") or empty_tree()


def index_is_temporary() -> bool:
    """Whether `GIT_INDEX_FILE` names another index than the repository's own.

    `git commit -a` and `git commit PATH` let their hooks see an index that is thrown away, or
    replaced, afterwards: what a hook changes there is lost or undone.
    """
    named = os.environ.get("GIT_INDEX_FILE")
    if not named:
        return False
    own = os.path.join(os.fsdecode(git("rev-parse", "--absolute-git-dir")[:-1]), "index")
    return os.path.realpath(named) != os.path.realpath(own)
