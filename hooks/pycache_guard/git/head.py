"""What the repository's own HEAD has: in a bare repository, and where others push to it."""

from __future__ import annotations

import os

from pycache_guard.errors import Failure
from pycache_guard.git.index import Index
from pycache_guard.git.objects import content
from pycache_guard.git.process import Git
from pycache_guard.git.process import git
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


def check_head(created: set[str]) -> None:
    """Raise `Failure` if one of the refs that are `created` is HEAD's, beside other branches.

    Such a HEAD has no configuration; it would get one from who is the first to push the branch. In a
    repository without branches that is what a first push does.
    """
    if not created:
        return
    process = Git("symbolic-ref", "--quiet", "HEAD")
    name = os.fsdecode(b"".join(iter(process.read, b""))[:-1])
    process.check(allowed=(0, 1))  # 1: HEAD names no branch (git-symbolic-ref(1))
    if name in created and git("for-each-ref", "--count=1", "refs/heads"):
        raise Failure(
            f"the push creates {name}, which HEAD of this repository names, beside other branches: its"
            " configuration would say what is allowed; set HEAD first, with `git symbolic-ref HEAD"
            " refs/heads/NAME` on the server, or use `--config-from REV` in the hook"
        )


def own(reader: Reader) -> Head | Index:
    """Return what has this repository's configuration: the work tree where there is one."""
    return Head(reader) if top() is None else Index()
