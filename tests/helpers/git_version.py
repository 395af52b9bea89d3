"""The version of git that runs the tests."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

#: Tests that need no git run without it: that is how a Windows CPython is tested under wine.
HAS_GIT = shutil.which("git") is not None


def read_git_version() -> tuple[int, int]:
    """Return the version of git on PATH, `(2, 31)`; a large one without git, where its tests are skipped."""
    if not HAS_GIT:
        return (99, 0)
    text = subprocess.check_output(["git", "--version"], text=True)
    found = re.search(r"(\d+)\.(\d+)", text)
    assert found is not None, text
    return int(found[1]), int(found[2])


GIT_VERSION = read_git_version()


#: Marks a test that asks git without a repository of its own, which `Repo.init` skips.
needs_any_git = pytest.mark.skipif(not HAS_GIT, reason="git is not installed here")


def is_git_older_than(minor: int) -> bool:
    """Return whether git is older than 2.`minor`."""
    major, own = GIT_VERSION
    return (major, own) < (2, minor)


def needs_git(minor: int, reason: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test before git 2.`minor`; `reason` says what is newer."""
    text = f"needs git 2.{minor} or later: {reason}"
    return pytest.mark.skipif(is_git_older_than(minor), reason=text)


def require_ownership_check() -> None:
    """Skip the test if git works in a repository of another user (`safe.directory`)."""
    if is_git_older_than(35):
        pytest.skip("needs git 2.35 or later: it refuses a repository of another user")
