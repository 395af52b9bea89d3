"""A real repository to test on."""

from __future__ import annotations

import marshal
import os
import struct
import subprocess
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING, NamedTuple

import pytest

from helpers.git_version import HAS_GIT, is_git_older_than

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: A `.pyc` of this Python, made when needed; the project stores no bytecode.
BYTECODE = MAGIC_NUMBER + struct.pack("<III", 0, 0, 0) + marshal.dumps(compile("", "a.py", "exec"))


class Result(NamedTuple):
    """Exit code and output of a run of the program."""

    code: int
    out: str
    err: str


class Repo:
    """A work tree with its repository, or a bare repository, at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init(cls, path: Path, *options: str) -> Repo:
        """Make a repository with `git init OPTIONS`, branch `main` and no hooks.

        Skips the test without git, and if git is too old to make one with SHA-256.
        """
        if not HAS_GIT:
            pytest.skip("git is not installed here")
        if is_git_older_than(29):
            options = tuple(option for option in options if option != "--object-format=sha1")
            if "--object-format=sha256" in options:
                pytest.skip("needs git 2.29 or later: SHA-256")
        command = ["git", "-c", "init.defaultBranch=main", "init", "-q", "--template="]
        subprocess.run([*command, *options, os.fspath(path)], check=True)
        made = cls(path)
        if is_git_older_than(28):  # `init.defaultBranch` is newer
            made.git("symbolic-ref", "HEAD", "refs/heads/main")
        return made

    def git(self, *args: str, input: bytes = b"", check: bool = True) -> str:  # noqa: A002 - as `subprocess` has it
        """Run git here; return its stdout, decoded with `os.fsdecode` and stripped."""
        done = subprocess.run(
            ["git", *args], cwd=self.path, input=input, check=False, capture_output=True
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {os.fsdecode(done.stderr)}")
        return os.fsdecode(done.stdout).strip()

    def write(self, path: str, data: bytes | str = b"") -> Path:
        """Write a file in the work tree, directories included."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode() if isinstance(data, str) else data)
        return target

    def add(self, path: str, data: bytes | str = b"") -> Path:
        """Write a file and stage it, ignored or not."""
        target = self.write(path, data)
        self.git("--literal-pathspecs", "add", "-f", "--", path)
        return target

    def blob(self, data: bytes | str) -> str:
        """Store a blob; return its object id."""
        stored = data.encode() if isinstance(data, str) else data
        return self.git("hash-object", "-w", "--stdin", input=stored)

    def stage(
        self, path: str, data: bytes | str = b"", *, mode: str = "100644", stage: int = 0
    ) -> str:
        """Add a path to the index only, so it may be any bytes; return its object id.

        With mode `160000`, `data` is the commit of a submodule.
        """
        oid = str(data) if mode == "160000" else self.blob(data)
        record = f"{mode} {oid} {stage}\t".encode() + os.fsencode(path) + b"\0"
        self.git("update-index", "--add", "-z", "--index-info", input=record)
        return oid

    def stage_all(self, paths: Iterable[str]) -> None:
        """Add empty files to the index only, in one step."""
        blob = self.blob(b"")
        records = (f"100644 {blob} 0\t".encode() + os.fsencode(path) + b"\0" for path in paths)
        self.git("update-index", "--add", "-z", "--index-info", input=b"".join(records))

    def commit(self, message: str = "c", *options: str) -> str:
        """Commit the index, even if unchanged; return the commit id."""
        self.git("commit", "-q", "--allow-empty", "-m", message, *options)
        return self.git("rev-parse", "HEAD")

    def tracked(self) -> list[str]:
        """Return every path of the index, once."""
        listed = self.git("ls-files", "-z", "--full-name", "--", ":/")
        return list(dict.fromkeys(listed.split("\0")[:-1]))
