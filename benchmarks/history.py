"""`check-history --all` and `pre-receive`: 40 000 commits, 100 000, and any repository by argument."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure
from benchmarks.measure import compare

if TYPE_CHECKING:
    from collections.abc import Iterator

PEERS = ()
#: What people type today. It leaves merges out.
TYPED = (
    "git log --all --diff-filter=A --format=%H --name-only -- '*.pyc' '*/__pycache__/*' > /dev/null"
)
#: More repositories to measure, by their paths: `PYCACHE_GUARD_REPOSITORIES=/a:/b`.
OTHERS = "PYCACHE_GUARD_REPOSITORIES"


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure whole histories, and the push of one commit."""
    guard = str(scripts / "pycache-guard")
    made = history(work / "history", 40_000)
    others = filter(None, os.environ.get(OTHERS, "").split(os.pathsep))
    for repository in (made, *map(Path, others)):
        yield from whole(guard, repository)
    yield push(guard, history(work / "server", 100_000))


def whole(guard: str, repository: Path) -> Iterator[Figure]:
    """Measure all of a history, by path alone and with contents."""
    count = int(git(repository, "rev-list", "--all", "--count"))
    typed = [["sh", "-c", TYPED]]
    for bar, options in ((0.8, ["--content", "none"]), (None, [])):
        yield compare(
            f"{' '.join(['--all', *options])}, {count} commits",
            [[guard, "check-history", "--all", *options]],
            "git log --all --diff-filter=A (no merges)",
            typed,
            float("inf") if bar is None else bar,
            cwd=repository,
            rounds=5,
        )


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
        rounds=20,
    )


IDENTITY = ("-c", "user.name=b", "-c", "user.email=b@example.com")


def git(repository: Path, *args: str) -> str:
    """Run git; return its stdout, stripped."""
    done = subprocess.run(["git", *args], cwd=repository, capture_output=True, check=True)
    return os.fsdecode(done.stdout).strip()


def history(directory: Path, commits: int) -> Path:
    """Make a bare repository: a tree of 600 modules, one or two changed a commit, every fifth a merge."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(directory)], check=True)
    command = ["git", "fast-import", "--quiet"]
    with subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for n in range(1, commits + 1):
            process.stdin.write(commit(n))
    if process.returncode:
        raise SystemExit(f"git fast-import: ended with {process.returncode}")
    return directory


def commit(n: int) -> bytes:
    """Return one commit for fast-import; the first has everything."""
    paths = range(600) if n == 1 else {n * 7 % 600, n * n % 600}
    parents = b"" if n == 1 else b"from :%d\n" % (n - 1)
    if n % 5 == 0 and n > 10:
        # A merge of what left the line four commits ago, and changed a file there.
        side = b"commit refs/heads/side\nmark :%d\n" % (n + 10_000_000)
        side += b"committer b <b@example.com> %d +0000\ndata 0\nfrom :%d\n" % (n, n - 4)
        side += change(n * 11 % 600, b"side %d" % n)
        parents += b"merge :%d\n" % (n + 10_000_000)
    else:
        side = b""
    line = b"commit refs/heads/main\nmark :%d\n" % n
    line += b"committer b <b@example.com> %d +0000\ndata 0\n%s" % (n, parents)
    return side + line + b"".join(change(path, b"%d" % n) for path in sorted(paths))


def change(path: int, text: bytes) -> bytes:
    """Return what sets a module's content."""
    content = b"# module %d\n%s\n" % (path, b"value = %s\n" % text * 20)
    name = b"src/component_%02d/module_%02d.py" % (path // 20, path % 20)
    return b"M 644 inline %s\ndata %d\n%s\n" % (name, len(content), content)
