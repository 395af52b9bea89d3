"""Ask git which paths a set of ignore files ignores, apart from all other rules of this machine.

Git runs in a temporary repository whose work tree contains only these ignore files. It has no index,
no `.git/info/exclude` and no `core.excludesFile`. See gitignore(5) and git-check-ignore(1).
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git.process import FIXED_VARIABLES, NOWHERE, Git, environment, parsing_output
from pycache_guard.git.repository import options_at
from pycache_guard.git.spawn import MIN_PIPE_BYTES
from pycache_guard.git.tempdir import TemporaryDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

    #: File, line and pattern of the rule that decides, as git prints them; all empty if no rule does.
    #: A pattern that begins with `!` re-includes.
    MatchedRule = tuple[bytes, bytes, bytes]

#: The number of probes per git process: each takes about 300 bytes, a process 3 ms.
BATCH_PROBES = 20_000
CHECK_IGNORE = ("check-ignore", "--no-index", "--verbose", "--non-matching", "--stdin", "-z")


class IsolatedIgnoreRules:
    """A temporary repository with the ignore files `files`, by path from the top; a context manager."""

    def __init__(self, files: Mapping[bytes, bytes]) -> None:
        self._directory = TemporaryDirectory()
        self._repository = os.fsencode(self._directory.path)
        self._tree = os.path.join(self._repository, b"tree")
        self._started: Questions | None = None
        try:
            self._create_repository()
            self.add(files)
        except BaseException:
            self._directory.remove()
            raise

    def __enter__(self) -> IsolatedIgnoreRules:  # noqa: PYI034 - `final` is in typing, which costs 9 ms
        return self

    def __exit__(self, *_: object) -> None:
        if self._started is not None:
            self._started.kill()
        self._directory.remove()

    def add(self, files: Mapping[bytes, bytes]) -> None:
        """Write more ignore files. Raises `Failure` for paths that this system cannot keep apart."""
        for path, content in files.items():
            self._write_file(self._tree, path, content)

    def start(self) -> None:
        """Start git for the next questions while ignore files are still to be added.

        Git reads no ignore file before the first question about a path in its directory (dir.c,
        `prep_exclude`).
        """
        options, env = self._options()
        self._started = Questions(self._directory.path, *options, env=env)

    def rules(self, paths: Sequence[bytes]) -> list[MatchedRule]:
        """Return the rule that decides about each path. The paths need not exist."""
        started, self._started = self._started, None
        if started is not None:
            if started.can_take(paths):
                return started.ask(paths)
            started.kill()
        options, env = self._options()
        return check_ignore(paths, *options, env=env, directory=self._directory.path)

    def _options(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the options that run git here, and its environment."""
        tree, repository = os.fsdecode(self._tree), os.fsdecode(self._repository)
        where = ("-C", tree, "--git-dir", repository, "--work-tree", tree)
        # Paths here are longer than in the checkout. `core.longpaths` matters only on Windows.
        excludes = ("-c", f"core.excludesFile={NOWHERE}", "-c", "core.longpaths=true")
        return (*where, *excludes), isolated_environment(self._directory.path)

    def _create_repository(self) -> None:
        # The minimum that git accepts as a repository: gitrepository-layout(5).
        for directory in (b"objects", b"refs", b"tree"):
            os.mkdir(os.path.join(self._repository, directory))
        self._write_file(self._repository, b"HEAD", b"ref: refs/heads/main\n")

    def _write_file(self, root: bytes, path: bytes, content: bytes) -> None:
        # Git on Linux commits names that mean directories and drives on Windows.
        is_foreign = compat.WINDOWS and (b"\\" in path or b":" in path)
        if os.path.isabs(path) or b".." in path.split(b"/") or is_foreign:
            raise Failure(f"{os.fsdecode(path)}: leads out of the repository")
        whole = os.path.join(root, path)
        self._makedirs(os.path.dirname(whole))
        try:
            with open(whole, "xb") as file:
                file.write(content)
        except FileExistsError:
            raise Failure(
                f"{os.fsdecode(path)}: another tracked path differs from it in letter case only,"
                " and the file system of the temporary directory does not keep both"
            ) from None

    def _makedirs(self, directory: bytes) -> None:
        """Make a directory and its parents, without recursion: `os.makedirs` calls itself for each."""
        missing = []
        while not os.path.isdir(directory):
            missing.append(directory)
            directory = os.path.dirname(directory)
        for path in reversed(missing):
            os.mkdir(path)


def rules_for_user(top: str, paths: Sequence[bytes]) -> list[MatchedRule]:
    """Return the rule that decides about each path in the work tree at `top`, for the current user."""
    with TemporaryDirectory() as directory:
        return check_ignore(paths, *options_at(top), env=environment(), directory=directory)


def check_ignore(
    paths: Sequence[bytes], *options: str, env: Mapping[str, str], directory: str
) -> list[MatchedRule]:
    """Run `git check-ignore` and return the rule for each path, in the same order.

    Questions and answers go through files in `directory`: git flushes each answer to a pipe, which takes
    a third longer.
    """
    with open(os.path.join(directory, "questions"), "w+b") as questions:
        questions.write(encode_questions(paths))
        questions.seek(0)
        return Questions(directory, *options, env=env, stdin=questions.fileno()).answers(paths)


class Questions:
    """A `git check-ignore` under way, which writes its answers to a file in `directory`."""

    def __init__(
        self, directory: str, *options: str, env: Mapping[str, str], stdin: int | None = None
    ) -> None:
        self._file: BinaryIO = open(os.path.join(directory, "answers"), "w+b")  # noqa: SIM115
        try:
            self._git = Git(
                *options,
                *CHECK_IGNORE,
                stdin=stdin,
                stdout=self._file.fileno(),
                feed=stdin is None,
                env=env,
            )
        except BaseException:
            self._file.close()
            raise

    def can_take(self, paths: Sequence[bytes]) -> bool:
        """Return whether a pipe holds the questions, so that writing them waits for nothing."""
        size = len(encode_questions(paths))
        return size <= MIN_PIPE_BYTES or size <= self._git.pipe_capacity()

    def ask(self, paths: Sequence[bytes]) -> list[MatchedRule]:
        """Return the rule for each path. Raises `GitFailure`."""
        self._git.write(encode_questions(paths))
        return self.answers(paths)

    def answers(self, paths: Sequence[bytes]) -> list[MatchedRule]:
        """Read the answers to questions that git has or reads from a file. Raises `GitFailure`."""
        with self._file:
            self._git.wait(allowed=(0, 1))  # 1: none of the paths is ignored
            self._file.seek(0)
            fields = self._file.read().split(b"\0")
        with parsing_output("check-ignore"):
            answered = zip(paths, fields[0:-1:4], fields[1::4], fields[2::4], strict=True)
            return [(file, line, pattern) for _, file, line, pattern in answered]

    def kill(self) -> None:
        """End git without an answer."""
        self._git.kill()
        self._file.close()


def encode_questions(paths: Sequence[bytes]) -> bytes:
    """Return paths as git reads them: one that begins with `:` would be pathspec magic."""
    return b"\0".join([b"./" + p if p.startswith(b":") else p for p in (*paths, b"")])


def isolated_environment(home: str) -> dict[str, str]:
    """Return an environment without the git configuration of this user. `home` is an empty directory."""
    kept = {
        name: value
        for name, value in environment().items()
        if not name.startswith("GIT_") or name == "GIT_EXEC_PATH"
    }
    empty = os.path.join(home, "home")
    return {
        **kept,
        **FIXED_VARIABLES,
        "HOME": empty,
        "XDG_CONFIG_HOME": empty,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": NOWHERE,
    }
