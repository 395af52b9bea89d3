"""Trees and blobs that are named without a commit: a tag may name anything."""

from __future__ import annotations

from pycache_guard.errors import Failure
from pycache_guard.git.listing import blob_of
from pycache_guard.git.listing import entries
from pycache_guard.git.listing import path_of
from pycache_guard.git.objects import BATCH
from pycache_guard.git.process import Git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from pycache_guard.git.history import Brought
    from pycache_guard.git.objects import Reader
    from pycache_guard.git.revisions import Revisions

    #: What names an object, and its id.
    Named = dict[str, str]


def not_commits(revisions: Revisions, reader: Reader) -> tuple[Named, Named]:
    """Return the trees and the blobs among what is named, behind tags too.

    What is known to have been there before is left out. Raises `Failure` for an object that is not
    here.
    """
    named: dict[str, Named] = {"tree": {}, "blob": {}}
    tips = [*revisions.tips]
    for start in range(0, len(tips), BATCH):
        batch = tips[start : start + BATCH]
        reader.ask([f"{tip}^{{}}" for tip in batch])
        for tip, answer in zip(batch, [*reader.answers()], strict=True):
            name = revisions.tips[tip]
            if answer is None:
                raise Failure(f"{name}: object {tip} is not here")
            oid, kind, *_ = answer
            if kind in named and revisions.contain(oid):
                named[kind][name] = oid
    return named["tree"], named["blob"]


def brought_by(trees: Mapping[str, str], blobs: Mapping[str, str]) -> Iterator[Brought]:
    """Yield what trees and blobs contain as if their names were commits; a blob has no path.

    Raises `Failure` for a tree with too many paths.
    """
    for name, oid in trees.items():
        check_size(oid, name)
        for block in entries(Git("ls-tree", "-r", "-z", "--full-tree", oid)):
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
