"""A file to examine: a path, or `REV:PATH` in git."""

from __future__ import annotations

import os
from functools import partial

from pycache_guard import disk
from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.fit import Source
from pycache_guard.errors import Failure
from pycache_guard.git.objects import stored
from pycache_guard.verifying.disk_store import DiskStore
from pycache_guard.verifying.store import Found

_DISK = DiskStore([])


class OnDisk:
    """A file of the file system."""

    revision = None

    def __init__(self, path: str) -> None:
        self.path = path.replace(os.sep, "/")

    def read(self) -> bytes:
        """Return the whole file. Raises `Failure`."""
        return disk.read_whole(self.path)

    def source(self) -> Found | None:
        """Find its source."""
        return _DISK.source_of(self.path)


class InGit:
    """A file of a commit, or with nothing before the colon of the index (gitrevisions(7))."""

    def __init__(self, revision: str, path: str) -> None:
        self.revision = revision
        self.path = path

    def read(self) -> bytes:
        """Return the whole file. Raises `Failure`."""
        data = self._stored(self.path)
        if data is None:
            raise Failure(f"{self.revision}:{self.path}: is not there")
        return data

    def source(self) -> Found | None:
        """Find its source in the same commit."""
        for candidate in source_candidates(self.path):
            data = self._stored(candidate)
            if data is not None:
                return Found(candidate, Source(len(data), None, partial(bytes, data)))
        return None

    def _stored(self, path: str) -> bytes | None:
        return stored(f"{self.revision}:{path}")


def place(argument: str) -> OnDisk | InGit:
    """Tell what an argument means: what exists on disk is meant before what could be in git."""
    revision, colon, path = argument.partition(":")
    if colon and not os.path.lexists(argument):
        if revision == "" and path[:2] in ("0:", "1:", "2:", "3:"):
            revision, path = f":{path[0]}", path[2:]
        return InGit(revision, path)
    return OnDisk(argument)
