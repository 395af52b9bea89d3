"""Find the files that become bytecode at checkout, by the `.gitattributes` of each commit's own tree.

Only these count: neither `info/attributes` nor the configuration of a server is cloned. What git
writes, `git.checkout` asks. Nothing is asked while no `.gitattributes` of the range, or of the commits
at its edge, has an attribute that could matter.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.sniff import may_become_bytecode
from pycache_guard.git.checkout import Checkout, kinds_of
from pycache_guard.git.history import DiffTreePool
from pycache_guard.git.listing import (
    ATTRIBUTES,
    attributes_above,
    blob_of,
    has_content,
    is_attributes_file,
    path_of,
    tree_of,
)
from pycache_guard.git.objects import MAX_IN_FLIGHT, ObjectReader, find_blobs
from pycache_guard.git.revisions import iter_commits, iter_merges

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pycache_guard.git.checkout import Becoming, Kinds
    from pycache_guard.git.history import AddedRecord
    from pycache_guard.git.revisions import Revisions
    from pycache_guard.history.contents import ContentScanner

#: In a range with more commits at its edge, or more changes of `.gitattributes`, line ends are not
#: followed into files that are older than the range: that would list a tree for each.
MAX_EDGE_COUNT = 50
MAX_CHANGE_COUNT = 50
#: Files of one set of `.gitattributes` that are asked about at once.
MAX_WAITING_COUNT = 2000
#: Paths that are looked up in commits one by one. For more, the trees are listed.
MAX_SUSPECT_PATHS = 50
EVERY_ATTRIBUTES_FILE = (":(top,glob,icase)**/.gitattributes",)


class CheckedRange(NamedTuple):
    """The commits of a range, as far as they have been read."""

    revisions: Revisions
    contents: ContentScanner
    #: The blobs of `.gitattributes` in the commits at its edge, parents that are not in the range.
    at_edges: Sequence[str]
    #: The number of these commits. If it is not 0, files may be older than the range.
    edges: int
    #: The trees that are named without a commit: a name, and its id.
    trees: Mapping[str, str]
    reader: ObjectReader


def find_converted(commits: CheckedRange) -> dict[bytes, tuple[bytes, list[str], Becoming]]:
    """Return the files that become bytecode at checkout, by object id and path.

    Each value is a record, the commits or names that add it, and what makes it bytecode. Raises
    `GitFailure` if git does not know an encoding.
    """
    contents = commits.contents
    touched = list(contents.attributes)
    kinds = kinds_of(blob_of(record) for _, record in touched if has_content(record))
    kinds = kinds.union(kinds_of(commits.at_edges))
    if not (kinds.recodes or kinds.ends_lines):
        return {}
    places = AttributedFiles(commits)
    for where, record in contents.suspects:
        places.add(where, record)
    if kinds.recodes:
        for where, record in iter_added_files(commits):
            places.add(where, record)
    may_be_older = 0 < commits.edges <= MAX_EDGE_COUNT and len(touched) <= MAX_CHANGE_COUNT
    suspects = [] if kinds.recodes else suspects_in_whole_history(commits)
    if suspects:
        places.add_where_attributes_change(suspects)
    elif kinds.recodes or may_be_older or contents.suspects:
        changing = (where for where, _ in touched)
        others = merges_with_other_attributes(commits.revisions, EVERY_ATTRIBUTES_FILE)
        for where in dict.fromkeys([*changing, *others]):
            places.add_tree(where)
    return places.found()


def suspects_in_whole_history(commits: CheckedRange) -> list[bytes]:
    """Return the records of the files that alone can become bytecode by their line ends.

    This holds if the commits are a whole history: then one of them adds each file, so every place of a
    suspect is known, and no tree has to be listed. Git's own history has one suspect, and 5500 commits
    whose `.gitattributes` differ from those of a parent. Returns nothing if there are too many paths, or
    if only a listing shows what a path is: a link, or a `.gitattributes` in another letter case.
    """
    records = [
        *dict.fromkeys(b"100644 " + r.partition(b" ")[2] for _, r in commits.contents.suspects)
    ]
    are_files = all(record.startswith(b"100") for _, record in commits.contents.suspects)
    names = {path_of(record).rpartition(b"/")[2] for _, record in commits.contents.attributes}
    # What ends a line in a question to `cat-file`: it drops a CR before an LF (`strbuf_getline`).
    is_askable = b"\n" not in b"".join(records) and not any(r.endswith(b"\r") for r in records)
    is_known = not commits.edges and are_files and names <= {ATTRIBUTES}
    return records if is_known and is_askable and len(records) <= MAX_SUSPECT_PATHS else []


def merges_with_other_attributes(revisions: Revisions, pathspecs: Iterable[str]) -> list[str]:
    """Return the merges whose `.gitattributes` at `pathspecs` differ from those of a parent.

    There a file of one parent is checked out by the attributes of another.
    """
    differs = DiffTreePool(*pathspecs)
    listing = revisions.list_merges()
    try:
        return [*dict.fromkeys(merge for merge, _ in differs.added_by(iter_merges(listing), bool))]
    finally:
        listing.kill()
        differs.close()


def iter_added_files(commits: CheckedRange) -> Iterator[AddedRecord]:
    """Yield the files that the commits add, by a second pass."""
    differs = DiffTreePool()
    listing = commits.revisions.list_entries()
    try:
        yield from (
            (where, record)
            for where, record in differs.added_by(iter_commits(listing, []), bool)
            if record.startswith(b"100")
        )
    finally:
        listing.kill()
        differs.close()


class AttributedFiles:
    """Files, each with the `.gitattributes` above it. Git is asked about many of them at once."""

    def __init__(self, commits: CheckedRange) -> None:
        self._commits = commits
        self._waiting: dict[frozenset[bytes], list[AddedRecord]] = {}
        #: Of the last commit: the blob of the `.gitattributes` at each path, None if it does not exist.
        self._last = ""
        self._known: dict[bytes, str | None] = {}
        self._suspects: dict[str, bool] = {}
        self._found: dict[bytes, tuple[bytes, list[str], Becoming]] = {}

    def add(self, where: str, record: bytes) -> None:
        """Add a file of a commit."""
        if where != self._last:
            self._last, self._known = where, {}
        names = [*attributes_above(path_of(record).rpartition(b"/")[0])]
        missing = [name for name in names if name not in self._known]
        revision = self._commits.trees.get(where, where)
        if b"\n" in b"".join(missing):
            found = {path_of(r): blob_of(r) for r in tree_of(revision) if is_attributes_file(r)}
        else:
            found = find_blobs(revision, missing, self._commits.reader)
        self._known.update({name: found.get(name) for name in missing})
        self._put(attributes_among(self._known, names), where, record)

    def add_tree(self, where: str) -> None:
        """Add all files of a commit that changes a `.gitattributes`."""
        files = []
        attributes = set()
        for record in tree_of(self._commits.trees.get(where, where)):
            if is_attributes_file(record):
                attributes.add(record)
            elif record.startswith(b"100"):
                files.append(record)
        for record in files:
            self._put(frozenset(attributes), where, b"100644 " + record.split(b" ", 2)[2])

    def add_where_attributes_change(self, records: Collection[bytes]) -> None:
        """Add files in each commit that has them and changes a `.gitattributes` above one of them.

        In other commits they are as they are in a parent.
        """
        above = {r: [*attributes_above(path_of(r).rpartition(b"/")[0])] for r in records}
        names = dict.fromkeys(name for several in above.values() for name in several)
        asked = dict.fromkeys([*map(path_of, records), *names])
        commits = self._commits
        changing = (where for where, r in commits.contents.attributes if path_of(r) in names)
        pathspecs = [f":(top,literal){os.fsdecode(name)}" for name in names]
        others = merges_with_other_attributes(commits.revisions, pathspecs)
        reader = ObjectReader(0)
        try:
            for where in dict.fromkeys([*changing, *others]):
                known = find_blobs(commits.trees.get(where, where), asked, reader)
                for record, several in above.items():
                    if known.get(path_of(record)) == blob_of(record):
                        self._put(attributes_among(known, several), where, record)
        finally:
            reader.close()

    def found(self) -> dict[bytes, tuple[bytes, list[str], Becoming]]:
        """Return those of the added files that become bytecode."""
        for attributes in [*self._waiting]:
            self._ask(attributes)
        return self._found

    def _put(self, attributes: frozenset[bytes], where: str, record: bytes) -> None:
        if attributes:
            waiting = self._waiting.setdefault(attributes, [])
            waiting.append((where, record))
            if len(waiting) >= MAX_WAITING_COUNT:
                self._ask(attributes)

    def _ask(self, attributes: frozenset[bytes]) -> None:
        waiting = self._waiting.pop(attributes)
        places: dict[bytes, list[str]] = {}
        for where, record in waiting:
            places.setdefault(record, []).append(where)
        with Checkout(attributes) as checkout:
            if checkout.kinds.recodes or checkout.kinds.ends_lines:
                suspects = self._suspects_among(places, checkout.kinds)
                becoming, _ = checkout.bytecode_among(places, suspects)
                for record, how in becoming.items():
                    key = record.partition(b" ")[2]
                    self._found.setdefault(key, (record, [], how))[1].extend(places[record])

    def _suspects_among(self, records: Iterable[bytes], kinds: Kinds) -> set[str]:
        """Return the blobs that could be bytecode if lines ended otherwise."""
        if not kinds.ends_lines:
            return set()
        blobs = {blob_of(record) for record in records}
        unknown = sorted(blobs - self._suspects.keys())
        reader = self._commits.reader
        for start in range(0, len(unknown), MAX_IN_FLIGHT):
            batch = unknown[start : start + MAX_IN_FLIGHT]
            reader.ask(batch)
            for blob, answer in zip(batch, [*reader.answers()], strict=True):
                self._suspects[blob] = answer is not None and may_become_bytecode(answer[3])
        return {blob for blob in blobs if self._suspects[blob]}


def attributes_among(blobs: Mapping[bytes, str | None], names: Iterable[bytes]) -> frozenset[bytes]:
    """Return the records of those of the `.gitattributes` at `names` that have a blob."""
    return frozenset(
        b"100644 %s\t%s" % (blob.encode("ascii"), name)
        for name in names
        if (blob := blobs.get(name))
    )
