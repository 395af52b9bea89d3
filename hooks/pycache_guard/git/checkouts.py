"""Paths that HEAD's reflog shows were once checked out here."""

from __future__ import annotations

import os
import tempfile
from itertools import pairwise

from pycache_guard.git.listing import blocks
from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading
from pycache_guard.git.tracked import own_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Iterator
    from collections.abc import Sequence

#: How many of the last entries of HEAD's reflog are looked at.
LOOKED_AT = 200
#: The mode of a submodule in the raw format (git-diff-tree(1)).
SUBMODULE = b"160000"


def once_here(directory: str, paths: Sequence[str]) -> set[str]:
    """Return those of `paths`, from `directory`, that were files of a commit checked out here.

    HEAD's reflog knows the commits (git-reflog(1)); without a reflog, nothing was checked out.
    """
    asked = {os.fsencode(path): path for path in paths}
    found: set[str] = set()
    names = _names(directory)
    try:
        for name in names:
            path = asked.pop(name, None)
            if path is not None:
                found.add(path)
                if not asked:
                    break
    except GitFailure:
        # Not a repository, nothing committed yet, or a partial clone without these trees. What was
        # read before that is right.
        pass
    finally:
        names.close()
    return found


def _names(directory: str) -> Generator[bytes, None, None]:
    """Yield the files of the commits in the reflog below a directory, as paths from there.

    Those are the files of one commit, and what differs from each to the next: git compares only
    directories that differ, so that two hundred commits cost little more than one.
    """
    log = Git(
        *("-C", directory, "rev-list", "--walk-reflogs", f"--max-count={LOOKED_AT}", "HEAD"),
        env=own_environment(),
    ).output()
    with Reading("rev-list"):
        commits = [*dict.fromkeys(log.decode("ascii").split())]
        first = commits[0]
    listing = Git("-C", directory, "ls-tree", "-r", "-z", first, env=own_environment())
    try:
        for block in blocks(listing):
            for record in block.split(b"\0")[:-1]:
                head, _, path = record.partition(b"\t")
                if not head.startswith(SUBMODULE):
                    yield path
    finally:
        listing.kill()
    with tempfile.TemporaryFile() as file:
        pairs = pairwise(commits)
        file.write("".join(f"{one} {other}\n" for one, other in pairs).encode("ascii"))
        file.seek(0)
        comparing = Git(
            *("-C", directory, "diff-tree", "--stdin", "-r", "--raw", "-z", "--relative"),
            *("--no-renames", "--no-commit-id", "--ignore-submodules=none"),
            stdin=file.fileno(),
            env=own_environment(),
        )
        try:
            yield from _sides(comparing)
        finally:
            comparing.kill()


def _sides(comparing: Git) -> Iterator[bytes]:
    """Yield each path of a raw comparison that is a file on one of its sides."""
    head = b""
    for block in blocks(comparing):
        for word in block.split(b"\0")[:-1]:
            if not head:
                head = word
                continue
            # `:100644 000000 ID ID D`: the modes of both sides.
            if any(mode[:3] in (b"100", b"120") for mode in head.lstrip(b":").split(b" ")[:2]):
                yield word
            head = b""
