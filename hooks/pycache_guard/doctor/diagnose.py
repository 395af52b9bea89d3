"""Run all parts of `doctor`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.clean.roots import reject_vcs_internals, root_for
from pycache_guard.doctor import caches, interpreter, state, timing
from pycache_guard.doctor.interpreter import NO_WRITE_VARIABLE, describe_writing, is_redirected
from pycache_guard.doctor.report import DoctorReport, Fact, merge_reports
from pycache_guard.errors import Failure
from pycache_guard.fs.vcs import find_mark
from pycache_guard.git.process import git_output
from pycache_guard.git.repository import toplevel
from pycache_guard.interpreters.identity import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.interpreters.identity import Interpreter

#: Variables that select a repository in any directory (git(1)).
POINTERS = ("GIT_DIR", "GIT_WORK_TREE")
#: The message in a bare repository and in a git directory.
NO_WORK_TREE = "not inside a work tree; there are no sources and no index to examine"


def diagnose(executable: str, modules: Sequence[str]) -> DoctorReport:
    """Examine an interpreter, the current work tree or directory, and the import of modules.

    A part that cannot be examined is among the failures; the others are reported. Raises `Failure` if the
    interpreter does not answer.
    """
    python = ask(executable)
    where, failures = find_work_tree()
    root = where or os.curdir
    is_tree = where is not None
    parts = [interpreter.describe_interpreter(python), describe_writing(python, os.environ, root)]
    # If git refuses the repository, `clean` refuses it too.
    can_clean = not failures
    try:
        parts.append(describe_caches(python, root, can_clean=can_clean))
    except Failure as failure:
        failures = failures or [str(failure)]
    if failures:
        parts.append(DoctorReport([unknown_repository_fact()], []))
    elif not is_tree:
        parts.append(DoctorReport([no_repository_fact()], []))
    if is_tree:
        from pycache_guard.doctor import repository

        described = repository.describe_repository if can_clean else repository.describe_without_git
        parts.append(described(root))
    parts.append(timing.describe_times(modules, python))
    parts.append(DoctorReport([], [], failures))
    return merge_reports(parts)


def find_work_tree() -> tuple[str | None, list[str]]:
    """Return the top of the work tree, or None without one, and the errors of git.

    If git does not answer, the directory with the nearest `.git` is the top.
    """
    mark = find_mark(os.curdir)
    if mark is None and not any(name in os.environ for name in POINTERS):
        try:
            reject_vcs_internals(os.curdir)
        except Failure:
            return None, [NO_WORK_TREE]
        return None, []
    try:
        git_output("rev-parse", "--git-dir")
        where = toplevel()
        if where is not None:
            # Reads the index, which can be damaged, and lists nothing: no entry has this name.
            git_output("ls-files", "--", ":(top,literal).git")
    except Failure as failure:
        place = os.path.dirname(mark) if mark else os.curdir
        return os.curdir if os.path.samefile(place, os.curdir) else place, [str(failure)]
    if where is None:
        return None, [NO_WORK_TREE]
    return where, []


def describe_caches(python: Interpreter, root: str, *, can_clean: bool) -> DoctorReport:
    """Return facts and findings about the caches below a directory."""
    walked = root_for(root)
    is_written = not os.environ.get(NO_WRITE_VARIABLE) and not is_redirected(python, os.environ)
    try:
        found = caches.scan_caches(walked)
    finally:
        walked.cursor.close()
    return state.summarize(found, python, root, is_written=is_written, can_clean=can_clean)


def no_repository_fact() -> Fact:
    """Return the fact that there is no work tree."""
    return Fact(
        "repository",
        "git",
        "not in a work tree",
        "Inside a repository, doctor also checks the ignore files, the index and the hooks.",
        None,
    )


def unknown_repository_fact() -> Fact:
    """Return the fact that git does not answer."""
    return Fact(
        "repository",
        "git",
        "does not answer for this directory",
        "Ignore files, index and hooks could not be checked.",
        None,
    )
