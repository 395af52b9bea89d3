"""What the repository's own HEAD has: in a bare repository, and where others push to it."""

from __future__ import annotations

from pycache_guard.git.index import Index
from pycache_guard.git.objects import content
from pycache_guard.git.repository import top

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.git.objects import Reader


class Head:
    """The tree of HEAD, which may have no commit yet, read through a process that is there anyway."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, path: str, *, thorough: bool) -> bytes | None:
        """Return the file `path`, or `None`."""
        self._reader.ask([f"HEAD:{path}"])
        (answer,) = self._reader.answers()
        return None if answer is None else content(answer[0])


def own(reader: Reader) -> Head | Index:
    """Return what has this repository's configuration: the work tree where there is one."""
    return Head(reader) if top() is None else Index()
