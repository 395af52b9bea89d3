"""Git is asked about the rules that were given, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from helpers.git_version import needs_any_git
from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git.check_ignore import IsolatedIgnoreRules, isolated_environment
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from pathlib import Path

NONE = (b"", b"", b"")


@needs_any_git
def test_rules_are_returned_in_the_order_of_the_paths() -> None:
    with IsolatedIgnoreRules(
        {b".gitignore": b"*.pyc\n", b"a/.gitignore": b"\n!b.pyc\n"}
    ) as ignoring:
        assert ignoring.rules(
            [b"x.pyc", b"a/b.pyc", b"a/c.pyc", b"x.py", b":x.pyc", b"a/b.pyc"]
        ) == [
            (b".gitignore", b"1", b"*.pyc"),
            (b"a/.gitignore", b"2", b"!b.pyc"),
            (b".gitignore", b"1", b"*.pyc"),
            NONE,
            (b".gitignore", b"1", b"*.pyc"),
            (b"a/.gitignore", b"2", b"!b.pyc"),
        ]
        assert ignoring.rules([]) == []


@pytest.mark.parametrize("path", [b"../.gitignore", b"a/../../x", b"/tmp/.gitignore"])
def test_ignore_file_outside_the_repository_is_refused(
    path: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    with pytest.raises(Failure, match="leads out of the repository"):
        IsolatedIgnoreRules({path: b""})
    assert os.listdir(tmp_path) == []


@needs_any_git
def test_temporary_repository_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    with IsolatedIgnoreRules({b".gitignore": b""}) as ignoring:
        assert ignoring.rules([b"a"]) == [NONE]
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == []


def test_isolated_environment_names_no_repository_and_no_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_EXEC_PATH", "/kept")
    env = isolated_environment("/t")
    assert "GIT_DIR" not in env
    assert env["GIT_EXEC_PATH"] == "/kept"
    assert env["HOME"] == env["XDG_CONFIG_HOME"] == os.path.join("/t", "home")


def test_missing_git_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with IsolatedIgnoreRules({}) as ignoring, pytest.raises(GitFailure, match="git was not found"):
        ignoring.rules([b"a"])


@needs_any_git
def test_path_that_begins_with_a_colon_is_not_pathspec_magic() -> None:
    """`:a` would be a pathspec's magic that git does not know."""
    with IsolatedIgnoreRules({b".gitignore": b"*.pyc\n"}) as ignoring:
        rules = ignoring.rules([b":a.pyc", b":(top)b.pyc", b":!c.py"])
    assert [pattern for _, _, pattern in rules] == [b"*.pyc", b"*.pyc", b""]


@pytest.mark.parametrize("path", [b"..\\x/.gitignore", b"C:x/.gitignore", b"a\\b/.gitignore"])
def test_path_with_a_drive_or_backslash_is_refused_on_windows(
    monkeypatch: pytest.MonkeyPatch, path: bytes
) -> None:
    """Git on Linux commits such names; on Windows the file would be written outside of the tree."""
    if not compat.WINDOWS:
        IsolatedIgnoreRules({path: b""}).__exit__(None, None, None)
    monkeypatch.setattr(compat, "WINDOWS", True)
    with pytest.raises(Failure, match="leads out of the repository"):
        IsolatedIgnoreRules({path: b""})


def test_paths_that_differ_in_letter_case_only_are_a_failure(tmp_path: Path) -> None:
    """As macOS and Windows do with letters' case."""
    with IsolatedIgnoreRules({}) as ignoring:
        ignoring._write_file(os.fsencode(tmp_path), b"a/.gitignore", b"")
        with pytest.raises(Failure, match="differs from it in letter case only"):
            ignoring._write_file(os.fsencode(tmp_path), b"a/.gitignore", b"")
