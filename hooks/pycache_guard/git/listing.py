"""Listings of an index or a tree, read as they come."""

from __future__ import annotations

import os

from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from pycache_guard.entries import Entry


#: The name of the files of gitattributes(5), in lower case.
ATTRIBUTES = b".gitattributes"
#: What stands before a path, with its tab: `160000 commit ID`, the id of SHA-256.
LONGEST_HEAD = 6 + 1 + 6 + 1 + 64 + 1


def blocks(process: Git) -> Iterator[bytes]:
    """Yield a NUL-separated listing in blocks that end with a whole record.

    A million entries are 90 MB; this holds no more than a pipe's worth of them.
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
        raise GitFailure("git: its listing was cut short")


def entries(process: Git) -> Iterator[bytes]:
    """Yield the blocks of a listing of entries, each of which begins with a mode and an id.

    Raises `GitFailure` for one that does not: nothing would be found in it.
    """
    for block in blocks(process):
        mode, blank = block[:6], block[6:7]
        if not mode.isdigit() or blank != b" " or block.find(b"\t", 0, LONGEST_HEAD) < 0:
            raise GitFailure("git ls: its answer is not as git writes it")
        yield block


def matching(
    process: Git, possible: Callable[[bytes], bool], wanted: Callable[[bytes], bool]
) -> list[bytes]:
    """Return the records of a listing whose path is `wanted`, each stage of a conflict.

    Only a block that is `possible` as a whole is looked into.
    """
    return [
        record
        for block in entries(process)
        if possible(block)
        for record in block.split(b"\0")[:-1]
        if wanted(path_of(record))
    ]


def path_of(record: bytes) -> bytes:
    """Return the path of a record."""
    return record.partition(b"\t")[2]


def blob_of(record: bytes) -> str:
    """Return the object id of a record."""
    with Reading("ls"):
        fields = record.partition(b"\t")[0].decode("ascii").split(" ")
        return fields[2] if fields[1] in ("blob", "commit") else fields[1]


def has_content(record: bytes) -> bool:
    """Return whether a record has a blob: only submodules have none.

    The blob of a symbolic link counts: with `core.symlinks=false`, the default of Git for Windows,
    it is checked out as a regular file (git-config(1)).
    """
    return not record.startswith((b"160", b"000"))


def is_deletion(record: bytes) -> bool:
    """Return whether a record is of what is no longer there."""
    return record.startswith(b"000")


def is_attributes_file(record: bytes) -> bool:
    """Return whether a record is of a `.gitattributes`; a link by that name is read like a file.

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
    for block in entries(Git("ls-tree", "-r", "-z", "--full-tree", revision)):
        yield from block.split(b"\0")[:-1]


def parse(record: bytes) -> Entry:
    """Read `MODE [TYPE] ID [STAGE]<TAB>PATH`, the form of both `ls-files -s` and `ls-tree`."""
    from pycache_guard.entries import Entry  # typing.NamedTuple costs 3 ms: only when needed

    mode = record.partition(b" ")[0].decode("ascii")
    return Entry(mode, blob_of(record), os.fsdecode(path_of(record)))
