"""Ask git which paths a set of ignore files ignores, apart from all other rules of this machine.

Git runs in a temporary repository whose work tree contains only these ignore files. It has no index,
no `.git/info/exclude` and no `core.excludesFile`. See gitignore(5) and git-check-ignore(1).
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, final

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git.process import FIXED_VARIABLES, NOWHERE, Git, environment, parsing_output
from pycache_guard.git.repository import options_at
from pycache_guard.git.tempdir import TemporaryDirectory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: File, line and pattern of the rule that decides, as git prints them; all empty if no rule does.
    #: A pattern that begins with `!` re-includes.
    MatchedRule = tuple[bytes, bytes, bytes]


@final
class IsolatedIgnoreRules:
    """A temporary repository with the ignore files `files`, by path from the top; a context manager."""

    def __init__(self, files: Mapping[bytes, bytes]) -> None:
        self._directory = TemporaryDirectory()
        root = os.fsencode(self._directory.path)
        self._repository = os.path.join(root, b"repository")
        self._tree = os.path.join(root, b"tree")
        try:
            self._create_repository(files)
        except BaseException:
            self._directory.remove()
            raise

    def __enter__(self) -> IsolatedIgnoreRules:
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.remove()

    def rules(self, paths: Sequence[bytes]) -> list[MatchedRule]:
        """Return the rule that decides about each path. The paths need not exist."""
        tree, repository = os.fsdecode(self._tree), os.fsdecode(self._repository)
        options = ("-C", tree, "--git-dir", repository, "--work-tree", tree)
        # Paths here are longer than in the checkout. `core.longpaths` matters only on Windows.
        excludes = ("-c", f"core.excludesFile={NOWHERE}", "-c", "core.longpaths=true")
        return check_ignore(
            paths, *options, *excludes, env=isolated_environment(self._directory.path)
        )

    def _create_repository(self, files: Mapping[bytes, bytes]) -> None:
        # The minimum that git accepts as a repository: gitrepository-layout(5).
        for directory in (b"objects", b"refs"):
            os.makedirs(os.path.join(self._repository, directory))
        self._write_file(self._repository, b"HEAD", b"ref: refs/heads/main\n")
        os.mkdir(self._tree)
        for path, content in files.items():
            self._write_file(self._tree, path, content)

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
    return check_ignore(paths, *options_at(top), env=environment())


def check_ignore(
    paths: Sequence[bytes], *options: str, env: Mapping[str, str]
) -> list[MatchedRule]:
    """Run `git check-ignore` and return the rule for each path, in the same order.

    Questions and answers go through files: git flushes each answer to a pipe, which takes a third longer.
    """
    with tempfile.TemporaryFile() as questions, tempfile.TemporaryFile() as answers:
        # A path that begins with `:` would be read as pathspec magic.
        questions.write(b"\0".join(b"./" + p if p.startswith(b":") else p for p in (*paths, b"")))
        questions.seek(0)
        process = Git(
            *(
                *options,
                "check-ignore",
                "--no-index",
                "--verbose",
                "--non-matching",
                "--stdin",
                "-z",
            ),
            stdin=questions.fileno(),
            stdout=answers.fileno(),
            env=env,
        )
        process.wait(allowed=(0, 1))  # 1: none of the paths is ignored
        answers.seek(0)
        fields = answers.read().split(b"\0")
    with parsing_output("check-ignore"):
        answered = zip(paths, fields[0:-1:4], fields[1::4], fields[2::4], strict=True)
        return [(file, line, pattern) for _, file, line, pattern in answered]


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
