"""Check the contents that commits add, while the commits are being listed."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.bytecode.sniff import (
    ARCHIVE_HEAD_LENGTH,
    HEAD_BYTES,
    is_archive,
    is_bytecode,
    is_enough,
    is_lfs_pointer,
    may_become_bytecode,
)
from pycache_guard.git.history import changed_attributes
from pycache_guard.git.listing import (
    ATTRIBUTES,
    attributes_above,
    blob_of,
    is_attributes_file,
    names_attributes,
    path_of,
    tree_of,
)
from pycache_guard.git.objects import MAX_IN_FLIGHT, ObjectReader, find_blobs, object_directory
from pycache_guard.scan import ARCHIVE, LFS_POINTER, Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pycache_guard.git.history import AddedRecord
    from pycache_guard.git.packs import PackReader

#: Minimum number of blobs that are remembered as not being bytecode, which takes 10 MB. Older ones are
#: forgotten and may be read again, so that memory does not grow with history.
MAX_REMEMBERED_COUNT = 50_000
#: Maximum number of files that wait for an answer: a million files may be empty, which is one blob.
MAX_PENDING_COUNT = 1000
#: Maximum number of directories that are remembered.
MAX_DIRECTORY_COUNT = 500
#: Number of reading processes: one works while the answer of the other is parsed.
READER_COUNT = 2
#: The number of blobs that git is asked about before packs are read: for fewer the start costs more.
MIN_ASKED_COUNT = 1000


class ContentScanner:
    """Finds bytecode by the first bytes of files. Each blob is read once while it is remembered."""

    def __init__(self, reader: ObjectReader, unread: Unread | None = None) -> None:
        #: Size and first bytes of each blob that is bytecode.
        self.bytecode: dict[str, tuple[int, bytes]] = {}
        #: The files that could be bytecode if lines ended otherwise, and every `.gitattributes`.
        self.suspects: list[AddedRecord] = []
        self.attributes: list[AddedRecord] = []
        #: The directories of all files; None if there are too many.
        self.directories: set[bytes] | None = set()
        self._unread = unread or Unread()
        self._suspect_blobs: set[str] = set()
        #: The first missing blob, and the number of missing blobs.
        self.missing = ""
        self.missing_count = 0
        self._clean: set[str] = set()
        self._clean_old: set[str] = set()
        self._waiting: dict[str, list[AddedRecord]] = {}
        self._count = 0
        self._readers = [reader]
        self._free = [reader]
        self._asked: list[tuple[ObjectReader, dict[str, list[AddedRecord]]]] = []
        #: The number of blobs that git was asked about.
        self._asked_count = 0
        #: Reads packs, after `MIN_ASKED_COUNT` blobs.
        self._packs: PackReader | None = None

    def add(self, commit: str, record: bytes) -> Iterable[AddedRecord]:
        """Add a file of a commit; return the bytecode that was found since the last call."""
        blob = blob_of(record)
        if blob in self.bytecode:
            return [(commit, record)]
        if blob in self._suspect_blobs:
            self.suspects.append((commit, record))
        if blob in self._clean or blob in self._clean_old:
            return ()
        if self._packs and blob not in self._waiting:
            head = self._packs.read_head(blob)
            if head and is_enough(head.data, head.size):
                return self._judge(blob, head.size, head.data, [(commit, record)])
        self._waiting.setdefault(blob, []).append((commit, record))
        self._count += 1
        if len(self._waiting) < MAX_IN_FLIGHT and self._count < MAX_PENDING_COUNT:
            return ()
        return self._ask()

    def note_place(self, commit: str, record: bytes) -> None:
        """Remember the directory of a file, and the file if it is a `.gitattributes`."""
        path = path_of(record)
        if path[-13:].lower() == ATTRIBUTES[1:] and names_attributes(path):
            self.attributes.append((commit, record))
        if self.directories is not None:
            self.directories.add(path.rpartition(b"/")[0])
            if len(self.directories) > MAX_DIRECTORY_COUNT:
                self.directories = None

    def attributes_at(self, edges: Sequence[str], reader: ObjectReader) -> list[str]:
        """Return the blobs of the `.gitattributes` in some commits that may concern the files.

        The first commit is read, and each other one is compared with the commit before it: a range of
        git has had three thousand commits at its edge, and to list each tree took a minute.
        """
        if not edges:
            return []
        names: set[bytes] | None = None
        if self.directories is not None and b"\n" not in b"".join(self.directories):
            names = {name for path in self.directories for name in attributes_above(path)}
        if names is None:
            found = [blob_of(r) for r in tree_of(edges[0]) if is_attributes_file(r)]
        else:
            found = [*find_blobs(edges[0], names, reader).values()]
        found += (
            blob_of(record)
            for record in changed_attributes(edges)
            if names is None or path_of(record).lower() in names
        )
        return found

    def drain(self) -> list[AddedRecord]:
        """Wait for all answers; return the files that are bytecode."""
        found = self._ask() if self._waiting else []
        while self._asked:
            found += self._take()
        return found

    def close(self) -> None:
        """End the processes, except the reader that was passed in."""
        for reader in self._readers[1:]:
            reader.close()
        if self._packs:
            self._packs.close()

    def _judge(
        self, blob: str, size: int, head: bytes, places: list[AddedRecord]
    ) -> list[AddedRecord]:
        """Remember a blob by its first bytes; return its places if it is bytecode."""
        if is_bytecode(head[:HEAD_BYTES]):
            self.bytecode[blob] = (size, head[:HEAD_BYTES])
            return places
        self._note(blob, head, places)
        self._remember_clean(blob)
        return []

    def _remember_clean(self, blob: str) -> None:
        self._clean.add(blob)
        if len(self._clean) >= MAX_REMEMBERED_COUNT:
            self._clean_old, self._clean = self._clean, set()

    def _note(self, blob: str, head: bytes, places: list[AddedRecord]) -> None:
        """Remember a blob that may become bytecode, and count LFS pointers and archives."""
        if may_become_bytecode(head):
            self._suspect_blobs.add(blob)
            self.suspects += places
        if is_lfs_pointer(head):
            self._unread.add(LFS_POINTER, path_of(places[0][1]))
        elif is_archive(head):
            self._unread.add(ARCHIVE, path_of(places[0][1]))

    def _ask(self) -> list[AddedRecord]:
        found = []
        if not self._free and len(self._readers) < READER_COUNT:
            self._readers.append(ObjectReader(ARCHIVE_HEAD_LENGTH))
            self._free.append(self._readers[-1])
        elif not self._free:
            found = self._take()
        reader = self._free.pop()
        reader.ask([*self._waiting])
        self._asked.append((reader, self._waiting))
        self._waiting = {}
        self._count = 0
        return found

    def _take(self) -> list[AddedRecord]:
        """Return the bytecode in the oldest batch that was sent."""
        reader, waiting = self._asked.pop(0)
        self._free.append(reader)
        found = []
        for blob, answer in zip(waiting, reader.answers(), strict=True):
            if answer is not None:
                found += self._judge(blob, answer[2], answer[3], waiting[blob])
                continue
            self.missing = self.missing or f"{blob} ({os.fsdecode(path_of(waiting[blob][0][1]))})"
            self.missing_count += 1
            self._remember_clean(blob)
        self._asked_count += len(waiting)
        if self._asked_count >= MIN_ASKED_COUNT and not self._packs:
            from pycache_guard.git.packs import PackReader

            self._packs = PackReader(object_directory(), len(blob) // 2)
        return found
