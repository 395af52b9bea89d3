"""Count the entries that a comparison of commits visits, by distinct trees.

A tree can contain the same tree many times: 16 small objects can have a million paths, and three more
a thousand million. `git diff-tree` and `git ls-tree` visit every path. This module reads each distinct
pair of trees once, so it knows the count long before they would end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.errors import Failure
from pycache_guard.git.objects import MAX_IN_FLIGHT, ObjectReader
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    #: A tree, if there is one, and the trees of the parents that it is compared with, by id.
    Comparison = tuple[str | None, tuple[str, ...]]
    #: Mode and id, by name.
    Entries = dict[bytes, tuple[bytes, str]]

#: Entries of one commit at most: git takes 0.3 KB of memory and 7 µs for each.
MAX_ENTRIES = 5_000_000
#: Beyond this number the distinct entries count too; below it, a commit takes some seconds.
MIN_REPEATED_ENTRIES = 500_000
#: Maximum ratio of entries to distinct entries. Healthy trees repeat few of their directories.
MAX_REPETITION = 100
#: Entries that a run compares beyond the distinct ones, in the batches that took long.
MAX_REPEATED_ENTRIES = 20_000_000
#: Distinct entries that are read for one commit or for one batch of commits.
MAX_DISTINCT_ENTRIES = 10_000_000
#: Bytes of a commit that are read: its tree and some 20,000 parents.
COMMIT_BYTES = 1 << 20
DIRECTORY = b"40000"


class EntryCounter:
    """Counts the entries of comparisons; each distinct comparison once."""

    def __init__(self) -> None:
        #: Distinct entries that were read for the present check.
        self.distinct = 0
        self._repeated = 0
        self._commits = ObjectReader(COMMIT_BYTES)
        self._trees = ObjectReader(1 << 62)
        self._counts: dict[Comparison, int] = {}

    def close(self) -> None:
        """End the processes."""
        self._commits.close()
        self._trees.close()

    def check_commits(self, lines: Iterable[bytes]) -> None:
        """Raise `Failure` if comparing commits takes more than the limits allow.

        Each line is the id of a commit, followed by those of the parents that count, if not all.
        """
        self._start()
        total = 0
        for line in lines:
            commit, *parents = line.decode("ascii").split(" ")
            tree, own_parents = self._read_commit(commit)
            olds = tuple(
                old for parent in parents or own_parents if (old := self._read_commit(parent)[0])
            )
            # Git keeps something for each path and parent of a merge (`combine_diff_path`).
            count = self.count((tree, olds)) * max(1, len(olds)) if tree else 0
            total += count
            self._check(f"commit {commit}", count)
            self._check(
                f"commit {commit}, with those that git lists next to it,", total, total=True
            )
        self._repeated += max(0, total - self.distinct)
        if self._repeated > MAX_REPEATED_ENTRIES:
            raise Failure(
                f"the commits would take a comparison of more than {MAX_REPEATED_ENTRIES} entries that"
                " were compared before: too many to check at once; check a part of them"
            )

    def check_tree(self, tree: str, name: str) -> None:
        """Raise `Failure` if the tree with the id `tree`, known as `name`, is too large to list."""
        self._start()
        self._check(f"the tree that {name} names", self.count((tree, ())))

    def count(self, comparison: Comparison) -> int:
        """Return how many entries git goes through: those that differ from every parent.

        Raises `Failure` if there are too many distinct ones.
        """
        opened: dict[Comparison, tuple[int, list[Comparison]]] = {}
        entered: set[Comparison] = set()
        todo = [comparison]
        while todo:
            one = todo[-1]
            if one in self._counts:
                todo.pop()
            elif one in entered:
                own, inner = opened.pop(one)
                self._counts[one] = own + sum(self._counts[each] for each in inner)
            else:
                if one not in opened:
                    self._open(todo, opened)
                if self.distinct > MAX_DISTINCT_ENTRIES:
                    raise Failure(f"more than {MAX_DISTINCT_ENTRIES} entries of trees: not counted")
                entered.add(one)
                inner = [each for each in dict.fromkeys(opened[one][1]) if each not in self._counts]
                if not entered.isdisjoint(inner):
                    raise GitFailure("a tree contains itself: an object does not match its id")
                todo += inner
        return self._counts[comparison]

    def _start(self) -> None:
        """Start a new check: drop the counts, so that memory does not grow with history."""
        self.distinct = 0
        self._counts = {}

    def _check(self, what: str, count: int, *, total: bool = False) -> None:
        repeated = count > MIN_REPEATED_ENTRIES and count > MAX_REPETITION * max(1, self.distinct)
        if repeated or (count > MAX_ENTRIES and not total):
            raise Failure(
                f"{what} would take a comparison of {count} entries, {self.distinct} of them distinct:"
                " too many to check"
            )

    def _open(
        self,
        todo: Sequence[Comparison],
        opened: dict[Comparison, tuple[int, list[Comparison]]],
    ) -> None:
        """Read what the last of `todo` needs; where that is one tree, others are read along."""
        new, olds = todo[-1]
        if new is not None and olds:
            sides = [parse_tree(data, len(new) // 2) for data in self._read_trees([new, *olds])]
            self.distinct += sum(map(len, sides))
            opened[todo[-1]] = compare(sides[0], sides[1:])
            return
        single: dict[str, Comparison] = {}
        for one in reversed(todo):
            if one not in opened and one not in self._counts and len(one[1]) + bool(one[0]) == 1:
                single.setdefault(one[0] or one[1][0], one)
            if len(single) == MAX_IN_FLIGHT:
                break
        for oid, data in zip(single, self._read_trees([*single]), strict=True):
            own, inner = list_tree(data, len(oid) // 2)
            self.distinct += own
            opened[single[oid]] = own, [(each, ()) for each in inner]

    def _read_commit(self, commit: str) -> tuple[str, list[str]]:
        """Return tree and parents of a commit; an empty tree id if the commit is missing."""
        self._commits.ask([commit])
        (answer,) = self._commits.answers()
        if answer is None or answer[1] != "commit":
            return "", []
        header = answer[3].partition(b"\n\n")[0].decode("ascii", "replace").split("\n")
        pairs = [line.partition(" ") for line in header]
        trees = [oid for key, _, oid in pairs if key == "tree"]
        return "".join(trees[:1]), [oid for key, _, oid in pairs if key == "parent"]

    def _read_trees(self, oids: Sequence[str]) -> Iterable[bytes]:
        """Yield the bytes of trees; no bytes for a missing tree, which git itself reports."""
        for start in range(0, len(oids), MAX_IN_FLIGHT):
            self._trees.ask(oids[start : start + MAX_IN_FLIGHT])
            for answer in self._trees.answers():
                yield answer[3] if answer and answer[1] == "tree" else b""


def list_tree(data: bytes, length: int) -> tuple[int, list[str]]:
    """Return the number of entries in a tree object, and the ids of its directories.

    An entry is `MODE NAME NUL ID`, the id in `length` bytes (`decode_tree_entry` in tree-walk.c).
    """
    count = at = 0
    directories = []
    while (end := data.find(b"\0", at)) >= 0:
        count += 1
        if data.startswith((b"40000 ", b"040000 "), at):
            directories.append(data[end + 1 : end + 1 + length].hex())
        at = end + 1 + length
    return count, directories


def parse_tree(data: bytes, length: int) -> Entries:
    """Return the entries of a tree object whose ids have `length` bytes."""
    entries = {}
    at = 0
    while (end := data.find(b"\0", at)) >= 0:
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + length
        entries[name] = mode.lstrip(b"0"), data[end + 1 : at].hex()
    return entries


def compare(new: Entries, olds: Sequence[Entries]) -> tuple[int, list[Comparison]]:
    """Return how many entries of a tree differ from all `olds`, and the comparisons below them."""
    count = 0
    inner: list[Comparison] = []
    for name, entry in new.items():
        before = [old.get(name) for old in olds]
        if entry in before:
            continue
        count += 1
        trees = tuple(each[1] for each in before if each and each[0] == DIRECTORY)
        if entry[0] == DIRECTORY:
            inner.append((entry[1], trees))
        elif trees:
            inner.append((None, trees[:1]))
    for name, entry in olds[0].items():
        if name not in new and all(name in old for old in olds):
            count += 1
            if entry[0] == DIRECTORY:
                inner.append((None, (entry[1],)))
    return count, inner
