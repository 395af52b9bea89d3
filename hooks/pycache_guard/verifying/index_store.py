"""Bytecode and sources as the next commit will have them."""

from __future__ import annotations

import os
import posixpath
from functools import partial

from pycache_guard import survey
from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.fit import Source
from pycache_guard.bytecode.sniff import HEAD_LENGTH
from pycache_guard.disk import LARGEST
from pycache_guard.errors import Failure
from pycache_guard.git.listing import entries
from pycache_guard.git.listing import parse
from pycache_guard.git.objects import heads
from pycache_guard.git.repository import in_subdirectory
from pycache_guard.git.repository import is_sparse
from pycache_guard.remedies import untrack
from pycache_guard.verifying.store import Found
from pycache_guard.verifying.store import is_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from pycache_guard.entries import Entry
    from pycache_guard.git.index import Index

#: So many links may lead on to each other (Linux: MAXSYMLINKS).
_MOST_LINKS = 40
_LINK = "120000"
_SUBMODULE = "160000"


class IndexStore:
    """The entries of an index: bytecode by name, and by content where the content is new."""

    def __init__(self, index: Index, tops: Sequence[str] = ()) -> None:
        """Look for bytecode; nothing more is read where there is none."""
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._named: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._contents: dict[str, bytes] = {}
        inside = index.below(tops) if tops else None
        named, files = survey.listed(index, "new")
        held = survey.bytecode_blobs(entry.blob for entry in map(parse, files))
        if not (named or held):
            return
        self._list(index)
        suspects = {entry.path for entry in map(parse, named)}
        disguised = {entry.path for entry in map(parse, files) if entry.blob in held}
        if inside is not None:
            suspects &= inside
            disguised &= inside
        if not suspects | disguised <= self._entries.keys():
            raise Failure("the index has changed while it was read")
        self._fetch(map(self._entries.__getitem__, (*suspects, *disguised)))
        self._named |= disguised
        for path in suspects:
            self._named |= self._behind(path)
        candidates = [other for path in self._named for other in source_candidates(path)]
        self._fetch(self._entries[other] for other in candidates if other in self._entries)

    def paths(self) -> Iterator[str]:
        """Yield what is named as bytecode, and what is new and holds some under another name."""
        yield from sorted(self._named)

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file."""
        return self.read(path)[:HEAD_LENGTH]

    def read(self, path: str) -> bytes:
        """Return a whole file, whatever links lead there."""
        entry = self._entries.get(self._resolve(path))
        if entry is None:
            raise Failure(f"{path}: the symbolic link leads to nothing that is tracked")
        if not entry.is_file:
            raise Failure(f"{path}: is no file in the index")
        data = self._content(entry)
        if len(data) > LARGEST:
            raise Failure(f"{path}: is larger than {LARGEST >> 20} MiB")
        return data

    def source_of(self, path: str) -> Found | None:
        """Find the source among the entries; it has no time there."""
        for candidate in source_candidates(path):
            if candidate in self._entries:
                size = len(self.read(candidate))
                return Found(candidate, Source(size, None, partial(self.read, candidate)))
        return None

    def removal(self, path: str) -> str:
        """Return the command that untracks a file."""
        return untrack(path, rooted=in_subdirectory(), sparse=is_sparse())

    def _list(self, index: Index) -> None:
        for block in entries(index.listing()):
            for entry in map(parse, block.split(b"\0")[:-1]):
                if entry.path in self._entries:
                    self.failures.append(f"{entry.path}: is in conflict: resolve it first")
                self._entries[entry.path] = entry

    def _behind(self, path: str) -> set[str]:
        """Return the bytecode at a path: the file itself, or those of a linked cache directory."""
        entry = self._entries[path]
        if entry.mode == _LINK and posixpath.basename(path).lower() == "__pycache__":
            start = f"{self._resolve(path)}/"
            files = [other[len(start) :] for other in self._entries if other.startswith(start)]
            return {f"{path}/{file}" for file in files if is_named(f"{path}/{file}")}
        return {path} if is_named(path) else set()

    def _resolve(self, path: str) -> str:
        """Follow symbolic links in any part of `path`, as far as they lead to entries."""
        for _ in range(_MOST_LINKS):
            parts = path.split("/")
            for n in range(1, len(parts) + 1):
                entry = self._entries.get("/".join(parts[:n]))
                if entry is not None and entry.mode == _LINK:
                    target = os.fsdecode(self._content(entry))
                    path = posixpath.normpath(posixpath.join(*parts[: n - 1], target, *parts[n:]))
                    break
            else:
                return path
        raise Failure(f"{path}: too many levels of symbolic links")

    def _fetch(self, entries: Iterable[Entry]) -> None:
        """Read the blobs of files and links, all at once."""
        blobs = dict.fromkeys(entry.blob for entry in entries if entry.mode != _SUBMODULE)
        missing = [blob for blob in blobs if blob not in self._contents]
        self._contents.update(heads(missing, LARGEST + 1))

    def _content(self, entry: Entry) -> bytes:
        self._fetch([entry])
        return self._contents[entry.blob]
