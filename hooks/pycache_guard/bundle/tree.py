"""What a bundle holds: folders with sources, caches and extension modules; a directory on disk.

Paths are as a reader has them, with `/` between their parts.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pycache_guard.bytecode.cache_names import (
    BYTECODE_SUFFIXES,
    CACHE,
    HOOK_SUFFIXES,
    PYTHON_SUFFIXES,
)
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.sniff import HEAD_BYTES
from pycache_guard.errors import Failure
from pycache_guard.fs import files, regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from pycache_guard.bytecode.magic import Magic

    class BundleTree(Protocol):
        """A bundle."""

        #: The directories that hold anything that matters, by path; empty for the top.
        folders: dict[str, Folder]
        #: What could not be read, each with its path.
        failures: list[str]
        notes: list[str]

        def head(self, path: str) -> bytes:
            """Return the first bytes of bytecode. Raises `Failure`."""

        def source(self, path: str) -> Source:
            """Return the facts about a source. Raises `Failure`."""

        def hash_sources(self, wanted: Iterable[tuple[str, Magic]]) -> None:
            """Prepare to return the hashes of these sources."""

        def digest(self, path: str) -> Callable[[bytes, Magic], bytes | None] | None:
            """Return what returns the hash of a source; None to hash what `source` reads."""

        def load(self, paths: Iterable[str]) -> set[str]:
            """Prepare to `read` these files; return those that cannot be."""

        def read(self, path: str) -> bytes:
            """Return a whole file that was loaded. Raises `Failure`."""

        def show(self, path: str) -> str:
            """Return a path for a report."""

        def locate_finding(self, path: str) -> tuple[str, str]:
            """Return the path of a finding about a file, and how its message begins."""


#: The files of native modules, on any system.
EXTENSIONS = (".so", ".pyd")
#: The names that matter.
_SUFFIXES = (*PYTHON_SUFFIXES, *HOOK_SUFFIXES, *BYTECODE_SUFFIXES, *EXTENSIONS)


class Folder:
    """One directory of a bundle: the names of its files, and of those in its `__pycache__`."""

    __slots__ = ("caches", "files")

    def __init__(self) -> None:
        #: Sources, legacy files and extension modules.
        self.files: set[str] = set()
        self.caches: set[str] = set()


def matters(directory: str, name: str) -> bool:
    """Return whether import may look at a file of this name in `directory`."""
    return name.endswith(_SUFFIXES) or directory.rpartition("/")[2] == CACHE


def add_file(folders: dict[str, Folder], directory: str, name: str) -> None:
    """Add a file to the folder that it belongs to: that of a cache is the one above `__pycache__`."""
    parent, _, last = directory.rpartition("/")
    is_cache = last == CACHE
    where = parent if is_cache else directory
    folder = folders.get(where)
    if folder is None:
        folder = folders[where] = Folder()
    (folder.caches if is_cache else folder.files).add(name)


class DiskTree:
    """A directory, as it stands. Its paths are relative to the directory."""

    def __init__(self, top: str) -> None:
        """List the directory `top`. Raises `Failure` if it cannot be listed."""
        self.folders: dict[str, Folder] = {}
        self.failures: list[str] = []
        self.notes: list[str] = []
        self.top = top
        self._before = os.path.join(top, "")
        self._list()

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file. Raises `Failure`."""
        whole = self.locate(path)
        try:
            descriptor = regular.open_regular_fd(whole)
            try:
                return os.read(descriptor, HEAD_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Failure(f"{self.show(path)}: {error.strerror}") from None

    def source(self, path: str) -> Source:
        """Return the facts about a source. Raises `OSError` if it was removed meanwhile."""
        whole = self.locate(path)
        status = os.stat(whole)
        return Source(status.st_size, status.st_mtime, lambda: files.read_file(whole))

    def hash_sources(self, wanted: Iterable[tuple[str, Magic]]) -> None:
        """Do nothing: every file can be read at any time."""

    def digest(self, path: str) -> None:
        """Return None: `source` reads the file."""

    def load(self, paths: Iterable[str]) -> set[str]:
        """Return an empty set: every file can be read at any time."""
        return set()

    def read(self, path: str) -> bytes:
        """Return a whole file. Raises `Failure`."""
        return files.read_file(self.locate(path))

    def locate(self, path: str) -> str:
        """Return where a file of the bundle is."""
        return self._before + path

    def show(self, path: str) -> str:
        """Return a path for a report: from where the reader stands."""
        shown = path if self.top == os.curdir else self._before + path
        return shown.replace(os.sep, "/")

    def locate_finding(self, path: str) -> tuple[str, str]:
        """Return the path of a finding about a file, and how its message begins."""
        return self.show(path), ""

    def _list(self) -> None:
        inside = os.path.join(os.path.realpath(self.top), "")
        walk = files.Walk([self.top], lambda path, why: self.failures.append(f"{path}: {why}"))
        begin = 0 if self.top == os.curdir else len(self._before)
        for path, is_link in walk:
            shown = path[begin:].replace(os.sep, "/")
            directory, _, name = shown.rpartition("/")
            if not matters(directory, name):
                continue
            if (
                is_link
                and not name.endswith(EXTENSIONS)
                and not os.path.realpath(path).startswith(inside)
            ):
                self.failures.append(f"{self.show(shown)}: is a link that leads out of the bundle")
                continue
            if is_link and not os.path.exists(path):  # import does not see it either
                continue
            add_file(self.folders, directory, name)
        for link in walk.unfollowed:
            where = os.path.realpath(link)
            if not os.path.join(where, "").startswith(inside) and _holds_modules(where):
                self.failures.append(f"{link}: is a link to modules that are not in the bundle")


def _holds_modules(directory: str) -> bool:
    """Return whether a directory has modules or caches in it."""
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(directory)
    return any(name == CACHE or name.endswith((".py", ".pyc")) for name in names)
