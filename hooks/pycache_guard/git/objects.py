"""Read objects, many through one process."""

from __future__ import annotations

from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading
from pycache_guard.git.repository import resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence
    from typing import NoReturn

    from pycache_guard.git.partial import Bare

    #: Object id, type, size in bytes, first bytes.
    Stored = tuple[str, str, int, bytes]

#: So many ids fit into the smallest pipe there is (Windows: 4096 bytes), so git is never stuck
#: writing an answer while we are stuck writing a question.
BATCH = 50

#: An object's rest is read and thrown away up to here; beyond, a new process is cheaper.
LARGE = 1 << 20


def heads(
    blobs: Sequence[str], length: int, path_of: Callable[[str], str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield each blob's id with its first `length` bytes, through `git cat-file --batch`.

    Nothing more of a large blob is read. Raises `GitFailure` for one that is not there, with the path
    that `path_of` returns for its id.
    """
    reader = Reader(length)
    try:
        for start in range(0, len(blobs), BATCH):
            batch = blobs[start : start + BATCH]
            reader.ask(batch)
            for blob, answer in zip(batch, reader.answers(), strict=True):
                if answer is None:
                    raise GitFailure(absence(blob, path_of(blob) if path_of else ""))
                if answer[1] != "blob":
                    raise GitFailure(f"blob {blob} cannot be read here: it is a {answer[1]}")
                yield blob, answer[3]
    finally:
        reader.close()


def absence(blob: str, path: str) -> str:
    """Return the words for a blob that is not here: its path, if that is known, and what to do."""
    from pycache_guard.git.partial import is_partial

    words = f"blob {blob} cannot be read here: it is missing"
    if is_partial():
        words += (
            "; this is a partial clone: `git fetch --refetch --no-filter` (git 2.36 and later) gets"
            " all contents"
        )
    else:
        words += "; `git fsck` shows what else is"
    return f"{path}: {words}" if path else words


def contents(blobs: Iterable[str]) -> dict[str, bytes]:
    """Return the whole content of each blob. Raises `GitFailure` for one that is not there."""
    return dict(heads([*dict.fromkeys(blobs)], 1 << 62))


def content(blob: str) -> bytes:
    """Return the whole content of a blob. Raises `GitFailure` when it is not there."""
    return contents([blob])[blob]


def stored(expression: str) -> bytes | None:
    """Return the content of the blob that `expression` names, or `None` where it names nothing.

    `expression` is `REV:PATH` or `:N:PATH` of gitrevisions(7), to which no `^{blob}` can be added:
    it would be read as a part of the path. Raises `GitFailure` for what is no blob.
    """
    blob = resolved(expression)
    return None if blob is None else content(blob)


def looked_up(revision: str, names: Iterable[bytes], reader: Reader) -> dict[bytes, str]:
    """Return the blobs at those of the paths `names` that a commit or a tree has."""
    from os import fsdecode

    asked = sorted(names)
    found = {}
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        reader.ask([f"{revision}:{fsdecode(name)}" for name in batch])
        for name, answer in zip(batch, [*reader.answers()], strict=True):
            if answer is not None and answer[1] == "blob":
                found[name] = answer[0]
    return found


class Reader:
    """`git cat-file --batch`, kept for many questions.

    It is started again where reading on would cost more: behind a large object; and without what
    makes git fetch, behind an object that a partial clone does not have.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._asked: list[str] = []
        self._bare: Bare | None = None
        self._said: Answers | None = None

    def ask(self, names: Sequence[str]) -> None:
        """Ask for up to `BATCH` objects, by id or in any words of gitrevisions(7)."""
        self._asked = [*names]
        if self._said is None:
            env = self._bare.environment if self._bare else None
            self._said = Answers(Git("cat-file", "--batch", feed=True, env=env))
        self._said.git.write(
            "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        )

    def answers(self) -> Iterator[Stored | None]:
        """Yield what was asked for, in that order, `None` for what is not there."""
        while self._said is not None and self._asked:
            line = self._said.line()
            if line is None:
                self._without_fetching(self._said)
                continue
            del self._asked[0]
            yield self._answer(self._said, line)

    def close(self) -> None:
        """End the process; what was not answered is given up."""
        self._end()
        if self._bare:
            self._bare.close()

    def _answer(self, said: Answers, line: bytes) -> Stored | None:
        if line.endswith((b" missing", b" ambiguous")):
            return None
        with Reading("cat-file"):
            oid, kind, digits = line.decode("ascii").split(" ")
            size = int(digits)
        head = said.take(min(size, self._length))
        rest = size - len(head)
        if rest > LARGE:
            self._again()
        else:
            said.skip(rest + 1)
        return oid, kind, size, head

    def _without_fetching(self, said: Answers) -> None:
        """Ask again where git knows of no remote; raise `GitFailure` if that was not why it ended."""
        from pycache_guard.git.partial import Bare
        from pycache_guard.git.partial import is_partial

        if self._bare or not is_partial():
            said.cut_short()
        self._bare = Bare()
        self._again()

    def _again(self) -> None:
        """Start again, with what has not been answered."""
        self._end()
        if self._asked:
            self.ask(self._asked)

    def _end(self) -> None:
        if self._said is not None:
            self._said.git.kill()
            self._said = None


class Answers:
    """The stdout of `cat-file --batch`, read by line and by length."""

    def __init__(self, process: Git) -> None:
        self.git = process
        self._buffer = b""

    def line(self) -> bytes | None:
        """Read a line, `None` where git has ended instead."""
        while b"\n" not in self._buffer:
            data = self.git.read()
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def take(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        parts = [self._buffer]
        have = len(self._buffer)
        while have < size:
            parts.append(self._more())
            have += len(parts[-1])
        data = b"".join(parts)
        self._buffer = data[size:]
        return data[:size]

    def skip(self, size: int) -> None:
        """Read exactly `size` bytes, and keep none."""
        while len(self._buffer) < size:
            size -= len(self._buffer)
            self._buffer = self._more()
        self._buffer = self._buffer[size:]

    def cut_short(self) -> NoReturn:
        """Raise `GitFailure`, with git's words if it has any."""
        self.git.check()
        raise GitFailure("git cat-file: its answer was cut short")

    def _more(self) -> bytes:
        data = self.git.read()
        if not data:
            self.cut_short()
        return data
