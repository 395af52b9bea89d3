"""The whole examination."""

from __future__ import annotations

import os

from pycache_guard.cleaning.roots import named
from pycache_guard.doctor import caches
from pycache_guard.doctor import interpreter
from pycache_guard.doctor import state
from pycache_guard.doctor import timing
from pycache_guard.doctor.fact import Diagnosis
from pycache_guard.doctor.fact import Fact
from pycache_guard.doctor.fact import joined
from pycache_guard.doctor.writing import writing
from pycache_guard.git.repository import top
from pycache_guard.git.tracked import enclosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: These say which repository is meant, wherever we stand.
POINTERS = ("GIT_DIR", "GIT_WORK_TREE")


def examined(executable: str, modules: Sequence[str]) -> Diagnosis:
    """Examine an interpreter, the work tree or directory that we stand in, and the import of modules.

    Raises `Failure` where something cannot be examined.
    """
    python = interpreter.examine(executable)
    where = None
    if enclosed(os.curdir) or any(name in os.environ for name in POINTERS):
        where = top()
    root = where or os.curdir
    parts = [interpreter.described(python), writing(python, os.environ, root)]
    walked = named(root)
    try:
        parts.append(state.described(caches.found(walked), python, root))
    finally:
        walked.way.close()
    if where is None:
        parts.append(Diagnosis([no_repository()], []))
    else:
        from pycache_guard.doctor import repository

        parts.append(repository.described(where))
    parts.append(timing.described(modules, python))
    return joined(parts)


def no_repository() -> Fact:
    """Tell that there is nothing to tell of git."""
    return Fact(
        "repository",
        "git",
        "not in a work tree",
        "Whether bytecode is ignored, tracked and refused is told where there is a repository.",
        None,
    )
