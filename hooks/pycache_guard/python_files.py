"""Which Python files are meant: the tracked ones, or those of the paths that are named."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from identify import identify

from pycache_guard.git.index import Index
from pycache_guard.git.listing import matching
from pycache_guard.git.listing import parse
from pycache_guard.git.objects import content
from pycache_guard.git.objects import heads
from pycache_guard.git.repository import work_tree
from pycache_guard.ignoring.modules import SHEBANG
from pycache_guard.ignoring.modules import is_script
from pycache_guard.regular import opened
from pycache_guard.worktree import paths as junctions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

#: Directories that hold no sources of one's own: flake8's list.
SKIPPED = frozenset({".bzr", ".eggs", ".git", ".hg", ".nox", ".svn", ".tox", "CVS", "__pycache__"})


class Source(NamedTuple):
    """A file with Python source."""

    #: For people: `/` between parts.
    path: str
    #: The file on disk.
    file: str
    #: What the index has, where the file may be missing: a sparse checkout.
    blob: str | None = None

    def read(self) -> bytes:
        """Return its content; what is no regular file counts as missing. Raises `OSError`."""
        try:
            if self.blob is None or stat.S_ISREG(os.lstat(self.file).st_mode):
                with opened(self.file) as file:
                    return file.read()
        except (FileNotFoundError, NotADirectoryError):
            if self.blob is None:
                raise
        assert self.blob is not None
        return content(self.blob)


def tracked() -> Iterator[Source]:
    """Yield the Python files of the index, by extension or shebang, as they are on disk.

    Raises `Failure` where there is no work tree.
    """
    records = matching(Index().listing(), bool, may_be_python)
    entries = [entry for entry in map(parse, records) if entry.is_file]
    unnamed = {entry.path for entry in entries if not has_python_name(entry.path)}
    scripts = python_scripts(e.blob for e in entries if e.path in unnamed and e.mode == "100755")
    root = work_tree()
    for path, entry in {e.path: e for e in entries}.items():
        if path not in unnamed or (entry.mode == "100755" and entry.blob in scripts):
            yield Source(path, os.path.join(root, path), entry.blob)


def may_be_python(path: bytes) -> bool:
    """Whether a file of this path is Python's, or may be by its shebang."""
    name = os.fsdecode(path)
    return has_python_name(name) or not identify.tags_from_filename(name)


def has_python_name(path: str) -> bool:
    """Whether identify knows the name as Python's."""
    return path.endswith(".py") or "python" in identify.tags_from_filename(path)


def python_scripts(blobs: Iterable[str]) -> set[str]:
    """Return which of the blobs name Python in their shebang."""
    wanted = list(dict.fromkeys(blobs))
    return {blob for blob, head in heads(wanted, SHEBANG) if is_script(head)}


def named(paths: Iterable[str]) -> Iterator[Source]:
    """Yield the files of `paths`: a file whatever its name, of a directory what is Python's.

    A path that does not exist, or cannot be listed, is yielded too: reading it says why.
    """
    for path in paths:
        if os.path.isdir(path):
            yield from below(path)
        else:
            yield Source(shown(path), path)


def below(directory: str) -> Iterator[Source]:
    """Yield the Python files below a directory, in order; links and junctions are not followed."""
    unreadable = []
    pending = [directory]
    while pending:  # `os.walk` calls itself for each level, before Python 3.12
        where = pending.pop()
        try:
            with os.scandir(where) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            unreadable.append(where)
            continue
        for entry in listed:
            if entry.is_file(follow_symlinks=False) and holds_python(entry.path):
                yield Source(shown(entry.path), entry.path)
        pending += [
            entry.path
            for entry in reversed(listed)
            if entry.is_dir(follow_symlinks=False)
            and is_own(where, entry.name)
            and not junctions.leads_away(entry.stat(follow_symlinks=False))
        ]
    for where in unreadable:
        yield Source(shown(where), where)


def holds_python(file: str) -> bool:
    """Whether a file is Python's by extension or shebang; what cannot be read says why when it is."""
    try:
        return "python" in identify.tags_from_path(file)
    except (OSError, ValueError):  # identify's word for a file that is gone
        return True


def is_own(where: str, name: str) -> bool:
    """Whether a directory is looked into: not a version control's, a cache, or an environment."""
    marker = os.path.join(where, name, "pyvenv.cfg")
    return name not in SKIPPED and not name.endswith(".egg") and not os.path.lexists(marker)


def shown(path: str) -> str:
    """Return a path for people, without `./`."""
    return os.path.normpath(path).replace(os.sep, "/")
