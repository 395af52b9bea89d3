"""A fresh clone with real bytecode, in which git shows what another person would add."""

from __future__ import annotations

import os
import py_compile
import subprocess
from typing import TYPE_CHECKING

from helpers.repo import BYTECODE, Repo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class FreshClone:
    """A clone of what is staged in a repository."""

    def __init__(self, repo: Repo, path: Path) -> None:
        commit = repo.git("commit-tree", "-m", "c", repo.git("write-tree"))
        repo.git("update-ref", "refs/heads/for-the-clone", commit)
        command = ["git", "clone", "-q", "--template=", "-b", "for-the-clone"]
        subprocess.run([*command, os.fspath(repo.path), os.fspath(path)], check=True)
        self._root = os.fsencode(path)
        self._repo = Repo(path)
        self._own: set[bytes] = set()

    def create(self, paths: Iterable[bytes]) -> None:
        """Put bytecode at each path."""
        for path in paths:
            whole = os.path.join(self._root, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, "wb") as file:
                file.write(BYTECODE)

    def write(self, source: str) -> None:
        """Write a new module, and exclude it from `untracked`."""
        self._repo.write(source)
        self._own.add(os.fsencode(source))

    def clean(self) -> None:
        """Remove all bytecode."""
        for directory, _, files in os.walk(self._root):
            for file in files:
                if b".py" in file and not file.endswith(b".py"):
                    os.unlink(os.path.join(directory, file))

    def compile(self, source: str) -> None:
        """Compile a source as Python does, with and without `-O`, and leave interrupted writes."""
        whole = os.path.join(os.fsdecode(self._root), source)
        for level in (0, 1):
            written = py_compile.compile(whole, doraise=True, optimize=level)
            with open(f"{written}.{id(written)}", "wb") as file:
                file.write(BYTECODE[:9])

    def compile_legacy(self, source: str) -> None:
        """Compile a source next to it, as Python 2 does, with and without `-O`."""
        whole = os.path.join(os.fsdecode(self._root), source)
        stem = os.path.splitext(whole)[0]
        for suffix in (".pyc", ".pyo"):
            py_compile.compile(whole, cfile=stem + suffix, doraise=True)

    def untracked(self) -> set[bytes]:
        """Return the untracked paths that `git add -A` would add."""
        shown = self._repo.git("status", "--porcelain", "-z", "-uall", "--ignored=no")
        records = os.fsencode(shown).split(b"\0")[:-1]
        return {record[3:] for record in records if record.startswith(b"?? ")} - self._own
