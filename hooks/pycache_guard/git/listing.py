"""Read listings of entries, differences of the index or a tree from a commit, and searches of the index."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard.git.process import Git, GitFailure, git_output, parsing_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pycache_guard.git.entries import Entry


class Diff:
    """The output of `diff-index` or `diff-tree` with `RAW_DIFF_OPTIONS`, read to its end."""

    def __init__(self, process: Git) -> None:
        fields = b"".join(iter_blocks(process)).split(b"\0")
        with parsing_output("diff"):
            #: (head, path) pairs as git wrote them; nothing is parsed until it is asked for.
            self._pairs = list(zip(fields[:-1:2], fields[1::2], strict=True))

    def records(self) -> list[bytes]:
        """Return the new record of each path that differs; a deleted path has none."""
        return [record for record, _ in self._records_and_old_blobs()]

    def touch_attributes(self) -> bool:
        """Return whether a `.gitattributes` differs or was deleted."""
        return any(names_attributes(path) for _, path in self._pairs)

    def deleted_paths(self) -> list[bytes]:
        """Return the paths that the newer side no longer has."""
        return [path for head, path in self._pairs if head.endswith(b" D")]

    def delete_everything(self) -> bool:
        """Return whether there are differences, and every one is a deletion."""
        return bool(self._pairs) and not self._records_and_old_blobs()

    def files_with_new_content(self) -> list[bytes]:
        """Return the records of files whose content differs from the old content at the same path.

        The blob of a symbolic link is content too. It counts as new if a link becomes a file, or a file
        a link. A path in conflict has every stage, because it is not known which one will be chosen.
        """
        return [
            record
            for record, old in self._records_and_old_blobs()
            if has_content(record) and blob_of(record) != old
        ]

    def _records_and_old_blobs(self) -> list[tuple[bytes, str]]:
        sides = []
        conflicts = False
        for head, path in self._pairs:
            with parsing_output("diff"):
                was, mode, old, blob, status = head.decode("ascii").split(" ")
            if status == "U":
                conflicts = True
            elif status != "D":
                same = old if was[1:4] == mode[:3] else ""
                sides.append((f"{mode} {blob}\t".encode() + path, same))
        if conflicts:
            stages = git_output("ls-files", "--unmerged", "-z", "--full-name", "--", ":/")
            sides += [(record, "") for record in stages.split(b"\0")[:-1]]
        return sides


#: The name of the files of gitattributes(5), in lower case.
ATTRIBUTES = b".gitattributes"
#: Maximum bytes before a path, with the tab: `160000 commit ID`, with an id of SHA-256.
MAX_PREFIX_BYTES = 6 + 1 + 6 + 1 + 64 + 1


def iter_blocks(process: Git) -> Iterator[bytes]:
    """Yield a NUL-separated listing in blocks that end with a whole record.

    A million entries take 90 MB; this keeps only one chunk of the pipe in memory.
    """
    rest = b""
    for chunk in process.chunks():
        whole, nul, tail = chunk.rpartition(b"\0")
        if nul:
            yield rest + whole + nul
            rest = tail
        else:
            rest += chunk
    if rest:
        raise GitFailure("git: its listing is truncated")


def iter_entry_blocks(process: Git) -> Iterator[bytes]:
    """Yield the blocks of a listing of entries.

    Raises `GitFailure` for a block that does not begin with a mode and an id: it would seem clean.
    """
    for block in iter_blocks(process):
        mode, blank = block[:6], block[6:7]
        if not mode.isdigit() or blank != b" " or block.find(b"\t", 0, MAX_PREFIX_BYTES) < 0:
            raise GitFailure("git ls: its output is malformed")
        yield block


def select_records(
    process: Git, possible: Callable[[bytes], bool], wanted: Callable[[bytes], bool]
) -> list[bytes]:
    """Return the records of a listing whose path is `wanted`, with all stages of a conflict.

    Blocks that are not `possible` as a whole are skipped.
    """
    return [
        record
        for block in iter_entry_blocks(process)
        if possible(block)
        for record in block.split(b"\0")[:-1]
        if wanted(path_of(record))
    ]


def select_paths(
    process: Git, possible: Callable[[bytes], bool], wanted: Callable[[bytes], bool]
) -> list[bytes]:
    """Return the paths of `Index.list_paths` that are `wanted`, each once.

    Blocks that are not `possible` as a whole are skipped. Raises `GitFailure` for a block that does not
    begin with a letter and a blank.
    """
    found: dict[bytes, None] = {}
    for block in iter_blocks(process):
        if not block[:1].isalpha() or block[1:2] != b" ":
            raise GitFailure("git ls: its output is malformed")
        if possible(block):
            found.update(dict.fromkeys([r[2:] for r in block.split(b"\0")[:-1] if wanted(r[2:])]))
    return [*found]


def path_of(record: bytes) -> bytes:
    """Return the path of a record."""
    return record.partition(b"\t")[2]


#: Made once, because there are many records.
_PARSING_LISTING = parsing_output("ls")


def blob_of(record: bytes) -> str:
    """Return the object id of a record."""
    with _PARSING_LISTING:
        fields = record.partition(b"\t")[0].decode("ascii").split(" ")
        return fields[2] if fields[1] in ("blob", "commit") else fields[1]


def has_content(record: bytes) -> bool:
    """Return whether a record has a blob: only submodules have none.

    The blob of a symbolic link counts: with `core.symlinks=false`, the default of Git for Windows,
    it is checked out as a regular file (git-config(1)).
    """
    return not record.startswith((b"160", b"000"))


def is_deletion(record: bytes) -> bool:
    """Return whether a record is that of a deleted path."""
    return record.startswith(b"000")


def is_attributes_file(record: bytes) -> bool:
    """Return whether a record is that of a `.gitattributes`; a symbolic link counts like a file.

    Case does not matter: on a case-insensitive file system git opens `.GitAttributes` too.
    """
    return has_content(record) and names_attributes(path_of(record))


def names_attributes(path: bytes) -> bool:
    """Return whether a path is that of a `.gitattributes`, in any case."""
    return path.lower().rpartition(b"/")[2] == ATTRIBUTES


def attributes_above(directory: bytes) -> Iterator[bytes]:
    """Yield the paths of the `.gitattributes` that concern the files of a directory."""
    while directory:
        yield directory + b"/" + ATTRIBUTES
        directory = directory.rpartition(b"/")[0]
    yield ATTRIBUTES


def tree_of(revision: str) -> Iterator[bytes]:
    """Yield the records of the whole tree of a commit or a tree."""
    for block in iter_entry_blocks(Git("ls-tree", "-r", "-z", "--full-tree", revision)):
        yield from block.split(b"\0")[:-1]


def parse_entry(record: bytes) -> Entry:
    """Read `MODE [TYPE] ID [STAGE]<TAB>PATH`, the form of both `ls-files -s` and `ls-tree`."""
    from pycache_guard.git.entries import Entry  # typing.NamedTuple costs 3 ms: only when needed

    mode = record.partition(b" ")[0].decode("ascii")
    return Entry(mode, blob_of(record), os.fsdecode(path_of(record)))


#: A file must match both: a key `services` at the start of a line, and the word `build`.
_COMPOSE_WORDS = (
    "--extended-regexp",
    "--all-match",
    "-e",
    "^[\"']?services[\"']?[[:space:]]*:",
    "-e",
    "build",
)


def find_compose_candidates() -> list[bytes]:
    """Return the tracked YAML files that may be compose files by their content, as paths from the top.

    The options override settings of the user that change what git searches or prints.
    """
    search = Git(
        "grep",
        *("--cached", "--files-with-matches", "-z", "--full-name", "-I"),
        *("--no-color", "--no-recurse-submodules", "--no-textconv"),
        *_COMPOSE_WORDS,
        *("--", ":(top,icase,glob)**/*.yml", ":(top,icase,glob)**/*.yaml"),
    )
    listed = b"".join(iter(search.read, b""))
    search.wait(allowed=(0, 1))  # 1: no such file
    return listed.split(b"\0")[:-1]
