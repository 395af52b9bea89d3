"""A real repository to test on."""

from __future__ import annotations

import hashlib
import marshal
import os
import struct
import subprocess
import zlib
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING, NamedTuple

import pytest

from helpers.git_version import HAS_GIT, is_git_older_than

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: A `.pyc` of this Python, made when needed; the project stores no bytecode.
BYTECODE = MAGIC_NUMBER + struct.pack("<III", 0, 0, 0) + marshal.dumps(compile("", "a.py", "exec"))


#: Options of `git init` that do not depend on where the repository is.
COPIED_OPTIONS = {"--bare", "--object-format=sha1", "--object-format=sha256"}


def is_redirected() -> bool:
    """Return whether the environment leads git to another repository, or has settings of its own."""
    names = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS")
    return any(name in os.environ for name in names)


#: Directories and files that `git init` makes, by its options and the file system, which it examines.
EMPTY: dict[tuple[frozenset[str], int], dict[Path, bytes | None]] = {}


def init(path: Path, *options: str) -> None:
    """Make a repository with `git init`, or, if it made the same before, with the files of that."""
    if is_redirected() or path.exists() or not set(options) <= COPIED_OPTIONS:
        run_git_init(path, *options)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    key = frozenset(options), path.parent.stat().st_dev
    if key not in EMPTY:
        run_git_init(path, *options)
        EMPTY[key] = {
            each.relative_to(path): each.read_bytes() if each.is_file() else None
            for each in [path, *sorted(path.rglob("*"))]
        }
        return
    for name, content in EMPTY[key].items():
        if content is None:
            (path / name).mkdir()
        else:
            (path / name).write_bytes(content)


def run_git_init(path: Path, *options: str) -> None:
    """Make a repository with branch `main` and no hooks."""
    command = ["git", "-c", "init.defaultBranch=main", "init", "-q", "--template="]
    subprocess.run([*command, *options, os.fspath(path)], check=True)
    if is_git_older_than(28):  # `init.defaultBranch` is newer
        Repo(path).git("symbolic-ref", "HEAD", "refs/heads/main")


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
        init(path, *options)
        return cls(path)

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

    def add_files(self, files: Mapping[str, bytes | str]) -> None:
        """Write files and stage them in one step, ignored or not."""
        for path, data in files.items():
            self.write(path, data)
        self.git("--literal-pathspecs", "add", "-f", "--", *files)

    def blob(self, data: bytes | str) -> str:
        """Store a blob; return its object id."""
        stored = data.encode() if isinstance(data, str) else data
        objects = self._objects()
        if objects is None:
            return self.git("hash-object", "-w", "--stdin", input=stored)
        content = b"blob %d\0%b" % (len(stored), stored)
        oid = hashlib.sha1(content).hexdigest()  # noqa: S324 - the hash of git
        target = objects / oid[:2] / oid[2:]
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(zlib.compress(content, 1))
            target.chmod(0o444)
        return oid

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

    def stage_files(self, files: Mapping[str, bytes | str]) -> None:
        """Add files with their content to the index only, in one step."""
        records = (
            f"100644 {self.blob(data)} 0\t".encode() + os.fsencode(path) + b"\0"
            for path, data in files.items()
        )
        self.git("update-index", "--add", "-z", "--index-info", input=b"".join(records))

    def stage_all(self, paths: Iterable[str]) -> None:
        """Add empty files to the index only, in one step."""
        blob = self.blob(b"")
        records = (f"100644 {blob} 0\t".encode() + os.fsencode(path) + b"\0" for path in paths)
        self.git("update-index", "--add", "-z", "--index-info", input=b"".join(records))

    def make_sparse(self, directory: str, *, is_cone: bool) -> None:
        """Check out only a directory of the top, and with `is_cone` also the files of the top."""
        if not is_git_older_than(35):
            patterns = ["--cone", directory] if is_cone else ["--no-cone", f"/{directory}/"]
            self.git("sparse-checkout", "set", *patterns)
            return
        self.git("config", "core.sparseCheckout", "true")
        self.git("config", "core.sparseCheckoutCone", "true" if is_cone else "false")
        lines = ["/*", "!/*/"] * is_cone + [f"/{directory}/"]
        self.write(".git/info/sparse-checkout", "".join(f"{line}\n" for line in lines))
        self.git("read-tree", "-m", "-u", "HEAD")

    def commit(self, message: str = "c", *options: str) -> str:
        """Commit the index, even if unchanged; return the commit id."""
        # Git would start another process, which finds that it need not collect garbage.
        setting = "maintenance.auto=false"
        self.git("-c", setting, "commit", "-q", "--allow-empty", "-m", message, *options)
        return self._head() or self.git("rev-parse", "HEAD")

    def _head(self) -> str | None:
        """Return the commit of HEAD if two files say it, as gitrepository-layout(5) describes them."""
        if is_redirected():
            return None
        try:
            name = (
                os.fsdecode((self.path / ".git" / "HEAD").read_bytes())
                .removeprefix("ref: ")
                .strip()
            )
            return (self.path / ".git" / name).read_text("utf-8").strip()
        except OSError:
            return None

    def _objects(self) -> Path | None:
        """Return the directory for loose objects of SHA-1, or None: then git is asked."""
        if is_redirected():
            return None
        for git_dir in (self.path / ".git", self.path):
            config = git_dir / "config"
            if (git_dir / "objects").is_dir() and config.is_file():
                return (
                    None if b"objectformat" in config.read_bytes().lower() else git_dir / "objects"
                )
        return None

    def tracked(self) -> list[str]:
        """Return every path of the index, once."""
        listed = self.git("ls-files", "-z", "--full-name", "--", ":/")
        return list(dict.fromkeys(listed.split("\0")[:-1]))
