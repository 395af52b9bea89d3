"""Read objects, many through one process."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.git.process import Git, GitFailure, environment, git_output, parsing_output
from pycache_guard.git.repository import try_rev_parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import NoReturn

    #: Object id, type, size in bytes, first bytes.
    ObjectInfo = tuple[str, str, int, bytes]


#: This number of ids fits into the smallest pipe (Windows: 4096 bytes), so git never waits for us to
#: read an answer while we wait for git to read a question.
MAX_IN_FLIGHT = 50

#: Up to this size the rest of an object is read and dropped (1 ms for each MB); for more, a new process
#: is cheaper: with a large repository it takes 30 ms, because it has to read its packs again.
SKIP_LIMIT_BYTES = 1 << 24


def read_prefixes(
    blobs: Sequence[str], length: int, path_of: Callable[[str], str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield the id and the first `length` bytes of each blob, through `git cat-file --batch`.

    The rest of a large blob is not read. Raises `GitFailure` for a missing blob, with the path that
    `path_of` returns for its id.
    """
    reader = ObjectReader(length)
    try:
        for start in range(0, len(blobs), MAX_IN_FLIGHT):
            batch = blobs[start : start + MAX_IN_FLIGHT]
            reader.ask(batch)
            for blob, answer in zip(batch, reader.answers(), strict=True):
                if answer is None:
                    raise GitFailure(describe_missing_blob(blob, path_of(blob) if path_of else ""))
                if answer[1] != "blob":
                    raise GitFailure(f"blob {blob} cannot be read here: it is a {answer[1]}")
                yield blob, answer[3]
    finally:
        reader.close()


def describe_missing_blob(blob: str, path: str) -> str:
    """Return the message about a missing blob: its path, if that is known, and what to do."""
    words = f"blob {blob} cannot be read here: it is missing"
    if is_partial_clone():
        words += (
            "; this is a partial clone: `git fetch --refetch --no-filter` (git 2.36 and later) gets"
            " all contents"
        )
    else:
        words += "; `git fsck` lists all missing objects"
    return f"{path}: {words}" if path else words


def read_blobs(
    blobs: Iterable[str], path_of: Callable[[str], str] | None = None
) -> dict[str, bytes]:
    """Return the whole content of each blob. Raises `GitFailure` for a missing blob.

    The message has the path that `path_of` returns for its id.
    """
    return dict(read_prefixes([*dict.fromkeys(blobs)], 1 << 62, path_of))


def read_blob(blob: str) -> bytes:
    """Return the whole content of a blob. Raises `GitFailure` if it is missing."""
    return read_blobs([blob])[blob]


def read_path(expression: str) -> bytes | None:
    """Return the content of the blob that `expression` names, or None if it names nothing.

    `expression` is `REV:PATH` or `:N:PATH` of gitrevisions(7), to which no `^{blob}` can be added:
    it would be read as a part of the path. Raises `GitFailure` for an object of another kind.
    """
    blob = try_rev_parse(expression)
    return None if blob is None else read_blob(blob)


def find_blobs(revision: str, names: Iterable[bytes], reader: ObjectReader) -> dict[bytes, str]:
    """Return the blob ids of the paths `names` in a commit or a tree; missing paths are left out."""
    from os import fsdecode

    asked = sorted(names)
    found = {}
    for start in range(0, len(asked), MAX_IN_FLIGHT):
        batch = asked[start : start + MAX_IN_FLIGHT]
        reader.ask([f"{revision}:{fsdecode(name)}" for name in batch])
        for name, answer in zip(batch, [*reader.answers()], strict=True):
            if answer is not None and answer[1] == "blob":
                found[name] = answer[0]
    return found


class ObjectReader:
    """Reads many objects through one `git cat-file --batch`, or with the length 0 only what they are.

    The process is restarted after a large object, because skipping its rest costs more, and after an
    object that a partial clone lacks, without the settings that make git fetch.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._asked: list[str] = []
        self._bare: OfflineRepository | None = None
        self._output: BatchOutput | None = None

    def ask(self, names: Sequence[str]) -> None:
        """Ask for up to `MAX_IN_FLIGHT` objects, by id or in any words of gitrevisions(7)."""
        self._asked = [*names]
        self.start().git.write(
            "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        )

    def start(self) -> BatchOutput:
        """Start the process, if it is not running, and return its output."""
        if self._output is None:
            env = self._bare.environment if self._bare else None
            option = "--batch" if self._length else "--batch-check"
            self._output = BatchOutput(Git("cat-file", option, feed=True, env=env))
        return self._output

    def answers(self) -> Iterator[ObjectInfo | None]:
        """Yield the answers in the order of the questions; None for a missing object."""
        while self._output is not None and self._asked:
            line = self._output.line()
            if line is None:
                self._retry_offline(self._output)
                continue
            del self._asked[0]
            yield self._answer(self._output, line)

    def close(self) -> None:
        """End the process; unread answers are lost."""
        self._end()
        if self._bare:
            self._bare.close()

    def _answer(self, output: BatchOutput, line: bytes) -> ObjectInfo | None:
        if line.endswith((b" missing", b" ambiguous")):
            return None
        with parsing_output("cat-file"):
            oid, kind, digits = line.decode("ascii").split(" ")
            size = int(digits)
        if not self._length:
            return oid, kind, size, b""
        head = output.take(min(size, self._length))
        rest = size - len(head)
        if rest > SKIP_LIMIT_BYTES:
            self._restart()
        else:
            output.skip(rest + 1)
        return oid, kind, size, head

    def _retry_offline(self, output: BatchOutput) -> None:
        """Restart without remotes in a partial clone; otherwise raise `GitFailure`."""
        if self._bare or not is_partial_clone():
            output.raise_truncated()
        self._bare = OfflineRepository()
        self._restart()

    def _restart(self) -> None:
        """Restart the process, and ask the unanswered questions again."""
        self._end()
        if self._asked:
            self.ask(self._asked)

    def _end(self) -> None:
        if self._output is not None:
            self._output.git.kill()
            self._output = None


class BatchOutput:
    """The stdout of `cat-file --batch`, read by line and by length."""

    def __init__(self, process: Git) -> None:
        self.git = process
        #: What was read, and how much of it was returned: a copy for each answer would take longer
        #: than parsing it.
        self._buffer = b""
        self._position = 0

    def line(self) -> bytes | None:
        """Read a line; None if git has ended."""
        while (end := self._buffer.find(b"\n", self._position)) < 0:
            data = self.git.read()
            if not data:
                return None
            self._buffer = self._buffer[self._position :] + data
            self._position = 0
        line = self._buffer[self._position : end]
        self._position = end + 1
        return line

    def take(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        end = self._position + size
        if end > len(self._buffer):
            parts = [self._buffer[self._position :]]
            missing = size - len(parts[0])
            while missing > 0:
                parts.append(self._more())
                missing -= len(parts[-1])
            self._buffer = parts[-1]
            self._position = len(self._buffer) + missing
            parts[-1] = self._buffer[: self._position]
            return b"".join(parts)
        taken = self._buffer[self._position : end]
        self._position = end
        return taken

    def skip(self, size: int) -> None:
        """Read exactly `size` bytes, and keep none."""
        self._position += size
        while self._position > len(self._buffer):
            self._position -= len(self._buffer)
            self._buffer = self._more()

    def raise_truncated(self) -> NoReturn:
        """Raise `GitFailure`, with git's words if it has any."""
        self.git.wait()
        raise GitFailure("git cat-file: its output is truncated")

    def _more(self) -> bytes:
        data = self.git.read()
        if not data:
            self.raise_truncated()
        return data


#: Variables that select a repository.
REPOSITORY_VARIABLES = ("GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_WORK_TREE")


def is_partial_clone() -> bool:
    """Return whether objects may be missing here, to be fetched when asked for (partial-clone.txt)."""
    pattern = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
    process = Git("config", "--get-regexp", pattern)
    for _ in iter(process.read, b""):
        pass
    return process.wait(allowed=(0, 1)) == 0


def object_directory() -> str:
    """Return the path of the directory where git stores new objects."""
    return os.fsdecode(git_output("rev-parse", "--git-path", "objects")[:-1])


class OfflineRepository:
    """A repository without configuration and refs that has this one's objects.

    In a partial clone git would fetch a missing object, or end if it may not; here it reports the object
    as missing.
    """

    def __init__(self) -> None:
        objects = os.path.abspath(object_directory())
        kind = git_output("rev-parse", "--show-object-format").decode("ascii").strip()
        from pycache_guard.git.tempdir import TemporaryDirectory  # tempfile costs a hook 6 ms

        self._directory = TemporaryDirectory()
        path = self._directory.path
        # The least that git takes for a repository: gitrepository-layout(5).
        for name in ("objects", "refs"):
            os.mkdir(os.path.join(path, name))
        config = "[core]\nbare = true\nrepositoryFormatVersion = "
        # Before git 2.28 there is one format, and the extension is not known.
        config += "0\n" if kind == "sha1" else f"1\n[extensions]\nobjectFormat = {kind}\n"
        for name, text in (("HEAD", "ref: refs/heads/main\n"), ("config", config)):
            with open(os.path.join(path, name), "x", encoding="ascii") as file:
                file.write(text)
        kept = {
            name: text for name, text in environment().items() if name not in REPOSITORY_VARIABLES
        }
        self.environment = {**kept, "GIT_DIR": path, "GIT_OBJECT_DIRECTORY": objects}

    def close(self) -> None:
        """Remove it."""
        self._directory.remove()
