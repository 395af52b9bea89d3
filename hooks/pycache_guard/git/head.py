"""What the repository's own HEAD has: in a bare repository, and where others push to it."""

from __future__ import annotations

from pycache_guard.git.index import Index
from pycache_guard.git.objects import content
from pycache_guard.git.process import Git
from pycache_guard.git.repository import answered
from pycache_guard.git.repository import top


class Head:
    """The tree of HEAD, which may have no commit yet. What will be read is asked for at once."""

    def __init__(self, path: str = "pyproject.toml") -> None:
        self._path = path
        self._asked = Git("rev-parse", "--quiet", "--verify", f"HEAD:{path}")

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path`, or `None`."""
        assert path == self._path
        blob = answered(self._asked)
        return None if blob is None else content(blob)


def own() -> Head | Index:
    """Return what has this repository's configuration: the work tree where there is one."""
    return Head() if top() is None else Index()
