"""List what each commit adds, by `git rev-list` and several parallel `git diff-tree`.

With `diff-tree -c`, a merge adds what differs from all its parents (git-diff-tree(1), "combined diff
format"); with `--root`, a root commit adds all its files. Answers are not kept, so memory does not grow
with history.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os
from itertools import chain, pairwise

from pycache_guard.errors import Failure
from pycache_guard.git.listing import (
    blob_of,
    is_deletion,
    iter_blocks,
    iter_entry_blocks,
    names_attributes,
    parse_entry,
    path_of,
)
from pycache_guard.git.objects import MAX_IN_FLIGHT
from pycache_guard.git.process import RAW_DIFF_OPTIONS, Git, GitFailure, environment, parsing_output
from pycache_guard.git.spawn import MIN_PIPE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pycache_guard.git.entries import Entry
    from pycache_guard.git.entry_counts import EntryCounter
    from pycache_guard.git.objects import ObjectReader
    from pycache_guard.git.revisions import Revisions

    #: A commit and a record, for `listing.parse_entry`, of what the commit adds.
    AddedRecord = tuple[str, bytes]
    #: What names an object, and its id.
    NamedObjects = dict[str, str]


#: Batches that are sent to a `diff-tree` in advance, so that it does not wait.
PIPELINE_DEPTH = 2
#: Maximum bytes of a batch: larger ones gain nothing. All pending batches must fit into the pipe, so
#: that we never wait for git to read while git waits for us to read.
BATCH_BYTES = 8192
#: Random bytes that mark the end of each batch.
SENTINEL_BYTES = 16
#: More gain little, and each holds a cache of its own.
MAX_PROCESSES = 4
#: Seconds without an answer after which the trees of the pending commits are counted.
PATIENCE_SECONDS = 0.5
#: Maximum bytes that are kept unparsed, in case a later block must be parsed.
MAX_UNPARSED_BYTES = 1 << 20


class DiffTree:
    """One `git diff-tree --stdin`, asked about batches of commits."""

    def __init__(self, *pathspecs: str) -> None:
        # Without this, git writes each commit's answer on its own (git(1), GIT_FLUSH).
        env = environment(GIT_FLUSH="0")
        options = ("--stdin", "-r", "-c", "--root", *RAW_DIFF_OPTIONS)
        self.git = Git("diff-tree", *options, "--", *pathspecs, feed=True, env=env)
        # A line that is no object id is written back at once (builtin/diff-tree.c): the end of the
        # answer. It is random, so that nobody can commit a path that contains it.
        self._sentinel = b"=%s\n" % os.urandom(SENTINEL_BYTES).hex().encode("ascii")
        self._rest = b""

    def batches(self, commits: list[bytes]) -> Iterator[list[bytes]]:
        """Yield batches of lines for stdin that are small enough for `ask`."""
        if not commits:
            return
        longest = max(map(len, commits)) + 1
        size = MIN_PIPE_BYTES
        if len(commits) * longest + len(self._sentinel) > size // PIPELINE_DEPTH:
            size = self.git.pipe_capacity()  # asking takes 0.2 ms, because it imports `fcntl`
        size = min(BATCH_BYTES, size // PIPELINE_DEPTH) - len(self._sentinel)
        count = size // longest
        for start in range(0, len(commits), count):
            yield commits[start : start + count]

    def ask(self, commits: Iterable[bytes]) -> None:
        """Ask about one of the `batches`; up to `PIPELINE_DEPTH` may be under way."""
        self.git.write(b"".join(b"%s\n" % commit for commit in commits) + self._sentinel)

    def answer(self, on_delay: Callable[[], object]) -> Iterator[bytes]:
        """Yield the answer to the batch asked first, in blocks that end with a whole field.

        Calls `on_delay` when git takes long over the next block; it may raise `Failure`.
        """
        data = self._rest
        while (end := data.find(self._sentinel)) < 0:
            whole, nul, data = data.rpartition(b"\0")
            if nul:
                yield whole + nul
            if not self.git.has_output(PATIENCE_SECONDS):
                on_delay()
            more = self.git.read()
            if not more:
                self.git.wait()
                raise GitFailure("git diff-tree: its output is truncated")
            data += more
        if end:
            if data[end - 1]:
                raise GitFailure("git diff-tree: its output is malformed")
            yield data[:end]
        self._rest = data[end + len(self._sentinel) :]

    def finish(self) -> None:
        """End it in order. Raises `GitFailure` when git failed."""
        self.git.close_stdin()
        self.git.wait()


class DiffTreePool:
    """Several `git diff-tree` processes, started when there is work; the first is started at once."""

    def __init__(self, *pathspecs: str) -> None:
        self._pathspecs = pathspecs
        self._differs = [DiffTree(*pathspecs)]
        #: What was asked and not answered, the oldest first, until it is counted.
        self._asked: list[tuple[DiffTree, list[bytes]]] = []
        self._counted: list[list[bytes]] = []
        self._counter: EntryCounter | None = None

    def added_by(
        self, commits: Iterable[list[bytes]], possible: Callable[[bytes], object]
    ) -> Iterator[AddedRecord]:
        """Yield what commits add: the entries that none of their parents has at that path.

        Each line is an id, optionally followed by the parents to compare with (git-diff-tree(1),
        `--stdin`). Only blocks of output for which `possible` is true are parsed. The entries of one commit
        are together; commits have no order. Raises `GitFailure`.
        """
        # They are asked in turns. While the answer of one is read, the others would otherwise have two
        # batches to answer, which do not fit into their pipes, and wait.
        count = process_count()
        for n, batch in enumerate(chain.from_iterable(map(self._differs[0].batches, commits))):
            if 0 < n < count:
                self._differs.append(DiffTree(*self._pathspecs))
            elif n == count:  # there are many commits: git goes on while we parse
                for each in self._differs:
                    each.git.enlarge_output()
            differ = self._differs[n % count]
            if len(self._asked) == count * PIPELINE_DEPTH:
                yield from self._next_answer(possible)
            self._asked.append((differ, batch))
            differ.ask(batch)
        while self._asked:
            yield from self._next_answer(possible)
        for differ in self._differs:
            differ.finish()

    def close(self) -> None:
        """End those that have not ended."""
        for differ in self._differs:
            differ.git.kill()
        if self._counter:
            self._counter.close()

    def _next_answer(self, possible: Callable[[bytes], object]) -> Iterator[AddedRecord]:
        differ, _ = self._asked[0]
        yield from parse_diff_output(differ.answer(self._check_sizes), possible)
        del self._asked[0]

    def _check_sizes(self) -> None:
        """Raise `Failure` if the pending comparisons would take hours, or all memory.

        Git collects the whole comparison of a commit before it writes, so there is no other sign.
        """
        if not self._counter:
            from pycache_guard.git.entry_counts import EntryCounter

            self._counter = EntryCounter()
        for _, batch in self._asked:
            if not any(batch is each for each in self._counted):
                self._counter.check_commits(batch)
        self._counted = [batch for _, batch in self._asked]


def process_count() -> int:
    """Return how many `diff-tree` processes to run at most."""
    return min(MAX_PROCESSES, os.cpu_count() or 1)


def parse_diff_output(
    blocks: Iterable[bytes], possible: Callable[[bytes], object]
) -> Iterator[AddedRecord]:
    """Parse one answer: for each commit `ID NUL (HEAD NUL PATH NUL)…`.

    Only records of blocks for which `possible` is true are returned. Earlier blocks are parsed only if
    that is necessary to find where such a block begins.
    """
    commit, head = "", b""
    unparsed: list[bytes] = []
    size = 0
    for block in blocks:
        unparsed.append(block)
        size += len(block)
        wanted = possible(block)
        if not wanted and size < MAX_UNPARSED_BYTES:
            continue
        *before, last = unparsed
        for text in (b"".join(before), last):
            is_wanted = wanted and text is last
            with parsing_output("diff-tree"):
                for field in text.split(b"\0")[:-1]:
                    if head:
                        if is_wanted and (record := added_record(head, field)):
                            yield commit, record
                        head = b""
                    elif field.startswith(b":"):
                        head = field
                    else:
                        commit = field.decode("ascii")
        unparsed = []
        size = 0


def added_record(head: bytes, path: bytes) -> bytes | None:
    """Return the record of the entry at `path`, or None if a parent has the same entry.

    `head` is `:MODE MODE ID ID STATUS`, in a merge with a colon, a mode and an id for each parent.
    Only the type in the mode counts (file, symbolic link, submodule), not the executable bit. A deleted
    `.gitattributes` has a record too, with zeros for mode and id, because it can change how other files
    are checked out. Raises `IndexError` for a head with too few fields.
    """
    parents = head.rfind(b":") + 1
    fields = head[parents:].split(b" ")
    mode, blob = fields[parents], fields[2 * parents + 1]
    if mode == b"000000" and not names_attributes(path):
        return None
    kind = mode[:3]
    for n in range(parents):
        if fields[parents + 1 + n] == blob and fields[n].startswith(kind):
            return None
    return b"%s %s\t%s" % (mode, blob, path)


def added_entries_matching(glob: str, commits: Iterable[str]) -> list[Entry]:
    """Return the entries that `commits` add and a pathspec glob matches."""
    return [*map(parse_entry, added_files(commits, f":(top,glob){glob}"))]


def added_files(commits: Iterable[str], *pathspecs: str) -> Iterator[bytes]:
    """Yield the records of the entries that `commits` add at `pathspecs`. Raises `GitFailure`."""
    records = (record for _, record in added_records(commits, *pathspecs))
    return (record for record in records if not is_deletion(record))


def changed_attributes(commits: Sequence[str]) -> Iterator[bytes]:
    """Yield the records of the `.gitattributes` in which each commit differs from the one before it.

    Those of the first commit are not among them. The trees are not counted: the commits must be ones
    that the repository has accepted before. Raises `GitFailure`.
    """
    if len(commits) < 2:
        return
    from pycache_guard.git.tempdir import open_unnamed_file

    with open_unnamed_file() as pairs:
        pairs.writelines(f"{new} {old}\n".encode("ascii") for old, new in pairwise(commits))
        pairs.seek(0)
        options = ("--stdin", "-r", "-c", *RAW_DIFF_OPTIONS)
        process = Git(
            *("diff-tree", *options, "--", ":(top,glob,icase)**/.gitattributes"),
            stdin=pairs.fileno(),
        )
        records = parse_diff_output(iter_blocks(process), bool)
        yield from (record for _, record in records if not is_deletion(record))


def added_records(commits: Iterable[str], *pathspecs: str) -> Iterator[AddedRecord]:
    """Yield what `commits` add at `pathspecs`. Raises `GitFailure`."""
    differs = DiffTreePool(*pathspecs)
    try:
        yield from differs.added_by([[commit.encode("ascii") for commit in commits]], bool)
    finally:
        differs.close()


def non_commit_objects(
    revisions: Revisions, reader: ObjectReader
) -> tuple[NamedObjects, NamedObjects]:
    """Return the trees and the blobs that are tips, or that tags among the tips name.

    Objects that the excluded commits are known to contain are left out. Raises `Failure` for a missing
    object.
    """
    named: dict[str, NamedObjects] = {"tree": {}, "blob": {}}
    tips = [*revisions.tips]
    for start in range(0, len(tips), MAX_IN_FLIGHT):
        batch = tips[start : start + MAX_IN_FLIGHT]
        reader.ask([f"{tip}^{{}}" for tip in batch])
        for tip, answer in zip(batch, [*reader.answers()], strict=True):
            name = revisions.tips[tip]
            if answer is None:
                raise Failure(f"{name}: object {tip} is missing")
            oid, kind, *_ = answer
            if kind in named and revisions.introduces(oid):
                named[kind][name] = oid
    return named["tree"], named["blob"]


def records_in(trees: Mapping[str, str], blobs: Mapping[str, str]) -> Iterator[AddedRecord]:
    """Yield (name, record) for each file in `trees`, and for each of `blobs`, which have no path.

    Both map names for messages to ids. Raises `Failure` for a tree with too many paths.
    """
    for name, oid in trees.items():
        check_size(oid, name)
        for block in iter_entry_blocks(Git("ls-tree", "-r", "-z", "--full-tree", oid)):
            for line in block.split(b"\0")[:-1]:
                mode = line.partition(b" ")[0]
                yield name, b"%s %s\t%s" % (mode, blob_of(line).encode("ascii"), path_of(line))
    for name, oid in blobs.items():
        yield name, b"100644 %s\t" % oid.encode("ascii")


def check_size(tree: str, name: str) -> None:
    """Raise `Failure` if the tree with the id `tree`, known as `name`, has too many paths to list."""
    from pycache_guard.git.entry_counts import EntryCounter

    counter = EntryCounter()
    try:
        counter.check_tree(tree, name)
    finally:
        counter.close()
