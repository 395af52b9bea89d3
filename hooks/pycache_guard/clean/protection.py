"""Which of the files below a root must stay, because a repository tracks them."""

from __future__ import annotations

from pycache_guard.fs.mounts import find_sources
from pycache_guard.git.tracked import tracked_bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def find_protected(directory: str, stores: Sequence[str]) -> set[str]:
    """Return the tracked bytecode below `directory`, as paths from there; submodules end with `/`.

    `stores` are git directories below it. Where something is a bind mount, the repository at its
    other path counts too. Raises `GitFailure` where git does not answer for a repository.
    """
    known = tracked_bytecode(directory, stores)
    for parts, source in find_sources(directory):
        start = "".join(f"{part}/" for part in parts)
        known.update(start + path for path in tracked_bytecode(source))
    return known
