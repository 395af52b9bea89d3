"""What each commit brings in, by `git rev-list` and several `git diff-tree` side by side.

`diff-tree -c` judges a merge by what differs from all its parents (git-diff-tree(1), "combined diff
format"), `--root` a root by all it has. Nothing is kept of what has been read: memory does not grow
with history.
"""

from __future__ import annotations

import os
from itertools import chain

from pycache_guard.git.listing import is_deletion
from pycache_guard.git.listing import names_attributes
from pycache_guard.git.listing import parse
from pycache_guard.git.process import RAW
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading
from pycache_guard.git.process import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

    from pycache_guard.entries import Entry
    from pycache_guard.git.entry_counts import EntryCounter

    #: A commit and a record, for `listing.parse`, of what it brings in.
    Brought = tuple[str, bytes]

#: Batches that a `diff-tree` has before it, so that it does not wait for us.
DEPTH = 2
#: Bytes of a batch at most: larger ones gain nothing. All that are under way must fit into the pipe,
#: so that we never wait to ask while git waits to answer.
BATCH = 8192
#: Random bytes behind each.
MARK = 16
#: More gain little, and each holds a cache of its own.
MOST_PROCESSES = 4
#: Seconds without an answer after which the trees of what was asked are counted.
PATIENCE_SECONDS = 0.5
#: As much is kept unparsed, in case the block after it must be.
UNPARSED = 1 << 20


class Differ:
    """One `git diff-tree --stdin`, asked about batches of commits."""

    def __init__(self, *pathspecs: str) -> None:
        # Without this, git writes each commit's answer on its own (git(1), GIT_FLUSH).
        env = environment(GIT_FLUSH="0")
        options = ("--stdin", "-r", "-c", "--root", *RAW)
        self.git = Git("diff-tree", *options, "--", *pathspecs, feed=True, env=env)
        # A line that is no object id is written back at once (builtin/diff-tree.c): the end of the
        # answer. It is random because what stands before it was written by others.
        self._mark = b"=%s\n" % os.urandom(MARK).hex().encode("ascii")
        self._rest = b""

    def batches(self, commits: list[bytes]) -> Iterator[list[bytes]]:
        """Yield lines for stdin, so many at a time as may be asked at once."""
        if commits:
            size = min(BATCH, self.git.room() // DEPTH) - len(self._mark)
            count = size // (max(map(len, commits)) + 1)
            for start in range(0, len(commits), count):
                yield commits[start : start + count]

    def ask(self, commits: Iterable[bytes]) -> None:
        """Ask about one of the `batches`; up to `DEPTH` may be under way."""
        self.git.write(b"".join(b"%s\n" % commit for commit in commits) + self._mark)

    def answer(self, on_delay: Callable[[], object]) -> Iterator[bytes]:
        """Yield the answer to the batch asked first, in blocks that end with a whole field.

        Calls `on_delay` when git takes long over the next block; it may raise `Failure`.
        """
        data = self._rest
        while (end := data.find(self._mark)) < 0:
            whole, nul, data = data.rpartition(b"\0")
            if nul:
                yield whole + nul
            if not self.git.has_output(PATIENCE_SECONDS):
                on_delay()
            more = self.git.read()
            if not more:
                self.git.check()
                raise GitFailure("git diff-tree: its answer was cut short")
            data += more
        if end:
            if data[end - 1]:
                raise GitFailure("git diff-tree: its answer is not as git writes it")
            yield data[:end]
        self._rest = data[end + len(self._mark) :]

    def finish(self) -> None:
        """End it in order. Raises `GitFailure` when git failed."""
        self.git.close_stdin()
        self.git.check()


class Differs:
    """As many `git diff-tree` as there is work for; the first is started at once."""

    def __init__(self, *pathspecs: str) -> None:
        self._pathspecs = pathspecs
        self._differs = [Differ(*pathspecs)]
        #: What was asked and not answered, the oldest first, until it is counted.
        self._asked: list[tuple[Differ, list[bytes]]] = []
        self._counted: list[list[bytes]] = []
        self._counter: EntryCounter | None = None

    def brought(
        self, commits: Iterable[list[bytes]], possible: Callable[[bytes], object]
    ) -> Iterator[Brought]:
        """Yield what commits bring in: what none of their parents has at that path.

        Each is an id, and behind a blank those of the parents that are to count, if not all
        (git-diff-tree(1), `--stdin`). Of a block of output that is not `possible` as a whole nothing is
        parsed. Each commit's come together; among commits there is no order. Raises `GitFailure`.
        """
        free = self._differs * DEPTH
        for batch in chain.from_iterable(map(self._differs[0].batches, commits)):
            if not free and len(self._differs) < processes():
                self._differs.append(Differ(*self._pathspecs))
                free = self._differs[-1:] * DEPTH
            elif not free:
                free = [self._asked[0][0]]
                yield from self._next_answer(possible)
            self._asked.append((free.pop(), batch))
            self._asked[-1][0].ask(batch)
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

    def _next_answer(self, possible: Callable[[bytes], object]) -> Iterator[Brought]:
        differ, _ = self._asked[0]
        yield from parsed(differ.answer(self._check_sizes), possible)
        del self._asked[0]

    def _check_sizes(self) -> None:
        """Raise `Failure` if what git is at work on would take hours, or all memory.

        Git collects all of a commit before it writes: nothing else shows how far it is.
        """
        if not self._counter:
            from pycache_guard.git.entry_counts import EntryCounter

            self._counter = EntryCounter()
        for _, batch in self._asked:
            if not any(batch is each for each in self._counted):
                self._counter.check_commits(batch)
        self._counted = [batch for _, batch in self._asked]


def processes() -> int:
    """Return how many `diff-tree` are worth it here."""
    return min(MOST_PROCESSES, os.cpu_count() or 1)


def parsed(blocks: Iterable[bytes], possible: Callable[[bytes], object]) -> Iterator[Brought]:
    """Parse one answer, so far as a block is `possible`: `ID NUL (HEAD NUL PATH NUL)…` a commit.

    Where a block begins is known only from what came before; that is looked into when it must be.
    """
    commit = head = ""
    unparsed: list[bytes] = []
    size = 0
    for block in blocks:
        unparsed.append(block)
        size += len(block)
        wanted = possible(block)
        if not wanted and size < UNPARSED:
            continue
        *before, last = unparsed
        for text in (b"".join(before), last):
            telling = wanted and text is last
            for field in text.split(b"\0")[:-1]:
                if not head:
                    with Reading("diff-tree"):
                        told = field.decode("ascii")
                    if told.startswith(":"):
                        head = told
                    else:
                        commit = told
                else:
                    if telling and (record := new(head, field)):
                        yield commit, record
                    head = ""
        unparsed = []
        size = 0


def new(head: str, path: bytes) -> bytes | None:
    """Return the record of what stands at `path`, if no parent has the same there.

    `head` is `:MODE MODE ID ID STATUS`, in a merge with a colon, a mode and an id for each parent.
    The mode counts so far as a file is not a symbolic link or a submodule. A `.gitattributes` that was
    deleted has a record too, without a mode and an id: other files may be checked out otherwise.
    """
    parents = len(head) - len(head.lstrip(":"))
    fields = head[parents:].split(" ")
    with Reading("diff-tree"):
        mode, blob = fields[parents], fields[2 * parents + 1]
    if mode == "000000" and not names_attributes(path):
        return None
    kind = mode[:3]
    for n in range(parents):
        if fields[parents + 1 + n] == blob and fields[n].startswith(kind):
            return None
    return f"{mode} {blob}\t".encode("ascii") + path


def granted(glob: str, commits: Iterable[str]) -> list[Entry]:
    """Return what a pathspec glob of git's own matches of all that `commits` bring in."""
    records = [record for _, record in brought(commits, f":(top,glob){glob}")]
    return [parse(record) for record in records if not is_deletion(record)]


def brought(commits: Iterable[str], *pathspecs: str) -> Iterator[Brought]:
    """Yield what `commits` bring in at `pathspecs`. Raises `GitFailure`."""
    differs = Differs(*pathspecs)
    try:
        yield from differs.brought([[commit.encode("ascii") for commit in commits]], bool)
    finally:
        differs.close()
