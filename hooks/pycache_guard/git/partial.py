"""Partial clones: see what is there, fetch nothing."""

from __future__ import annotations

import os

from pycache_guard.git.process import Git
from pycache_guard.git.process import environment
from pycache_guard.git.process import git
from pycache_guard.git.temporary import Directory

#: What says which repository is meant.
ELSEWHERE = ("GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_WORK_TREE")


def is_partial() -> bool:
    """Whether objects may be missing here, to be fetched when asked for (partial-clone.txt)."""
    pattern = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
    process = Git("config", "--get-regexp", pattern)
    for _ in iter(process.read, b""):
        pass
    return process.check(allowed=(0, 1)) == 0


class Bare:
    """A repository without configuration and refs that has this one's objects.

    Git fetches a missing object, or, where that is forbidden, ends; here it says that it is missing.
    """

    def __init__(self) -> None:
        objects = os.path.abspath(os.fsdecode(git("rev-parse", "--git-path", "objects")[:-1]))
        kind = git("rev-parse", "--show-object-format").decode("ascii").strip()
        self._directory = Directory()
        path = self._directory.path
        # The least that git takes for a repository: gitrepository-layout(5).
        for name in ("objects", "refs"):
            os.mkdir(os.path.join(path, name))
        config = "[core]\nbare = true\nrepositoryFormatVersion = "
        # Before git 2.28 there is one format, and the extension is not known.
        config += "0\n" if kind == "sha1" else f"1\n[extensions]\nobjectFormat = {kind}\n"
        for name, text in (("HEAD", "ref: refs/heads/main\n"), ("config", config)):
            with open(os.path.join(path, name), "x", encoding="ascii") as file:
                file.write(text)
        kept = {name: text for name, text in environment().items() if name not in ELSEWHERE}
        self.environment = {**kept, "GIT_DIR": path, "GIT_OBJECT_DIRECTORY": objects}

    def close(self) -> None:
        """Remove it."""
        self._directory.remove()
