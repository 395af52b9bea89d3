"""Bytecode and sources: on disk, and in the index."""

from __future__ import annotations

import os
import posixpath
import stat
from bisect import bisect_left
from functools import partial
from typing import TYPE_CHECKING

from pycache_guard import scan
from pycache_guard.bytecode.cache_names import parse_cache_name, source_candidates
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.sniff import HEAD_BYTES, is_bytecode, is_lfs_pointer
from pycache_guard.bytecode.stores import BytecodeStore, FoundSource
from pycache_guard.errors import Failure
from pycache_guard.fs import files
from pycache_guard.fs.files import MAX_FILE_BYTES
from pycache_guard.git.checkout import Checkout
from pycache_guard.git.entries import LINK, SUBMODULE
from pycache_guard.git.listing import iter_entry_blocks, parse_entry
from pycache_guard.git.objects import read_prefixes
from pycache_guard.git.repository import cwd_is_below_toplevel, is_sparse
from pycache_guard.remedies import shell_quote, untrack_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pycache_guard.git.entries import Entry
    from pycache_guard.git.index import Index


class DiskStore(BytecodeStore):
    """The files below `tops`. If a top is a file, it is checked with any name."""

    def __init__(self, tops: Sequence[str]) -> None:
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._tops = tops

    def paths(self) -> Iterator[str]:
        """Yield files with bytecode names, and files that contain bytecode under another name.

        An unreadable file under another name is skipped: the Python of this user cannot run it either.
        """
        walk = files.Walk(self._tops, self._report_unreadable, has_tracked_files)
        for path, is_link in walk:
            shown = path.replace(os.sep, "/")
            if is_cache_path(shown) or (not is_link and self._holds_bytecode(path)):
                yield shown
            elif path in self._tops:
                self._report_unreadable(path, "is not bytecode, by name or by content")
        links = [path.replace(os.sep, "/") for path in walk.unfollowed]
        if links:
            count = "1 link" if len(links) == 1 else f"{len(links):,} links"
            more = ", …" if len(links) > 1 else ""
            verb = "leads" if len(links) == 1 else "lead"
            self.notes.append(
                f"{count} ({links[0]}{more}) {verb} to a directory elsewhere and"
                f" {'was' if len(links) == 1 else 'were'} not followed; pass the path to check it."
            )

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file."""
        return files.read_limited(path, HEAD_BYTES)

    def read(self, path: str) -> bytes:
        """Return a whole file."""
        return files.read_file(path)

    def source_of(self, path: str) -> FoundSource | None:
        """Return the source of a file; in a tree of PYTHONPYCACHEPREFIX, relative to the root or to here."""
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
                    status.st_size, status.st_mtime, partial(files.read_file, candidate)
                )
                return FoundSource(candidate, source)
        return None

    def remove_command(self, path: str) -> str:
        """Return the command that removes a file."""
        return f"rm -f -- {shell_quote(path)}"

    def _holds_bytecode(self, path: str) -> bool:
        try:
            return is_bytecode(files.read_limited(path, HEAD_BYTES))
        except files.UnreadableFile:
            return False

    def _report_unreadable(self, path: str, reason: str) -> None:
        self.failures.append(f"{path}: {reason}")


def has_tracked_files(directory: str) -> bool:
    """Return whether git tracks a file in a directory. Returns True if git fails."""
    from pycache_guard.git.process import Git, GitFailure
    from pycache_guard.git.tracked import environment_without_repository, is_in_work_tree

    if not is_in_work_tree(directory):
        return False
    try:
        return bool(
            Git("-C", directory, "ls-files", "-z", env=environment_without_repository()).output()
        )
    except GitFailure:
        return True


def is_in_cache(path: str) -> bool:
    """Return whether `path` is a file in a directory named `__pycache__`."""
    return path.rpartition("/")[0].rpartition("/")[2].lower() == "__pycache__"


#: The length of a chain of links (Linux: MAXSYMLINKS).
_MAX_LINK_COUNT = 40


class IndexStore(BytecodeStore):
    """The entries of an index: bytecode by name, and by content if the content is new."""

    def __init__(self, index: Index, tops: Sequence[str] = ()) -> None:
        """Find bytecode. Reads nothing else if there is none."""
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._named: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._paths: list[str] = []
        self._contents: dict[str, bytes] = {}
        #: By path, why git checks out other bytes than it stores.
        self._changes: dict[str, str] = {}
        inside = index.entries_below(tops) if tops else None
        named, files, attributes = scan.records_to_check(index, "new", scan.Unread())
        contents = scan.examine_contents(files, attributes, scan.Unread())
        self._held = contents.held
        if not (named or contents.held or contents.converted):
            return
        self._list(index)
        suspects = {entry.path for entry in map(parse_entry, named)}
        disguised = {entry.path for entry in map(parse_entry, files) if entry.blob in contents.held}
        disguised |= {entry.path for entry in map(parse_entry, contents.converted)}
        if inside is not None:
            suspects &= inside
            disguised &= inside
        if not suspects | disguised <= self._entries.keys():
            raise Failure("the index changed while it was read")
        self._preload(map(self._entries.__getitem__, (*suspects, *disguised)))
        self._named |= disguised
        for path in suspects:
            self._named |= self._paths_through_link(path)
        candidates = [other for path in self._named for other in source_candidates(path)]
        sources = [other for other in candidates if other in self._entries]
        self._preload(map(self._entries.__getitem__, sources))
        self._find_changes(attributes, sources)

    def paths(self) -> Iterator[str]:
        """Yield files with bytecode names, and new files that contain bytecode under another name."""
        yield from sorted(self._named)

    def read(self, path: str) -> bytes:
        """Return a whole file. Follows links."""
        entry = self._entries.get(self._resolve(path))
        if entry is None:
            raise Failure(f"{path}: the target of the symbolic link is not tracked")
        if not entry.is_file and entry.blob not in self._held:
            raise Failure(f"{path}: is not a file in the index")
        data = self._content(entry)
        if len(data) > MAX_FILE_BYTES:
            raise Failure(f"{path}: is larger than {MAX_FILE_BYTES >> 20} MiB")
        return data

    def source_of(self, path: str) -> FoundSource | None:
        """Return the source among the entries. It has no modification time there."""
        for candidate in source_candidates(path):
            if candidate in self._entries:
                size = len(self.read(candidate))
                return FoundSource(candidate, Source(size, None, partial(self.read, candidate)))
        return None

    def change_at_checkout(self, path: str) -> str | None:
        """Return why git does not check out what it stores, None if it does."""
        return self._changes.get(self._resolve(path))

    def remove_command(self, path: str) -> str:
        """Return the command that untracks a file, or the link that leads to it."""
        while path not in self._entries:
            path = os.path.dirname(path)
        return untrack_command(path, rooted=cwd_is_below_toplevel(), sparse=is_sparse())

    def _list(self, index: Index) -> None:
        for block in iter_entry_blocks(index.list_entries()):
            for entry in map(parse_entry, block.split(b"\0")[:-1]):
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
        self._preload(files.values())
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
                contents = checkout.read_as_written(questions, MAX_FILE_BYTES + 1, windows=windows)
                for path, written in zip(paths, contents, strict=True):
                    if found[path].filters or written != self._contents[files[path].blob]:
                        words = f"git changes it at checkout (`{found[path].describe()}`)"
                        self._changes.setdefault(path, words)

    def _resolve_if_tracked(self, path: str) -> str:
        """Return the target of a path, or the path itself if it cannot be resolved."""
        try:
            return self._resolve(path)
        except Failure:  # reported when it is read
            return path

    def _paths_through_link(self, path: str) -> set[str]:
        """Return the bytecode at a path: the file itself, or those of a linked cache directory."""
        entry = self._entries[path]
        if entry.mode == LINK and posixpath.basename(path).lower() == "__pycache__":
            start = f"{self._resolve(path)}/"
            # "0" follows "/" in the order of paths.
            first, last = (bisect_left(self._paths, text) for text in (start, f"{start[:-1]}0"))
            files = [other[len(start) :] for other in self._paths[first:last]]
            return {f"{path}/{file}" for file in files if is_cache_path(f"{path}/{file}")}
        return {path} if is_cache_path(path) else set()

    def _resolve(self, path: str) -> str:
        """Follow symbolic links in any part of `path` if they are entries."""
        for _ in range(_MAX_LINK_COUNT):
            parts = path.split("/")
            for n in range(1, len(parts) + 1):
                entry = self._entries.get("/".join(parts[:n]))
                # A link whose blob is bytecode leads nowhere: it is a file with `core.symlinks=false`.
                if entry is not None and entry.mode == LINK and entry.blob not in self._held:
                    target = os.fsdecode(self._content(entry))
                    path = posixpath.normpath(posixpath.join(*parts[: n - 1], target, *parts[n:]))
                    break
            else:
                return path
        raise Failure(f"{path}: too many levels of symbolic links")

    def _preload(self, entries: Iterable[Entry]) -> None:
        """Read the blobs of files and links, all at once."""
        paths = {entry.blob: entry.path for entry in entries if entry.mode != SUBMODULE}
        missing = [blob for blob in paths if blob not in self._contents]
        self._contents.update(read_prefixes(missing, MAX_FILE_BYTES + 1, paths.__getitem__))

    def _content(self, entry: Entry) -> bytes:
        self._preload([entry])
        return self._contents[entry.blob]


def is_cache_path(path: str) -> bool:
    """Return whether an interpreter, or numba, loads code from such a path."""
    return parse_cache_name(path) is not None or is_pickle(path)


def is_pickle(path: str) -> bool:
    """Return whether `path` is a numba cache: `NAME.nbi` or `NAME.nbc` in a `__pycache__`."""
    directory, _, name = path.rpartition("/")
    in_cache = directory.rpartition("/")[2].lower() == "__pycache__"
    return in_cache and name.lower().endswith((".nbi", ".nbc"))
