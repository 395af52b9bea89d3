"""Find the repository that a directory is in by looking at files alone."""

from __future__ import annotations

import os

from pycache_guard.fs.regular import read_small_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def find_git_dir(directory: str) -> str | None:
    """Return the repository of the work tree that a directory is in, `None` where it is in none.

    This is told without git, and for no more than a place: `.git` as a directory, or as a file that
    names one (gitrepository-layout(5)).
    """
    mark = next(
        (
            here
            for here in _git_dir_candidates(os.path.realpath(directory))
            if os.path.lexists(here)
        ),
        None,
    )
    if mark is None or not os.path.isfile(mark):
        return mark
    named = os.fsdecode(read_small_file(mark).removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    return os.path.join(os.path.dirname(mark), named)


def _git_dir_candidates(directory: str) -> Iterator[str]:
    """Yield where a `.git` may be, from a directory upwards."""
    yield os.path.join(directory, ".git")
    while (above := os.path.dirname(directory)) != directory:
        directory = above
        yield os.path.join(directory, ".git")
