"""Find Python files: the tracked ones, or those of given paths."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from identify import identify

from pycache_guard.fs import cursors
from pycache_guard.fs.files import walk_directory
from pycache_guard.fs.regular import open_regular
from pycache_guard.fs.vcs import VCS_DIRS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Directories without sources of the project: flake8 skips them, and those of version control whose
#: name cannot be that of a package.
SKIPPED_DIRS = frozenset(
    {".eggs", ".nox", ".tox", "CVS", "__pycache__", *(n for n in VCS_DIRS if n.startswith("."))}
)


class SourceFile(NamedTuple):
    """A file with Python source."""

    #: The displayed path: `/` between parts.
    path: str
    #: The file on disk.
    file: str
    #: The blob in the index, for a file that a sparse checkout leaves out.
    blob: str | None = None

    def read(self) -> bytes:
        """Return its content; what is not a regular file counts as missing. Raises `OSError`."""
        try:
            if self.blob is None or stat.S_ISREG(os.lstat(self.file).st_mode):
                with open_regular(self.file) as file:
                    return file.read()
        except (FileNotFoundError, NotADirectoryError):
            if self.blob is None:
                raise
        from pycache_guard.git.objects import read_blob

        assert self.blob is not None
        return read_blob(self.blob)


def tracked_sources() -> Iterator[SourceFile]:
    """Yield the Python files of the index, by extension or shebang, as they are on disk.

    Raises `Failure` where there is no work tree.
    """
    # A hook passes paths: it needs nothing of git.
    from pycache_guard.git.entries import EXECUTABLE
    from pycache_guard.git.index import Index
    from pycache_guard.git.listing import parse_entry, select_records
    from pycache_guard.git.repository import require_toplevel

    records = select_records(Index().list_entries(), bool, may_be_python)
    entries = [entry for entry in map(parse_entry, records) if entry.is_file]
    unnamed = {entry.path for entry in entries if not has_python_name(entry.path)}
    scripts = python_scripts(e.blob for e in entries if e.path in unnamed and e.mode == EXECUTABLE)
    root = require_toplevel()
    for path, entry in {e.path: e for e in entries}.items():
        if path not in unnamed or (entry.mode == EXECUTABLE and entry.blob in scripts):
            yield SourceFile(path, os.path.join(root, path), entry.blob)


def may_be_python(path: bytes) -> bool:
    """Return whether a file of this path is Python source, or may be because of its shebang."""
    name = os.fsdecode(path)
    return has_python_name(name) or not identify.tags_from_filename(name)


def has_python_name(path: str) -> bool:
    """Return whether identify recognizes the name as Python source."""
    return path.endswith(".py") or "python" in identify.tags_from_filename(path)


def python_scripts(blobs: Iterable[str]) -> set[str]:
    """Return which of the blobs name Python in their shebang."""
    from pycache_guard.git.objects import read_prefixes
    from pycache_guard.gitignore.project import SHEBANG_BYTES, is_script

    wanted = list(dict.fromkeys(blobs))
    return {blob for blob, head in read_prefixes(wanted, SHEBANG_BYTES) if is_script(head)}


def sources_at(paths: Iterable[str]) -> Iterator[SourceFile]:
    """Yield the files of `paths`: a given file with any name, and the Python files of a directory.

    A path that does not exist, or cannot be listed, is yielded too: reading it raises the error.
    """
    for path in paths:
        if os.path.isdir(path):
            yield from walk_sources(path)
        else:
            yield SourceFile(display_path(path), path)


def walk_sources(directory: str) -> Iterator[SourceFile]:
    """Yield the Python files below a directory, in order; links and junctions are not followed."""
    unreadable: list[str] = []

    def keep(path: str, _: str) -> None:
        unreadable.append(path)

    for path, entry in walk_directory(directory, should_enter, keep):
        if entry.is_file(follow_symlinks=False) and is_python_file(path):
            yield SourceFile(display_path(path), path)
    for where in unreadable:
        yield SourceFile(display_path(where), where)


def is_python_file(file: str) -> bool:
    """Return whether a file is Python source by extension or shebang; also if it cannot be read."""
    try:
        return "python" in identify.tags_from_path(file)
    except (OSError, ValueError):  # identify raises it for a missing file
        return True


def should_enter(path: str, entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a directory with sources of the project.

    Directories of version control, caches, environments, links and junctions are not.
    """
    return (
        entry.is_dir(follow_symlinks=False)
        and entry.name not in SKIPPED_DIRS
        and not entry.name.endswith(".egg")
        and not os.path.lexists(os.path.join(path, "pyvenv.cfg"))
        and not cursors.is_junction(entry.stat(follow_symlinks=False))
    )


def display_path(path: str) -> str:
    """Return a path for people, without `./`."""
    return os.path.normpath(path).replace(os.sep, "/")
