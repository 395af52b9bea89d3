"""`check-history --all` and `pre-receive`: 40 000 commits, 100 000, and any repository by its path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import memory
from benchmarks.measure import compare, figure
from benchmarks.repositories import IDENTITY, git, history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Figure

PEERS = ()
#: What people type today. It leaves merges out.
TYPED = (
    "git log --all --diff-filter=A --format=%H --name-only -- '*.pyc' '*/__pycache__/*' > /dev/null"
)
#: What reads each object once, as a check of contents has to.
READ = "git rev-list --objects --all --no-object-names | git cat-file --batch --buffer > /dev/null"
#: More repositories to measure, by their paths: `PYCACHE_GUARD_REPOSITORIES=/a:/b`.
OTHERS = "PYCACHE_GUARD_REPOSITORIES"

#: For figures without a target.
NO_TARGET = float("inf")


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure whole histories, and the push of one commit."""
    guard = str(scripts / "pycache-guard")
    made = history(work / "history", 40_000)
    others = filter(None, os.environ.get(OTHERS, "").split(os.pathsep))
    yield from whole(guard, made)
    for repository in map(Path, others):
        yield from whole(guard, repository, repository.name)
    yield remembered(scripts, made, history(work / "tenth", 4_000))
    yield push(guard, history(work / "server", 100_000))
    yield unfolding(guard, work / "unfolding")


def whole(guard: str, repository: Path, name: str = "") -> Iterator[Figure]:
    """Measure all of a history, by path alone and with contents; `name` is that of the repository."""
    count = int(git(repository, "rev-list", "--all", "--count"))
    which = f"{name} {count}".lstrip()
    typed = "git log --all --diff-filter=A (no merges)"
    read = "git rev-list --objects --all | cat-file --batch"
    rows: list[tuple[float, list[str], int, str, str]] = [
        (0.8, ["--content", "none"], 5, typed, TYPED),
        (NO_TARGET, [], 3, typed, TYPED),
        (NO_TARGET, [], 3, read, READ),
    ]
    for bar, options, rounds, peer, line in rows:
        yield compare(
            f"{' '.join(['check-history --all', *options])}, {which}",
            [[guard, "check-history", "--all", *options]],
            peer,
            [["sh", "-c", line]],
            bar,
            cwd=repository,
            rounds=rounds,
        )


def remembered(scripts: Path, large: Path, small: Path) -> Figure:
    """Measure our own process's memory, which is not to grow with history."""

    def own(where: Path) -> float:
        return memory.alone(scripts / "python", ("check-history", "--all"), where, where.parent)

    what = "check-history --all, our memory"
    return figure(what, "a tenth of the commits", [(own(large), own(small))], NO_TARGET, "MB")


def push(guard: str, server: Path) -> Figure:
    """Measure what one more commit costs a server: 3 times `rev-list`, and the program's start."""
    tree = git(server, "rev-parse", "main^{tree}")
    new = git(server, *IDENTITY, "commit-tree", "-m", "new", "-p", "main", tree)
    (server / "line").write_text(f"{'0' * 40} {new} refs/heads/new\n", encoding="ascii")
    ours = [["sh", "-c", f"GIT_DIR=. '{guard}' pre-receive < line"]]
    listed = ["sh", "-c", f"git rev-list {new} --not --all"]
    start = ["sh", "-c", f"'{guard}' --version"]
    return compare(
        "pre-receive, 1 commit to a server with 100 000",
        ours,
        "3 git rev-list + pycache-guard --version",
        [listed, listed, listed, start],
        1.0,
        cwd=server,
        rounds=30,
    )


def unfolding(guard: str, server: Path) -> Figure:
    """Measure the refusal of 2 KB of trees with 10^9 paths, which git takes hours to list."""
    git(server.parent, "init", "-q", "--bare", "-b", "main", str(server))
    blob = git(server, "hash-object", "-w", "--stdin", given=b"x")
    entry = f"100644 blob {blob}\tf"
    for _ in range(9):
        lines = "".join(f"{entry}{n}\n" for n in range(10))
        tree = git(server, "mktree", given=lines.encode("ascii"))
        entry = f"040000 tree {tree}\td"
    new = git(server, *IDENTITY, "commit-tree", "-m", "new", tree)
    (server / "line").write_text(f"{'0' * 40} {new} refs/heads/new\n", encoding="ascii")
    return compare(
        "pre-receive, 2 KB that unfold to 10^9 paths: refused",
        [["sh", "-c", f"GIT_DIR=. '{guard}' pre-receive < line 2> /dev/null; test $? = 2"]],
        "pycache-guard --version",
        [[guard, "--version"]],
        NO_TARGET,
        cwd=server,
        rounds=5,
    )
