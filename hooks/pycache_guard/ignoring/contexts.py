"""Which build contexts the index has, and which ignore file counts in each."""

from __future__ import annotations

import os
import posixpath
import re
from typing import NamedTuple

from pycache_guard.containers.names import ignore_files
from pycache_guard.containers.names import is_compose_file
from pycache_guard.containers.names import is_dockerfile
from pycache_guard.containers.names import is_one
from pycache_guard.containers.names import may_name_one
from pycache_guard.errors import Failure
from pycache_guard.git.listing import matching
from pycache_guard.git.listing import parse
from pycache_guard.git.objects import content
from pycache_guard.ignoring.composed import composed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.git.index import Index

#: What git's globs take for more than a character.
_GLOB = re.compile(r"([*?\[\\])")

_LINK = "120000"


class Build(NamedTuple):
    """One way to build an image. Paths are git's bytes, from the top."""

    #: `b""` is the top.
    context: bytes
    #: The one that counts; where there is none yet, the one to write.
    ignore_file: bytes


class Contexts:
    """What the index says of builds."""

    def __init__(self, index: Index) -> None:
        #: What could not be known, each in a line.
        self.failures: list[str] = []
        self._index = index
        records = map(parse, matching(index.listing(), may_name_one, is_one))
        self._entries = {os.fsencode(entry.path): entry for entry in records}
        self._composed = composed(filter(is_compose_file, self._entries), self.failures)

    def everywhere(self) -> list[Build]:
        """Return every build, by Dockerfiles and compose files.

        The context of a Dockerfile is its directory, unless a compose file says otherwise. Of a
        directory that git has nothing in, a submodule for instance, nothing can be said.
        """
        claimed = {dockerfile for _, dockerfile in self._composed}
        pairs = [(c, d) for c, d in self._composed if self._has_files(c)]
        pairs += [(posixpath.dirname(d), d) for d in self._dockerfiles() if d not in claimed]
        return sorted({self._build(*pair) for pair in pairs})

    def named(self, contexts: Sequence[bytes]) -> list[Build]:
        """Return the builds in `contexts`. Raises `Failure` for one that git has nothing in."""
        found = set()
        for context in contexts:
            if not self._has_files(context):
                raise Failure(f"{os.fsdecode(context)}: git tracks nothing there")
            here = {d for d in self._dockerfiles() if posixpath.dirname(d) == context}
            here |= {d for c, d in self._composed if c == context}
            found |= {self._build(context, dockerfile) for dockerfile in here or {b""}}
        return sorted(found)

    def content(self, ignore_file: bytes) -> bytes | None:
        """Return what the index has of an ignore file, `None` for nothing. Links are followed.

        Raises `Failure` for one that leads to no such file.
        """
        path = ignore_file
        for _ in self._entries:
            entry = self._entries.get(path)
            if entry is None or entry.mode != _LINK:
                break
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), content(entry.blob)))
        entry = self._entries.get(path)
        if entry is not None and entry.is_file:
            return content(entry.blob)
        if ignore_file not in self._entries:
            return None
        raise Failure(f"{os.fsdecode(ignore_file)}: leads to no ignore file that git tracks")

    def _dockerfiles(self) -> list[bytes]:
        return [path for path in self._entries if is_dockerfile(path)]

    def _build(self, context: bytes, dockerfile: bytes) -> Build:
        names = ignore_files(context, dockerfile)
        there = [name for name in names if name in self._entries]
        return Build(context, (there or names[-1:])[0])

    def _has_files(self, context: bytes) -> bool:
        glob = _GLOB.sub(r"\\\1", os.fsdecode(context))
        return not context or bool(self._index.granted(f"{glob}/**"))
