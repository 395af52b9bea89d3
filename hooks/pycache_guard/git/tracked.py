"""What git tracks below a directory, whichever repository that is in, or none."""

from __future__ import annotations

import os

from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.names import may_name_bytecode
from pycache_guard.git.listing import entries
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import environment
from pycache_guard.git.process import git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

#: What says which repository, work tree and index are meant, instead of where one stands: those of
#: `git rev-parse --local-env-vars` that are no settings.
LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)
SUBMODULE = b"160000 "
#: Git does not look at an index's checksum: of one that was cut off it lists the rest like this.
NOTHING = b"000000 "


def tracked_bytecode(directory: str) -> set[str]:
    """Return the tracked bytecode below `directory`, and submodules, as paths from there.

    The directory's own repository is asked, and the one that `GIT_DIR` or another variable names.
    Empty where there is none. Raises `GitFailure` where there is one, and git does not answer.
    """
    found: set[str] = set()
    if enclosed(directory):
        listing = Git("-C", directory, "ls-files", "--stage", "-z", env=own_environment())
        found.update(map(os.fsdecode, wanted(listing)))
    if any(name in os.environ for name in LOCAL):
        top = os.path.realpath(os.fsdecode(git("rev-parse", "--show-toplevel")[:-1]))
        listing = Git("ls-files", "--stage", "-z", "--full-name", "--", ":/")
        found.update(below(os.path.realpath(directory), top, wanted(listing), os.sep))
    return found


def below(directory: str, top: str, paths: Iterable[bytes], separator: str) -> Iterator[str]:
    """Yield which of `paths`, from `top`, are in `directory`, as paths from there.

    Both are absolute, as the system writes them: with `separator`, where git has `/`.
    """
    start = directory.replace(separator, "/").rstrip("/") + "/"
    above = top.replace(separator, "/").rstrip("/") + "/"
    for path in paths:
        whole = above + os.fsdecode(path)
        if whole.startswith(start):
            yield whole[len(start) :]


def wanted(listing: Git) -> Iterator[bytes]:
    """Yield the paths of bytecode and of submodules from a listing.

    Raises `GitFailure` where it is of a damaged index.
    """
    for block in entries(listing):
        if block.startswith(NOTHING) or b"\0" + NOTHING in block:
            raise GitFailure("git ls-files: the index is damaged")
        if not may_name_bytecode(block) and SUBMODULE not in block:
            continue
        for record in block.split(b"\0")[:-1]:
            path = record.partition(b"\t")[2]
            if is_bytecode_path(path) or record.startswith(SUBMODULE):
                yield path


def enclosed(directory: str) -> bool:
    """Whether a directory is in a work tree, told without git, which may be unwilling or not there.

    A directory `.git` without a HEAD is none of git's: git looks on above it, and so do we.
    """
    here = os.path.realpath(directory)
    while True:
        mark = os.path.join(here, ".git")
        if os.path.isfile(mark) or os.path.lexists(os.path.join(mark, "HEAD")):
            return True
        above = os.path.dirname(here)
        if above == here:
            return False
        here = above


def own_environment() -> dict[str, str]:
    """Return an environment in which git takes the repository from where it is run.

    It looks for it beyond a mount point too, as `enclosed` does.
    """
    across = environment(GIT_DISCOVERY_ACROSS_FILESYSTEM="1")
    return {name: value for name, value in across.items() if name not in LOCAL}
