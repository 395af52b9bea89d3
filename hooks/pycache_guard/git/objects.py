"""Read blobs."""

from __future__ import annotations

from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.repository import resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

#: So many ids fit into the smallest pipe there is (Windows: 4096 bytes), so git is never stuck
#: writing an answer while we are stuck writing a question.
BATCH = 50

#: A blob's rest is read and thrown away up to here; beyond, a new process is cheaper.
LARGE = 1 << 20


def heads(blobs: Sequence[str], length: int) -> Iterator[tuple[str, bytes]]:
    """Yield each blob's id with its first `length` bytes, through `git cat-file --batch`.

    Nothing more of a large blob is read. Raises `GitFailure` for one that is not there.
    """
    done = 0
    while done < len(blobs):
        for blob, head in up_to_large(blobs[done:], length):
            yield blob, head
            done += 1


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


def up_to_large(blobs: Sequence[str], length: int) -> Iterator[tuple[str, bytes]]:
    """Yield as `heads` does from one process, and end after the first large blob."""
    answers = Answers(Git("cat-file", "--batch", feed=True))
    for start in range(0, len(blobs), BATCH):
        batch = blobs[start : start + BATCH]
        answers.git.write("".join(f"{blob}\n" for blob in batch).encode("ascii"))
        for blob in batch:
            size = answers.size_of(blob)
            head = answers.take(min(size, length))
            rest = size - len(head)
            if rest > LARGE:
                answers.git.kill()
                yield blob, head
                return
            answers.take(rest + 1)
            yield blob, head
    answers.git.close_stdin()
    answers.git.check()


class Answers:
    """The stdout of `cat-file --batch`, read by length."""

    def __init__(self, process: Git) -> None:
        self.git = process
        self._buffer = b""

    def size_of(self, blob: str) -> int:
        """Read the line that introduces `blob`; return its size."""
        while b"\n" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\n")
        _, kind, *size = line.split(b" ")
        if kind != b"blob":
            self.git.kill()
            raise GitFailure(f"blob {blob} cannot be read here: {line.decode('ascii', 'replace')}")
        return int(size[0])

    def take(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        while len(self._buffer) < size:
            self._more()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _more(self) -> None:
        data = self.git.read()
        if not data:
            self.git.check()
            raise GitFailure("git cat-file: its answer was cut short")
        self._buffer += data
