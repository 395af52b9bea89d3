"""Bytecode and sources on disk."""

from __future__ import annotations

import os
import stat
from functools import partial

from pycache_guard import disk
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.fit import Source
from pycache_guard.bytecode.sniff import HEAD_LENGTH
from pycache_guard.bytecode.sniff import is_bytecode
from pycache_guard.remedies import quoted
from pycache_guard.verifying.store import Found
from pycache_guard.verifying.store import is_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence


class DiskStore:
    """The files below `tops`; a top that is a file is judged whatever its name."""

    def __init__(self, tops: Sequence[str]) -> None:
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._tops = tops

    def paths(self) -> Iterator[str]:
        """Yield what is named as bytecode, and what holds some under another name.

        What this user cannot read under another name, this user's Python cannot run.
        """
        walk = disk.Walk(self._tops, self._complain, has_tracked_files)
        for path, is_link in walk:
            shown = path.replace(os.sep, "/")
            if is_named(shown) or (not is_link and self._holds_bytecode(path)):
                yield shown
            elif path in self._tops:
                self._complain(path, "is no bytecode, by name or by content")
        links = [path.replace(os.sep, "/") for path in walk.unfollowed]
        if links:
            what = (
                "1 link to a directory" if len(links) == 1 else f"{len(links)} links to directories"
            )
            more = ", …" if len(links) > 1 else ""
            self.notes.append(
                f"{what} elsewhere not followed: {links[0]}{more}; pass the path to check what is there"
            )

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file."""
        return disk.read(path, HEAD_LENGTH)

    def read(self, path: str) -> bytes:
        """Return a whole file."""
        return disk.read_whole(path)

    def source_of(self, path: str) -> Found | None:
        """Find the source; in a tree of PYTHONPYCACHEPREFIX, from the root or from here."""
        name = parse_cache_name(path)
        candidates = source_candidates(path)
        if name and name.tag and not is_in_cache(path):
            whole = os.path.abspath(path).replace(os.sep, "/")
            relative = list(source_candidates(whole))
            candidates = iter([*("/" + candidate for candidate in relative), *relative])
        for candidate in candidates:
            try:
                status = os.stat(candidate)
            except (OSError, ValueError):
                continue
            if stat.S_ISREG(status.st_mode):
                source = Source(
                    status.st_size, status.st_mtime, partial(disk.read_whole, candidate)
                )
                return Found(candidate, source)
        return None

    def change_at_checkout(self, path: str) -> None:
        """Return `None`: what is on disk is what Python reads."""

    def removal(self, path: str) -> str:
        """Return the command that removes a file."""
        return f"rm -f -- {quoted(path)}"

    def _holds_bytecode(self, path: str) -> bool:
        try:
            return is_bytecode(disk.read(path, HEAD_LENGTH))
        except disk.Unreadable:
            return False

    def _complain(self, path: str, reason: str) -> None:
        self.failures.append(f"{path}: {reason}")


def has_tracked_files(directory: str) -> bool:
    """Return whether git tracks a file in a directory, or does not answer for it."""
    from pycache_guard.git.process import Git
    from pycache_guard.git.process import GitFailure
    from pycache_guard.git.tracked import enclosed
    from pycache_guard.git.tracked import own_environment

    if not enclosed(directory):
        return False
    try:
        return bool(Git("-C", directory, "ls-files", "-z", env=own_environment()).output())
    except GitFailure:
        return True


def is_in_cache(path: str) -> bool:
    """Whether `path` is that of a file in a directory named `__pycache__`."""
    return path.rpartition("/")[0].rpartition("/")[2].lower() == "__pycache__"
