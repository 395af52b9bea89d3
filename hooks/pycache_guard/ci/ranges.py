"""Find the commits of a run in the clone, and the commit whose configuration counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.errors import Failure
from pycache_guard.git.process import Git, git_output
from pycache_guard.git.repository import try_rev_parse
from pycache_guard.git.revisions import Revisions, parse_ranges

if TYPE_CHECKING:
    from pycache_guard.ci.systems import CiRun, System

#: Where a clone keeps the branches of the server.
REMOTE = "refs/remotes/origin/"
#: Names of default branches, for clones that do not record it (`git init` and `git fetch`).
USUAL_DEFAULTS = ("main", "master")

#: Notes about the name of a system, and about a commit.
UNKNOWN_START = (
    "{} does not say which commits are new, so all commits of the branch were checked;"
    " `--range BASE..HEAD` names them."
)
OTHER_WORK_TREE = (
    "The work tree does not contain commit {}, so only the commits of this run were checked, not its"
    " files and ignore rules."
)


class RunCommits(NamedTuple):
    """The commits that a run checks."""

    #: None if the run brings no commits.
    revisions: Revisions | None
    #: The same as a range for people, empty if there are none.
    text: str
    #: The commit whose configuration counts; None for the configuration of the index.
    base: str | None
    #: Sentences for the report.
    notes: tuple[str, ...] = ()


def range_commits(word: str) -> RunCommits:
    """Return the commits of the option `--range`. Raises `Failure` for what is not a range."""
    revisions = parse_ranges([word])
    base = next(iter(revisions.excluded), None)
    return RunCommits(revisions, word, base)


def run_commits(run: CiRun, system: System) -> RunCommits:
    """Return the commits of a run.

    What a system says is used first: a request is compared with its base, a push with what the branch
    had before. Otherwise a branch or a tag is compared with the default branch. The default branch
    itself is checked as a whole if a push started the run: an unknown part of it is new.

    Raises `Failure`, with the line that makes the clone complete, if a commit is not there.
    """
    head = find_commit(run.head or "HEAD", system)
    notes = describe_work_tree(run, head)
    if run.is_request:
        return request_commits(run, system, head, notes)
    if run.base is not None:
        base = try_commit(run.base)
        if base is not None:
            return RunCommits(Revisions({head: "HEAD"}, [base]), f"{base}..{head}", base, notes)
        if is_shallow():
            raise missing(run.base, system)
        notes = (*notes, describe_force_push(run.base))
    default = default_branch(run)
    if default is not None and default != run.branch:
        ref = require_branch(default, system)
        # Without the name of a branch, a push to the default branch must not pass as an old commit.
        is_unnamed = run.branch is None and not (run.is_tag or system.names_commits)
        if not (is_unnamed and is_ancestor(head, ref)):
            return RunCommits(Revisions({head: "HEAD"}, [ref]), f"{ref}..{head}", ref, notes)
    if not run.is_change:
        return RunCommits(None, "", None, notes)
    if not system.names_commits:
        notes = (*notes, UNKNOWN_START.format(system.name))
    return RunCommits(Revisions({head: "HEAD"}), head, None, notes)


def request_commits(run: CiRun, system: System, head: str, notes: tuple[str, ...]) -> RunCommits:
    """Return the commits of a request. Raises `Failure` if its base is unknown or not there."""
    if run.base is not None:
        base = find_commit(run.base, system)
    elif run.target is not None:
        base = require_branch(run.target, system)
    else:
        raise Failure(f"{system.name} names no base of this request; pass --range BASE..HEAD")
    excluded = [base]
    if try_rev_parse("HEAD^2^{commit}") == head:
        # The system has merged the request into the newest commit of the base.
        excluded += filter(None, [try_rev_parse("HEAD^1^{commit}")])
    return RunCommits(Revisions({head: "HEAD"}, excluded), f"{base}..{head}", base, notes)


def describe_work_tree(run: CiRun, head: str) -> tuple[str, ...]:
    """Return a note if the checked out commit does not contain the run.

    `pull_request_target` of GitHub checks out the base of a request.
    """
    if run.head is None or try_rev_parse("HEAD^{commit}") == head:
        return ()
    if is_ancestor(head, "HEAD"):
        return ()
    return (OTHER_WORK_TREE.format(head),)


def is_ancestor(older: str, newer: str) -> bool:
    """Return whether one commit contains another one, or is it."""
    process = Git("merge-base", "--is-ancestor", older, newer)
    process.read()
    return process.wait(allowed=(0, 1)) == 0


def describe_force_push(commit: str) -> str:
    """Return the note for a branch whose earlier commit is gone."""
    return (
        f"Commit {commit}, which the branch had before, is not in this clone (a force push), so more"
        " commits than the new ones were checked."
    )


def find_commit(name: str, system: System) -> str:
    """Return the id of a commit. Raises `Failure` with advice if it is not in the clone."""
    found = try_commit(name)
    if found is None:
        raise missing(name, system)
    return found


def try_commit(name: str) -> str | None:
    """Return the id of the commit that an id or HEAD names; None if it is not in the clone.

    An id may be shortened. A tag of such a name does not count.
    """
    found = try_rev_parse(f"{name}^{{commit}}")
    if found is None or name == "HEAD" or found.startswith(name):
        return found
    # The id of an annotated tag names a commit of another id.
    is_full = len(name) == len(found)
    return found if is_full else None


def missing(name: str, system: System) -> Failure:
    """Return the failure for a commit that is not in the clone."""
    if is_shallow():
        return Failure(f"commit {name} is not in this shallow clone; add {system.full_clone}")
    return Failure(f"commit {name} is not in this clone; fetch it: git fetch origin {name}")


def is_shallow() -> bool:
    """Return whether the clone lacks the parents of some commits."""
    return git_output("rev-parse", "--is-shallow-repository") == b"true\n"


def default_branch(run: CiRun) -> str | None:
    """Return the name of the default branch; None if neither the system nor the clone tells it."""
    if run.default_branch is not None:
        return run.default_branch
    process = Git("symbolic-ref", "--quiet", f"{REMOTE}HEAD")
    name = os.fsdecode(b"".join(iter(process.read, b""))[:-1])
    process.wait(allowed=(0, 1, 128))  # 1: there is none (git-symbolic-ref(1))
    if name.startswith(REMOTE):
        return name.removeprefix(REMOTE)
    known = [branch for branch in USUAL_DEFAULTS if try_branch(branch)]
    return known[0] if len(known) == 1 else None


def require_branch(name: str, system: System) -> str:
    """Return the commit of a branch of the server. Raises `Failure` if the clone lacks it."""
    found = try_branch(name)
    if found is None:
        raise Failure(
            f"branch {name} is not in this clone; add {system.full_clone}, or run"
            f" git fetch origin +refs/heads/{name}:{REMOTE}{name}"
        )
    return found


def try_branch(name: str) -> str | None:
    """Return the commit of a branch of the server, or None."""
    return try_rev_parse(f"{REMOTE}{name}^{{commit}}")
