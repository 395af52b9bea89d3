"""Repositories to measure on, made without a file on disk."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

IDENTITY = ("-c", "user.name=b", "-c", "user.email=b@example.com")


def git(repository: Path, *args: str, given: bytes = b"") -> str:
    """Run git; return its stdout, stripped."""
    done = subprocess.run(
        ["git", *args], cwd=repository, input=given, stdout=subprocess.PIPE, check=True
    )
    return os.fsdecode(done.stdout).strip()


def repository(directory: Path, listing: bytes, files: dict[str, str]) -> Path:
    """Make a repository with one commit: `listing` for `update-index`, and files, which are on disk.

    `BLOB` in the listing is a blob with a line of Python.
    """
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main")
    for name, content in files.items():
        (directory / name).write_text(content, encoding="utf-8")
    blob = git(directory, "hash-object", "-w", "--stdin", given=b"x = 1\n")
    git(directory, "add", *files)
    lines = listing.replace(b"BLOB", blob.encode("ascii"))
    git(directory, "update-index", "--index-info", given=lines)
    # Not `git commit`, which looks for every file on disk.
    tree = git(directory, "write-tree")
    commit = git(directory, *IDENTITY, "commit-tree", "-m", "c", tree)
    git(directory, "update-ref", "refs/heads/main", commit)
    return directory


def modules(directories: int, files: int, end: str = ".py") -> bytes:
    """Return the listing of a tree of Python modules, or of another kind of file."""
    return b"".join(
        b"100644 BLOB\tsrc/component_%04d/module_%04d%s\n" % (d, f, end.encode("ascii"))
        for d in range(directories)
        for f in range(files)
    )


def history(directory: Path, commits: int) -> Path:
    """Make a bare repository: a tree of 600 modules, one or two changed a commit, every fifth a merge."""
    git(directory.parent, "init", "-q", "--bare", "-b", "main", str(directory))
    fast_import(directory, map(commit, range(1, commits + 1)))
    return directory


def fast_import(directory: Path, commits: Iterable[bytes]) -> None:
    """Make commits of git-fast-import(1)."""
    command = ["git", "fast-import", "--quiet"]
    # Two thirds of its time would go into giving memory back and taking it again: mallopt(3).
    heap = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "1000000000"}
    with subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, env=heap) as process:
        assert process.stdin is not None
        process.stdin.writelines(commits)
    if process.returncode:
        raise SystemExit(f"git fast-import: ended with {process.returncode}")


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
