"""Find the file to inspect, a path or `REV:PATH` in git, and gather the facts about it."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.cache_names import (
    has_exact_case,
    parse_cache_name,
    source_candidates,
    tag_fits,
)
from pycache_guard.bytecode.freshness import (
    Source,
    check_freshness,
    run_without_header,
    would_import,
)
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.pyc import (
    code_problem,
    find_import_problem,
    header_problem,
    read_pyc,
    table_problem,
)
from pycache_guard.bytecode.stores import FoundSource
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.git.objects import read_path
from pycache_guard.git.repository import try_rev_parse
from pycache_guard.verify.check import describe_invalid_header
from pycache_guard.verify.stores import DiskStore, is_in_cache

if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.code_object import Code
    from pycache_guard.bytecode.freshness import FreshnessResult, ImportOutcome
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.bytecode.stores import FileStore


class PycFacts(NamedTuple):
    """The facts about a file."""

    path: str
    #: The revision of `REV:PATH`; None for a file on disk.
    revision: str | None
    size: int
    #: The first bytes: the magic, if the file is long enough.
    magic: bytes
    #: The parts of its name; None if it is not a bytecode name.
    name: CacheName | None
    #: Whether import runs it.
    running: ImportOutcome
    #: None if it is not well-formed; then the following fields are not known.
    header: Header | None = None
    source: FoundSource | None = None
    fitting: FreshnessResult | None = None
    #: None if the code is not well-formed or its format is unknown.
    code: Code | None = None
    #: The file names in its code objects, each once.
    filenames: tuple[str, ...] = ()

    @property
    def absolute_paths(self) -> tuple[str, ...]:
        """Absolute paths of the machine that compiled it."""
        return tuple(name for name in self.filenames if is_absolute(name))


def inspect_file(place: Place) -> tuple[PycFacts, list[Finding]]:
    """Read a file; return its facts and its problems. Raises `Failure`."""
    path, data = place.path, place.read()
    name = parse_cache_name(path)
    source = place.store.source_of(path)
    try:
        pyc = read_pyc(data, name)
    except InvalidHeader as error:
        rule, message = describe_invalid_header(data, error)
        outcome = run_without_header(name, data, error, has_source=source is not None)
        facts = PycFacts(path, place.revision, len(data), data[:4], name, outcome)
        return facts, [Finding(path, rule, message)]
    header = pyc.header
    fitting = check_freshness(header, source.source) if source is not None else None
    outcome = would_import(
        name,
        header,
        fitting,
        in_cache=is_in_cache(path),
        exact_case=has_exact_case(path),
        problem=find_import_problem(pyc),
    )
    facts = PycFacts(
        path,
        place.revision,
        len(data),
        data[:4],
        name,
        outcome,
        header,
        source,
        fitting,
        *_read_code(pyc),
    )
    return facts, problems(facts, pyc)


def _read_code(pyc: Pyc) -> tuple[Code | None, tuple[str, ...]]:
    """Return the code, if it can be read, and the file names in it."""
    try:
        code = pyc.code
    except ValueError:
        return None, ()
    return code, tuple(file_names(code))


def problems(facts: PycFacts, pyc: Pyc) -> list[Finding]:
    """Return the problems of a file that has a header."""
    flaws = [header_problem(pyc.header), code_problem(pyc) or table_problem(pyc)]
    found = [Finding(facts.path, Rule.PYC206, f"not well-formed: {flaw}") for flaw in flaws if flaw]
    if facts.name is not None and not is_tag_right(facts):
        magic = pyc.header.magic
        who = f"{magic.implementation} {magic.version}"
        words = f"its name says {facts.name.tag}, its magic number {who}"
        found.append(Finding(facts.path, Rule.PYC207, words))
    return found


def is_tag_right(facts: PycFacts) -> bool:
    """Return whether name and magic number belong to the same interpreter. True if the name has no tag."""
    name, header = facts.name, facts.header
    return name is None or header is None or not name.tag or tag_fits(name.tag, header.magic)


def is_absolute(path: str) -> bool:
    """Return whether `path` is absolute on POSIX or Windows."""
    return path.startswith(("/", "\\\\")) or (path[1:2] == ":" and path[2:3] in ("/", "\\"))


class RevisionStore:
    """The files of a commit, or of the index if the revision is empty (gitrevisions(7))."""

    def __init__(self, revision: str) -> None:
        self._revision = revision

    def read(self, path: str) -> bytes:
        """Return a whole file. Raises `Failure`."""
        data = self._read_if_there(path)
        if data is None:
            raise Failure(f"{self._revision}:{path}: is not there")
        return data

    def source_of(self, path: str) -> FoundSource | None:
        """Return the source of the bytecode at `path`. It has no modification time there."""
        for candidate in source_candidates(path):
            data = self._read_if_there(candidate)
            if data is not None:
                return FoundSource(candidate, Source(len(data), None, partial(bytes, data)))
        return None

    def _read_if_there(self, path: str) -> bytes | None:
        return read_path(f"{self._revision}:{path}")


class Place(NamedTuple):
    """The file that an argument names."""

    path: str
    #: The revision of `REV:PATH`; None for a file on disk.
    revision: str | None
    store: FileStore

    def read(self) -> bytes:
        """Return the whole file. Raises `Failure`."""
        return self.store.read(self.path)

    def source_at(self, revision: str | None) -> tuple[str | None, FoundSource | None]:
        """Return its source in a commit, or where it is itself for None, and the revision. Raises `Failure`."""
        if revision is None:
            return self.revision, self.store.source_of(self.path)
        if try_rev_parse(f"{revision}^{{tree}}") is None:
            raise Failure(f"{revision}: is not a commit or a tree")
        path = self.path
        if self.revision is None:
            # `REV:./PATH` is relative to the current directory (gitrevisions(7)).
            path = f"./{os.path.relpath(os.path.realpath(path)).replace(os.sep, '/')}"
        return revision, RevisionStore(revision).source_of(path)


def locate(argument: str) -> Place:
    """Return where the file of an argument is. A file on disk takes precedence over one in git."""
    revision, colon, path = argument.partition(":")
    if colon and not os.path.lexists(argument):
        if revision == "" and path[:2] in ("0:", "1:", "2:", "3:"):
            revision, path = f":{path[0]}", path[2:]
        return Place(path, revision, RevisionStore(revision))
    return Place(argument.replace(os.sep, "/"), None, DiskStore([]))
