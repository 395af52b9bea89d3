"""What stood in the work tree before: the commits that were checked out here."""

from __future__ import annotations

import os
import tempfile

from pycache_guard.git.process import Git
from pycache_guard.git.process import GitFailure
from pycache_guard.git.process import Reading
from pycache_guard.git.tracked import own_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many of the last entries of HEAD's reflog are looked at.
LOOKED_AT = 200


def once_here(directory: str, paths: Sequence[str]) -> set[str]:
    """Return those of `paths`, from `directory`, that were files of a commit checked out here.

    HEAD's reflog knows them (git-reflog(1)); where there is none, nothing was.
    """
    asked = [path for path in paths if "\n" not in path]
    try:
        log = Git(
            *("-C", directory, "rev-list", "--walk-reflogs", f"--max-count={LOOKED_AT}", "HEAD"),
            env=own_environment(),
        ).output()
        with Reading("rev-list"):
            commits = dict.fromkeys(log.decode("ascii").split())
        return files([(commit, path) for commit in commits for path in asked], directory)
    except GitFailure:
        # Not a repository, nothing committed yet, or a partial clone without these trees.
        return set()


def files(questions: Sequence[tuple[str, str]], directory: str) -> set[str]:
    """Return the paths, from `directory`, that are a file in the commit beside them."""
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(os.fsencode(f"{commit}:./{path}\n") for commit, path in questions))
        file.seek(0)
        asking = Git(
            *("-C", directory, "cat-file", "--batch-check=%(objecttype)"),
            stdin=file.fileno(),
            env=own_environment(),
        )
        kinds = asking.output().split(b"\n")[:-1]
    with Reading("cat-file"):
        answers = zip(questions, kinds, strict=True)
        return {path for (_, path), kind in answers if kind == b"blob"}
