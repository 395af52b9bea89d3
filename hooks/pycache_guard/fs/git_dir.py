"""Find the repository that a directory is in by looking at files alone."""

from __future__ import annotations

import os

from pycache_guard.fs.regular import read_small_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def find_git_dir(directory: str) -> str | None:
    """Return the git directory of the work tree around a directory, or `None` without a work tree.

    Git is not asked, so the result is a place for temporary files and no proof: the nearest `.git`, or
    the directory that it names as a file (gitrepository-layout(5)).
    """
    mark = next(
        (here for here in git_dir_candidates(os.path.realpath(directory)) if os.path.lexists(here)),
        None,
    )
    if mark is None or not os.path.isfile(mark):
        return mark
    named = os.fsdecode(read_small_file(mark).removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    return os.path.join(os.path.dirname(mark), named)


def git_dir_candidates(directory: str) -> Iterator[str]:
    """Yield the paths at which a `.git` can be: in an absolute `directory` and in each one above."""
    yield os.path.join(directory, ".git")
    while (above := os.path.dirname(directory)) != directory:
        directory = above
        yield os.path.join(directory, ".git")
