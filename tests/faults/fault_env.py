"""A repository that has every problem, and the ways to call each command on it.

`test_table.py` checks that the table has every command of `cli.COMMANDS`.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from conftest import PROGRAM
from helpers.repo import BYTECODE, Repo, Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals, descriptors, permissions")
#: An hour in all: `python -m pytest --no-cov -m slow tests/faults`, see CONTRIBUTING.md.
slow = pytest.mark.slow

#: Given as `--python`, so that no other interpreter is searched for.
PYTHON = sys.executable


class Call(NamedTuple):
    """One way to call a command."""

    command: str
    options: tuple[str, ...] = ()
    #: Text on stdin: ref lines for hooks that read them, else empty.
    stdin: str = ""
    #: Whether it changes the repository, an ignore file or caches.
    writes: bool = False

    @property
    def argv(self) -> tuple[str, ...]:
        """The arguments of the program."""
        return (self.command, *self.options)

    def __str__(self) -> str:
        return " ".join([self.command, *(o for o in self.options if o != PYTHON)])


#: Seconds after which a run counts as hanging.
PATIENCE = 60
NONE = "0" * 40
PUSHED = f"refs/heads/main {{head}} refs/heads/main {NONE}\n"
RECEIVED = f"{NONE} {{incoming}} refs/heads/new\n"

INVOCATIONS = (
    Call("forbid-bytecode"),
    Call("forbid-bytecode", ("--staged", "--content", "all")),
    Call("forbid-bytecode", ("--tree", "HEAD")),
    Call("forbid-bytecode", ("--fix",), writes=True),
    Call("check-gitignore"),
    Call("check-gitignore", ("--fix",), writes=True),
    Call("check-history"),
    Call("check-history", ("--all",)),
    Call("pre-push", ("origin", "url"), PUSHED),
    Call("pre-receive", (), RECEIVED),
    Call("ci", ("--range", "HEAD~1..HEAD")),
    Call("verify-bytecode", ("--tracked", "--python", PYTHON)),
    Call("verify-bytecode", ("--python", PYTHON, "pkg")),
    Call("inspect", ("HEAD:data.bin", "pkg/data.bin")),
    Call("fix", (), writes=True),
    Call("fix", ("--dry-run",)),
    Call("lint"),
    Call("lint", (".",)),
    Call("clean", ("--dry-run",)),
    Call("clean", (), writes=True),
    Call("clean", ("--orphans", "--verbose"), writes=True),
    Call("clean", ("--include-tracked",), writes=True),
    Call("check-dockerignore"),
    Call("check-dockerignore", ("--fix",), writes=True),
    Call("check-dist", ("dist/x-1-py3-none-any.whl",)),
    Call("check-bundle", ("pkg",)),
    Call("doctor"),
)
#: One call per command, for faults that do not depend on the options.
ONE_EACH = tuple({call.command: call for call in reversed(INVOCATIONS)}.values())
WRITING = tuple(call for call in INVOCATIONS if call.writes)
#: Calls per test in the default suite, different ones for each test; the others are marked slow.
QUICK = 2


def parametrize_calls(calls: Sequence[Call], number: int) -> pytest.MarkDecorator:
    """Parametrize a test by calls; `number` selects those that are not slow."""
    quick = {(number * QUICK + n) % len(calls) for n in range(QUICK)}
    return pytest.mark.parametrize(
        "call",
        [
            pytest.param(call, id=str(call), marks=() if n in quick else (slow,))
            for n, call in enumerate(calls)
        ],
    )


def every_call(number: int) -> pytest.MarkDecorator:
    """Parametrize a test by all calls."""
    return parametrize_calls(INVOCATIONS, number)


def every_command(number: int) -> pytest.MarkDecorator:
    """Parametrize a test by one call of each command."""
    return parametrize_calls(ONE_EACH, number)


def every_writer(number: int) -> pytest.MarkDecorator:
    """Parametrize a test by the calls that write."""
    return parametrize_calls(WRITING, number)


#: Caches on disk whose source is gone, and that git does not track.
LEFT_BEHIND = ("pkg/__pycache__/gone.cpython-311.pyc", "old/__pycache__/x.cpython-311.pyc")
#: Results of calls without a fault, computed once.
USUAL: dict[Call, Result] = {}
LINTED = "import sys\nsys.dont_write_bytecode = True\n"
CONFIG = """[tool.pycache-guard]
allow = [{ path = "tests/data/*.pyc", reason = "fixtures of the loader" }]
"""


def build(path: Path) -> Repo:
    """Make the repository: bytecode by path and content, in history, on disk, in an archive."""
    repo = Repo.init(path)
    repo.add("a.py", "x = 1\n")
    repo.add("tool", "#!/usr/bin/env python3\nprint()\n").chmod(0o755)
    repo.add("pkg/__init__.py")
    repo.add("pkg/m.py", "y = 2\n")
    repo.add(".gitignore", "*.log\n/dist/\n")
    repo.git("update-index", "--chmod=+x", "tool")
    first = repo.commit()
    repo.git("update-ref", "refs/remotes/origin/main", first)
    for key, value in {
        "remote.origin.url": "nowhere",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        "branch.main.remote": "origin",
        "branch.main.merge": "refs/heads/main",
    }.items():
        repo.git("config", key, value)
    repo.git("checkout", "-q", "-b", "side")
    repo.add("side.pyc", BYTECODE)
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.add("pkg/__pycache__/m.cpython-311.pyc", BYTECODE)
    repo.add("data.bin", BYTECODE)
    repo.add("tests/data/f.pyc", BYTECODE)
    repo.add("lint.py", LINTED)
    repo.add("Dockerfile", "FROM scratch\nCOPY . .\n")
    repo.add(".dockerignore", "*.log\n")
    repo.add("pyproject.toml", CONFIG)
    repo.commit()
    repo.git("merge", "-q", "-m", "m", "side")
    repo.git("tag", "-m", "t", "v1")
    repo.add("new/z.pyc", BYTECODE)
    repo.add("pkg/data.bin", BYTECODE + b"new")
    for name in LEFT_BEHIND:
        repo.write(name, BYTECODE)
    repo.write("dist/x-1-py3-none-any.whl", wheel())
    return repo


def wheel() -> bytes:
    """Return a wheel that ships bytecode."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in {"x.py": b"", "__pycache__/x.cpython-311.pyc": BYTECODE}.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return data.getvalue()


class Sandbox:
    """The repository, and what runs the program on it."""

    def __init__(self, repo: Repo, template: Path | None = None) -> None:
        self.repo = repo
        #: The original, which no test changes.
        self.template = template or repo.path
        self.path = repo.path
        #: HEAD, and a commit that no ref leads to, as in `pre-receive`.
        self.head, self.incoming = pushed_commits(self.template)

    def given(self, call: Call) -> bytes:
        """Return the text for stdin."""
        return call.stdin.format(head=self.head, incoming=self.incoming).encode()

    def start(
        self,
        call: Call,
        *options: str,
        program: tuple[str, ...] = (os.fspath(PROGRAM),),
        env: Mapping[str, str] | None = None,
        **how: Any,
    ) -> subprocess.Popen[bytes]:
        """Start a call, with `options` added; `how` is `Popen`'s."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [*program, call.command, *options, *call.options],
            cwd=self.path,
            env={**os.environ, **(env or {})},
            **{**pipes, **how},
        )
        return process

    def run(self, call: Call, *options: str, patience: int = PATIENCE, **how: Any) -> Result:
        """Run a call to its end, as `start` does."""
        process = self.start(call, *options, **how)
        try:
            out, err = process.communicate(self.given(call), timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Result(process.returncode, os.fsdecode(out or b""), os.fsdecode(err or b""))

    def baseline(self, call: Call) -> Result:
        """Return the result of a call without a fault, computed once on a copy."""
        if call not in USUAL:
            with tempfile.TemporaryDirectory() as directory:
                USUAL[call] = copied(self.template, Path(directory) / "scene").run(call)
        return USUAL[call]

    def state(self) -> dict[str, bytes]:
        """Return every file of the work tree with its content, and the index as git lists it."""
        files = {
            os.path.relpath(os.path.join(where, name), self.path): os.path.join(where, name)
            for where, _, names in os.walk(self.path)
            if f"{os.sep}.git" not in where.removeprefix(os.fspath(self.path))
            for name in names
            if os.path.isfile(os.path.join(where, name))
        }
        found = {name: self.read(file) for name, file in files.items()}
        return {**found, ":index": os.fsencode(self.repo.git("ls-files", "-s", "-z"))}

    def unexpected_files(self) -> list[str]:
        """Return new files that git would track."""
        listed = self.repo.git("ls-files", "-o", "-z", "--exclude-standard").split("\0")
        # A NUL ends each.
        return [name for name in listed[:-1] if not name.endswith(".pyc")]

    @staticmethod
    def read(path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()


@cache
def pushed_commits(template: Path) -> tuple[str, str]:
    """Return the commit of HEAD, and a new one on it with what is staged."""
    repo = Repo(template)
    new = repo.git("commit-tree", "-m", "i", "-p", "HEAD", repo.git("write-tree"))
    return repo.git("rev-parse", "HEAD"), new


def copied(template: Path, path: Path) -> Sandbox:
    """Return a copy of the repository."""
    pushed_commits(template)  # before it is copied
    shutil.copytree(template, path, symlinks=True)
    return Sandbox(Repo(path), template)


def assert_clean_exit(result: Result) -> None:
    """Check the guarantees after every fault: a known exit code, one-line errors, no traceback."""
    assert result.code in (0, 1, 2), result
    assert "Traceback" not in result.err, result.err
    lines = result.err.splitlines()
    assert all(line.startswith(("error: ", "note: ", "warning: ")) for line in lines), result.err
    if result.code == 2:
        assert any(line.startswith("error: ") for line in lines), result
