"""The file to inspect: a path, or `REV:PATH` in git."""

from __future__ import annotations

import os
from functools import partial

from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.freshness import Source
from pycache_guard.errors import Failure
from pycache_guard.fs import files
from pycache_guard.git.objects import read_path
from pycache_guard.verify.stores import DiskStore
from pycache_guard.verify.stores import FoundSource

_DISK = DiskStore([])


class DiskFile:
    """A file of the file system."""

    revision = None

    def __init__(self, path: str) -> None:
        self.path = path.replace(os.sep, "/")

    def read(self) -> bytes:
        """Return the whole file. Raises `Failure`."""
        return files.read_file(self.path)

    def source(self) -> FoundSource | None:
        """Return its source."""
        return _DISK.source_of(self.path)


class GitFile:
    """A file of a commit, or of the index if nothing precedes the colon (gitrevisions(7))."""

    def __init__(self, revision: str, path: str) -> None:
        self.revision = revision
        self.path = path

    def read(self) -> bytes:
        """Return the whole file. Raises `Failure`."""
        data = self._stored(self.path)
        if data is None:
            raise Failure(f"{self.revision}:{self.path}: is not there")
        return data

    def source(self) -> FoundSource | None:
        """Return its source in the same commit."""
        for candidate in source_candidates(self.path):
            data = self._stored(candidate)
            if data is not None:
                return FoundSource(candidate, Source(len(data), None, partial(bytes, data)))
        return None

    def _stored(self, path: str) -> bytes | None:
        return read_path(f"{self.revision}:{path}")


def locate(argument: str) -> DiskFile | GitFile:
    """Return the file of an argument. A file on disk takes precedence over one in git."""
    revision, colon, path = argument.partition(":")
    if colon and not os.path.lexists(argument):
        if revision == "" and path[:2] in ("0:", "1:", "2:", "3:"):
            revision, path = f":{path[0]}", path[2:]
        return GitFile(revision, path)
    return DiskFile(argument)
