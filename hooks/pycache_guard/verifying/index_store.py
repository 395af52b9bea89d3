"""Bytecode and sources as the next commit will have them."""

from __future__ import annotations

import os
import posixpath
from bisect import bisect_left
from functools import partial

from pycache_guard import survey
from pycache_guard.bytecode.cache_names import source_candidates
from pycache_guard.bytecode.fit import Source
from pycache_guard.bytecode.sniff import HEAD_LENGTH
from pycache_guard.bytecode.sniff import is_lfs_pointer
from pycache_guard.disk import LARGEST
from pycache_guard.errors import Failure
from pycache_guard.git.checkout import Checkout
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
        self._paths: list[str] = []
        self._contents: dict[str, bytes] = {}
        #: Why what is stored is not what git checks out, by path.
        self._changes: dict[str, str] = {}
        inside = index.below(tops) if tops else None
        named, files, attributes = survey.listed(index, "new", survey.Unread())
        contents = survey.examined(files, attributes, survey.Unread())
        self._held = contents.held
        if not (named or contents.held or contents.converted):
            return
        self._list(index)
        suspects = {entry.path for entry in map(parse, named)}
        disguised = {entry.path for entry in map(parse, files) if entry.blob in contents.held}
        disguised |= {entry.path for entry in map(parse, contents.converted)}
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
        sources = [other for other in candidates if other in self._entries]
        self._fetch(map(self._entries.__getitem__, sources))
        self._find_changes(attributes, sources)

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
        if not entry.is_file and entry.blob not in self._held:
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

    def change_at_checkout(self, path: str) -> str | None:
        """Return why git does not check out what it stores, `None` where it does."""
        return self._changes.get(self._resolve(path))

    def removal(self, path: str) -> str:
        """Return the command that untracks a file."""
        return untrack(path, rooted=in_subdirectory(), sparse=is_sparse())

    def _list(self, index: Index) -> None:
        for block in entries(index.listing()):
            for entry in map(parse, block.split(b"\0")[:-1]):
                if entry.path in self._entries:
                    self.failures.append(f"{entry.path}: is in conflict: resolve it first")
                self._entries[entry.path] = entry
        self._paths = sorted(self._entries)

    def _find_changes(self, attributes: Sequence[bytes], sources: Iterable[str]) -> None:
        """Find out which bytecode files and which of their sources git changes at checkout.

        How lines end under Windows matters for bytecode only: of a source it changes no code, and
        `* text=auto` does it in half of all repositories.
        """
        files = {
            path: self._entries[path]
            for path in map(self._resolve_if_tracked, [*self._named, *sources])
            if path in self._entries and self._entries[path].is_file
        }
        self._fetch(files.values())
        for path, entry in files.items():
            if is_lfs_pointer(self._contents[entry.blob]):
                self._changes[path] = "it is a Git LFS pointer: its content is not in git"
        if not attributes:
            return
        names = set(map(self._resolve_if_tracked, self._named))
        with Checkout(attributes) as checkout:
            found = {
                os.fsdecode(path): has
                for path, has in checkout.attributes([*map(os.fsencode, files)]).items()
            }
            for windows, paths in ((False, [*found]), (True, [p for p in found if p in names])):
                questions = [(files[path].blob, found[path]) for path in paths]
                contents = checkout.written(questions, LARGEST + 1, windows=windows)
                for path, written in zip(paths, contents, strict=True):
                    if found[path].filters or written != self._contents[files[path].blob]:
                        words = f"git changes it at checkout (`{found[path].shown()}`)"
                        self._changes.setdefault(path, words)

    def _resolve_if_tracked(self, path: str) -> str:
        """Return where a path leads to, the path itself where that is nowhere."""
        try:
            return self._resolve(path)
        except Failure:  # reported when it is read
            return path

    def _behind(self, path: str) -> set[str]:
        """Return the bytecode at a path: the file itself, or those of a linked cache directory."""
        entry = self._entries[path]
        if entry.mode == _LINK and posixpath.basename(path).lower() == "__pycache__":
            start = f"{self._resolve(path)}/"
            # "0" follows "/" in the order of paths.
            first, last = (bisect_left(self._paths, text) for text in (start, f"{start[:-1]}0"))
            files = [other[len(start) :] for other in self._paths[first:last]]
            return {f"{path}/{file}" for file in files if is_named(f"{path}/{file}")}
        return {path} if is_named(path) else set()

    def _resolve(self, path: str) -> str:
        """Follow symbolic links in any part of `path`, as far as they lead to entries."""
        for _ in range(_MOST_LINKS):
            parts = path.split("/")
            for n in range(1, len(parts) + 1):
                entry = self._entries.get("/".join(parts[:n]))
                # A link whose blob is bytecode leads nowhere: it is a file with `core.symlinks=false`.
                if entry is not None and entry.mode == _LINK and entry.blob not in self._held:
                    target = os.fsdecode(self._content(entry))
                    path = posixpath.normpath(posixpath.join(*parts[: n - 1], target, *parts[n:]))
                    break
            else:
                return path
        raise Failure(f"{path}: too many levels of symbolic links")

    def _fetch(self, entries: Iterable[Entry]) -> None:
        """Read the blobs of files and links, all at once."""
        paths = {entry.blob: entry.path for entry in entries if entry.mode != _SUBMODULE}
        missing = [blob for blob in paths if blob not in self._contents]
        self._contents.update(heads(missing, LARGEST + 1, paths.__getitem__))

    def _content(self, entry: Entry) -> bytes:
        self._fetch([entry])
        return self._contents[entry.blob]
