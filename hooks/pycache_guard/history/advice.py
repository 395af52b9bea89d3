"""Advise on commits with bytecode: rewrite those that are not pushed, or all of history.

A commit counts as not pushed if a local branch leads to it and no remote-tracking ref does. In a bare
repository, and for a detached HEAD as in CI, others may have every commit.
"""

from __future__ import annotations

from pycache_guard.git.process import git_output
from pycache_guard.git.repository import is_sparse
from pycache_guard.git.repository import toplevel
from pycache_guard.git.repository import try_rev_parse
from pycache_guard.git.revisions import Revisions
from pycache_guard.remedies import rewrite_history
from pycache_guard.remedies import rewrite_unpushed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence

ROTATE = "treat any secrets in it as leaked and rotate them"
#: Printed once, if there is a finding whose commit a remote may have.
REWRITE_NOTE = (
    "`git filter-repo` takes the paths out of all history, in a fresh clone: every commit from the"
    " first of them on gets a new id, and the clone loses its remote. Add the remote again,"
    " force-push all branches and tags, and ask everyone who has a clone to clone again: see"
    " docs/history.md"
)


class Advice:
    """A sentence and a command for each commit with bytecode."""

    def __init__(
        self,
        paths: Mapping[str, Sequence[str]],
        sentences: Mapping[str, str],
        commands: Mapping[str, str | None],
    ) -> None:
        self._firsts = {commit: several[0] for commit, several in paths.items()}
        self._ranks = {commit: n for n, commit in enumerate(paths)}
        self._sentences = sentences
        self._commands = commands

    def rank(self, commit: str) -> int:
        """Return the place of `commit` in the order of history."""
        return self._ranks.get(commit, len(self._ranks))

    def sentence(self, commit: str, path: str) -> str:
        """Return what follows the description of `path` in `commit`: nothing except at its first."""
        return self._sentences[commit] if path == self._firsts[commit] else ""

    def command(self, commit: str) -> str | None:
        """Return the command that takes it out, or None where one command does not."""
        return self._commands.get(commit)


def advise(
    paths: Mapping[str, Sequence[str]], allowed: Sequence[str], *, is_receiving: bool
) -> Advice:
    """Return what to do about commits, the oldest first, that bring in `paths`, in order.

    The globs `allowed` match what may stay. With `is_receiving` they are about to come in: who has to act is elsewhere.
    """
    if is_receiving or not paths:
        return Advice(paths, {c: f"the push is refused; {dropped(c)}" for c in paths}, {})
    is_bare = toplevel() is None
    unpushed = [] if is_bare else find_unpushed(paths)
    pushed = [commit for commit in paths if commit not in unpushed]
    remote = None if is_bare else remote_name()
    shared = rewrite_history(all_paths(paths, pushed), remote, is_bare=is_bare)
    sentences = dict.fromkeys(pushed, f"others may have it: {ROTATE}")
    commands: dict[str, str | None] = dict.fromkeys(pushed, shared)
    line = find_line(unpushed)
    rewrite = rewrite_line(all_paths(paths, line), allowed, line)
    for commit in unpushed:
        commands[commit] = rewrite if commit in line else None
        sentences[commit] = f"it is not pushed: {dropped(commit, merges=commit not in line)}"
        if commands[commit]:
            sentences[commit] += ", or the command below"
    return Advice(paths, sentences, commands)


def all_paths(paths: Mapping[str, Sequence[str]], commits: Iterable[str]) -> list[str]:
    """Return what commits bring in, each path once."""
    return sorted({path for commit in commits for path in paths[commit]})


def dropped(commit: str, *, merges: bool = False) -> str:
    """Return how a person takes something out of a commit, with `merges` where some may follow."""
    parents = parents_of(commit)
    option = " --rebase-merges" if merges or len(parents) > 1 else ""
    return f"`git rebase -i{option} {parents[0][:12] if parents else '--root'}` can drop it"


def parents_of(commit: str) -> list[str]:
    """Return the parents of a commit, by id."""
    return git_output("rev-list", "--parents", "-n1", commit).decode("ascii").split()[1:]


def find_unpushed(commits: Iterable[str]) -> list[str]:
    """Return the commits that a local branch leads to and no remote-tracking ref, oldest first."""
    return [*Revisions({}, (), "--branches", "--not", "--remotes").in_order({*commits})]


def remote_name() -> str | None:
    """Return `origin` if there is a remote of this name, else the first remote."""
    names = git_output("remote").decode("utf-8", "surrogateescape").split("\n")[:-1]
    return "origin" if "origin" in names else next(iter(names), None)


def find_line(unpushed: Sequence[str]) -> list[str]:
    """Return those of the commits that one rewrite of the newest commits of HEAD takes in.

    From the first of them up to HEAD, which is a branch, no commit is a merge.
    """
    if not unpushed or try_rev_parse("HEAD^{commit}") is None:
        return []
    if git_output("rev-parse", "--symbolic-full-name", "HEAD") == b"HEAD\n":
        return []
    newest = git_output("rev-list", "--parents", "--first-parent", "HEAD", "--not", "--remotes")
    line: list[str] = []
    for text in newest.decode("ascii").splitlines():
        commit, *parents = text.split(" ")
        if len(parents) > 1:
            break
        line.append(commit)
    return [commit for commit in unpushed if commit in {*line}]


def rewrite_line(
    paths: Sequence[str], allowed: Sequence[str], commits: Sequence[str]
) -> str | None:
    """Return the command that makes one commit of the first of `commits` and all since."""
    if not commits:
        return None
    head = git_output("rev-parse", "HEAD").decode("ascii").strip()
    parents = parents_of(commits[0])
    return rewrite_unpushed(
        paths,
        allowed,
        tip=head,
        base=parents[0] if parents else None,
        is_amend=commits[0] == head,
        sparse=is_sparse(),
    )
