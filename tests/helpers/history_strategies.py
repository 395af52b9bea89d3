"""Random histories, and a slow reference of what their commits add."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from helpers.repo import BYTECODE
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.sniff import is_bytecode

if TYPE_CHECKING:
    from helpers.repo import Repo

PATHS = ("a.pyc", "a.py", "d/__pycache__/x", "d/b.bin", "d", "caf\udce9.PYC", 'q"\n\t.pyc')
CONTENTS = (b"", b"text\n", BYTECODE, BYTECODE + b"more")
MODES = ("100644", "100755", "120000", "160000")
#: The commit of every submodule.
ELSEWHERE = "1" * 40


class Commit(NamedTuple):
    """One commit: numbers of parents, and changes by path; `None` deletes the path."""

    parents: list[int]
    changes: dict[str, tuple[str, bytes] | None]
    message: bytes
    encoding: str


CHANGE = st.one_of(st.none(), st.tuples(st.sampled_from(MODES), st.sampled_from(CONTENTS)))
CHANGES = st.dictionaries(st.sampled_from(PATHS), CHANGE, max_size=4)


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Draw commits: roots, merges and octopus merges, with any changes."""
    commits: list[Commit] = []
    for n in range(draw(st.integers(1, 7))):
        earlier = st.lists(st.integers(0, n - 1), max_size=3, unique=True) if n else st.just([])
        commits.append(
            Commit(
                draw(earlier),
                draw(CHANGES),
                draw(st.sampled_from([b"", b"m\n", b"caf\xe9\n", b"\n\n:100644 \0"])),
                draw(st.sampled_from(["", "ISO-8859-1", "no-such"])),
            )
        )
    return commits


def build(repo: Repo, commits: list[Commit]) -> list[str]:
    """Make the commits, each with a branch; return their ids."""
    stream = [b"feature done\n"]
    for n, commit in enumerate(commits):
        name = f"refs/heads/b{n}"
        stream.append(f"reset {name}\n\ncommit {name}\nmark :{n + 1}\n".encode())
        stream.append(b"committer C <c@example.com> %d +0000\n" % (1_700_000_000 + (n * 7) % 5))
        if commit.encoding:
            stream.append(f"encoding {commit.encoding}\n".encode())
        stream.append(b"data %d\n%s\n" % (len(commit.message), commit.message))
        for verb, parent in zip(["from", *["merge"] * 9], commit.parents, strict=False):
            stream.append(f"{verb} :{parent + 1}\n".encode())
        for path, change in commit.changes.items():
            stream.append(line(path, change))
    repo.git("fast-import", "--quiet", "--force", input=b"".join([*stream, b"done\n"]))
    return repo.git("rev-parse", *(f"b{n}" for n in range(len(commits)))).split()


def line(path: str, change: tuple[str, bytes] | None) -> bytes:
    """Return the fast-import command that sets or deletes `path`."""
    quoted = "".join(chr(b) if chr(b).isalnum() else f"\\{b:03o}" for b in os.fsencode(path))
    name = f'"{quoted}"\n'.encode()
    if change is None:
        return b"D " + name
    mode, content = change
    if mode == "160000":
        return f"M 160000 {ELSEWHERE} ".encode() + name
    return f"M {mode} inline ".encode() + name + b"data %d\n%s\n" % (len(content), content)


#: Mode and object id by path.
Tree = dict[str, tuple[str, str]]


def tree(repo: Repo, commit: str) -> Tree:
    """Return the files of a commit."""
    records = repo.git("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")[:-1]
    return {
        record.split("\t", 1)[1]: (record.split(" ")[0], record.split("\t")[0].split(" ")[2])
        for record in records
    }


def reference_added_paths(repo: Repo, commits: list[str]) -> set[tuple[str, str, str, str]]:
    """Return commit, mode, object and path of each entry that no parent of the commit has."""
    found = set()
    for commit in commits:
        parents = [
            tree(repo, parent)
            for parent in repo.git("rev-parse", f"{commit}^@", "--").split()
            if parent != "--"
        ]
        for path, (mode, oid) in tree(repo, commit).items():
            same = (parent.get(path, ("", "")) for parent in parents)
            if all((kind[:3], other) != (mode[:3], oid) for kind, other in same):
                found.add((commit, mode, oid, path))
    return found


def reference_bytecode(repo: Repo, commits: list[str]) -> dict[tuple[str, str, str], set[str]]:
    """Return the commits that add bytecode, by code, path and object."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for commit, mode, oid, path in reference_added_paths(repo, commits):
        if is_bytecode_path(os.fsencode(path)):
            found.setdefault(("PYC001", path, oid), set()).add(commit)
        elif mode != "160000" and is_bytecode(os.fsencode(repo.git("cat-file", "-p", oid))):
            found.setdefault(("PYC002", path, oid), set()).add(commit)
    return found
