"""Find the files below a root that a repository tracks."""

from __future__ import annotations

from pycache_guard.fs.mounts import find_sources
from pycache_guard.git.tracked import tracked_bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def find_protected(directory: str, stores: Sequence[str]) -> set[str]:
    """Return the tracked bytecode below `directory`, as relative paths; submodules end with `/`.

    `stores` contains git directories below it. For a bind mount, the repository at the other path of the
    mounted directory is asked too. Raises `GitFailure` if git cannot answer for a repository.
    """
    known = tracked_bytecode(directory, stores)
    for parts, source in find_sources(directory):
        start = "".join(f"{part}/" for part in parts)
        known.update(start + path for path in tracked_bytecode(source))
    return known
