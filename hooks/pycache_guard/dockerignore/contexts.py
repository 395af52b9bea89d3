"""Find the build contexts in the index, and the ignore file of each."""

from __future__ import annotations

import os
import posixpath
from itertools import filterfalse, islice
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.dockerignore.build_files import BuildFiles, ComposeBuild, Files
from pycache_guard.dockerignore.dockerfile import Sources, has_glob, read_sources
from pycache_guard.dockerignore.names import (
    ignore_files,
    is_bake_file,
    is_compose_file,
    is_devcontainer,
    is_docker_file,
    is_dockerfile,
    is_foreign,
)
from pycache_guard.dockerignore.values import Unreadable, encode_path, require_small
from pycache_guard.errors import Failure
from pycache_guard.git.entries import LINK
from pycache_guard.git.listing import find_compose_candidates, iter_entry_blocks, parse_entry
from pycache_guard.git.objects import read_blob, read_blobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.git.entries import Entry
    from pycache_guard.git.index import Index

#: Each is compared with every path: those after them do not decide where a context is.
MAX_GLOBS = 50
#: The sources of a context whose Dockerfile is unknown.
ALL = Sources((), may_be_all=True)
#: Directories that hold Dockerfiles and their scripts, for contexts above them.
_FOR_DOCKER = frozenset(
    b".devcontainer .docker build ci container containers deploy deployment dev develop development"
    b" docker dockerfile dockerfiles local packaging prod production release staging test".split()
)


class BuildContext(NamedTuple):
    """One way to build an image. Paths are bytes, relative to the top."""

    #: `b""` is the top.
    context: bytes
    #: The ignore file that counts; if none exists, the one to write.
    ignore_file: bytes
    #: What the Dockerfile takes from the context.
    sources: Sources


class ContextFinder:
    """Finds the builds that the index defines."""

    def __init__(self, index: Index) -> None:
        #: One line for each value that is unknown.
        self.failures: list[str] = []
        #: Records by path; the last of several stages.
        self._records: dict[bytes, bytes] = {}
        #: The files that define how images are built.
        self._entries: dict[bytes, Entry] = {}
        for block in iter_entry_blocks(index.list_entries()):
            for record in block.split(b"\0")[:-1]:
                path = record.partition(b"\t")[2]
                self._records[path] = record
                if is_docker_file(path) and not is_foreign(path):
                    self._entries[path] = parse_entry(record)
        self._files = Files(self._records, self._read)
        self._sources = self._read_dockerfiles()
        self._composed = self._read_build_files()

    def all_builds(self) -> list[BuildContext]:
        """Return every build, by Dockerfiles, compose files, Bake files, and ignore files.

        The context of a Dockerfile that no other file names is where its sources are. An ignore file
        that counts in none of these builds marks a context too. Of a directory that git has nothing
        in, such as a submodule, no build is returned.
        """
        claimed = {build.dockerfile for build in self._composed}
        found = {self._build(*c) for c in self._composed if c.context in self._files.directories}
        for dockerfile in self._dockerfiles():
            if dockerfile not in claimed:
                found.add(self._build(self._context_of(dockerfile), dockerfile))
        counted = {build.ignore_file for build in found}
        for path in self._entries:
            if path.rpartition(b"/")[2] == b".dockerignore" and path not in counted:
                found.add(BuildContext(posixpath.dirname(path), path, ALL))
        return sorted(build for build in found if not build.sources.is_empty())

    def builds_in(self, contexts: Sequence[bytes]) -> list[BuildContext]:
        """Return the builds in `contexts`; everything in them counts as sent.

        Raises `Failure` for a context without tracked files.
        """
        found = set()
        for context in contexts:
            if context not in self._files.directories or not self._records:
                raise Failure(f"{os.fsdecode(context)}: git tracks no file there")
            here = {d for d in self._dockerfiles() if posixpath.dirname(d) == context}
            here |= {build.dockerfile for build in self._composed if build.context == context}
            for dockerfile in here or {b""}:
                found.add(self._build(context, dockerfile)._replace(sources=ALL))
        return sorted(found)

    def directories_with_bytecode(self) -> set[bytes]:
        """Return the directories whose modules have bytecode that is tracked."""
        listed = b"\0".join(self._records)
        if not may_contain_bytecode(listed):
            return set()
        found = {posixpath.dirname(path) for path in self._records if is_bytecode_path(path)}
        return {
            posixpath.dirname(d) if posixpath.basename(d) == b"__pycache__" else d for d in found
        }

    def content(self, ignore_file: bytes) -> bytes | None:
        """Return the content of an ignore file in the index, `None` if it is not tracked. Links are followed.

        Raises `Failure` for a link that does not lead to a tracked file, and for a file that is too large.
        """
        found = self._read(ignore_file)
        try:
            require_small(found or b"")
        except Unreadable as why:
            raise Failure(f"{os.fsdecode(ignore_file)}:{why.line}: {why}") from None
        if found is not None or ignore_file not in self._records:
            return found
        raise Failure(f"{os.fsdecode(ignore_file)}: does not lead to a tracked ignore file")

    def _read(self, path: bytes) -> bytes | None:
        """Return the content of a file, links followed; None for one that git does not track."""
        for _ in range(40):  # as many links as Linux follows (path_resolution(7))
            record = self._records.get(path)
            if record is None:
                return None
            entry = parse_entry(record)
            if entry.mode != LINK:
                return read_blob(entry.blob) if entry.is_file else None
            target = read_blob(entry.blob)
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        return None

    def _dockerfiles(self) -> list[bytes]:
        return [path for path in self._entries if is_dockerfile(path)]

    def _read_dockerfiles(self) -> dict[bytes, Sources]:
        """Return what each Dockerfile takes from its context; a link counts as unknown."""
        blobs = {p: self._entries[p].blob for p in self._dockerfiles() if self._entries[p].is_file}
        read = read_blobs(blobs.values())
        return {path: self._read_sources(path, read[blob]) for path, blob in blobs.items()}

    def _read_sources(self, dockerfile: bytes, content: bytes) -> Sources:
        """Return the sources of a Dockerfile; all, and a failure, if it cannot be read."""
        try:
            return read_sources(content)
        except Unreadable as why:
            self.failures.append(f"{os.fsdecode(dockerfile)}:{why.line}: {why}")
            return ALL

    def _read_build_files(self) -> list[ComposeBuild]:
        """Return the builds that compose, Bake and devcontainer files name."""
        builds = BuildFiles(self._files, self.failures)
        by_name = [path for path in self._entries if is_compose_file(path)]
        by_content = [
            p for p in find_compose_candidates() if p not in by_name and not is_foreign(p)
        ]
        builds.read_devcontainers(filter(is_devcontainer, self._entries))
        builds.read_compose_files([*by_name, *by_content])
        builds.read_bake_files([*filter(is_bake_file, self._entries)])
        return builds.found

    def _build(
        self, context: bytes, dockerfile: bytes, inline: bytes | None = None
    ) -> BuildContext:
        names = ignore_files(context, dockerfile)
        there = [name for name in names if name in self._records]
        taken = read_sources(inline) if inline is not None else self._taken(dockerfile)
        return BuildContext(context, (there or names[-1:])[0], taken)

    def _taken(self, dockerfile: bytes) -> Sources:
        """Return the sources of a Dockerfile; all if it is unknown."""
        if dockerfile and dockerfile not in self._sources and dockerfile in self._records:
            found = self._read(dockerfile)
            self._sources[dockerfile] = (
                ALL if found is None else self._read_sources(dockerfile, found)
            )
        return self._sources.get(dockerfile, ALL)

    def _context_of(self, dockerfile: bytes) -> bytes:
        """Return the context of a Dockerfile that no other file names.

        It is the nearest directory, from the Dockerfile's own upwards, in which most of its sources
        are. If no source decides, it is the Dockerfile's own, or the nearest above it that has an
        ignore file or is not a directory for Docker files.
        """
        own = posixpath.dirname(dockerfile)
        candidates = [own]
        while candidates[-1]:
            candidates.append(posixpath.dirname(candidates[-1]))
        taken = self._sources.get(dockerfile, ALL)
        concrete = taken.concrete()
        concrete = [
            *filterfalse(has_glob, concrete),
            *islice(filter(has_glob, concrete), MAX_GLOBS),
        ]
        if concrete:
            counts = [
                sum(self._has_source(place, path) for path in concrete) for place in candidates
            ]
            if max(counts):
                return candidates[counts.index(max(counts))]
        if taken.may_be_all:
            return own
        return next(place for place in candidates if self._may_be_context(place))

    def _may_be_context(self, directory: bytes) -> bool:
        """Return whether a directory has an ignore file, or is not a directory for Docker files."""
        has_ignore_file = any(name in self._records for name in ignore_files(directory, b""))
        return has_ignore_file or directory.rpartition(b"/")[2].lower() not in _FOR_DOCKER

    def _has_source(self, context: bytes, path: str) -> bool:
        """Return whether a source is in a context."""
        start = context + b"/" if context else b""
        if not has_glob(path):
            whole = start + encode_path(path)
            return whole in self._files.paths or whole in self._files.directories
        pattern = Sources((path,), may_be_all=False)
        return any(
            pattern.covers(os.fsdecode(p[len(start) :]))
            for p in self._files.paths
            if p.startswith(start)
        )
