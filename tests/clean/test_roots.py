from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.clean.roots import (
    CleanRoot,
    is_within,
    root_for,
    skip_reason_by_content,
    skip_reason_by_name,
)
from pycache_guard.fs.walk import open_cursor

if TYPE_CHECKING:
    from pathlib import Path

#: Wine takes `/` for the root of the system that it runs on, and `\\` for that of the drive.
posix = pytest.mark.skipif(sys.platform == "win32", reason="`/` is relative to a drive on Windows")


@pytest.mark.parametrize(
    ("path", "top", "below"),
    [
        (".", ".", "p/m.pyc"),
        pytest.param("/", "/", "/p/m.pyc", marks=posix),
        ("./d//", "d", "d/p/m.pyc"),
        ("d/../d", "d", "d/p/m.pyc"),
    ],
)
def test_displayed_path_starts_as_the_argument(path: str, top: str, below: str, root: Path) -> None:
    (root / "d").mkdir()
    walked = root_for(path)
    walked.cursor.close()
    assert (walked.display_path(()), walked.display_path(("p",), "m.pyc")) == (top, below)


@pytest.mark.parametrize(
    ("path", "below"),
    [("pkg\\sub", "pkg/sub/p/m.pyc"), ("C:\\", "C:/p/m.pyc"), ("pkg/sub", "pkg/sub/p/m.pyc")],
)
def test_displayed_path_on_windows_has_slashes(
    path: str, below: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked = CleanRoot(open_cursor("."), path)
    walked.cursor.close()
    monkeypatch.setattr(os, "sep", "\\")
    assert walked.display_path(("p",), "m.pyc") == below
    assert "\\" not in walked.display_path(())


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("a/b", "a", True),
        ("a", "a", True),
        ("a", "a/b", False),
        ("a", "none", False),
        ("none/x", "a", False),
    ],
)
def test_directory_is_within_another_by_identity(
    inner: str, outer: str, expected: bool, root: Path
) -> None:
    (root / "a" / "b").mkdir(parents=True)
    assert is_within(inner, outer) is expected


OWN = "internal files of a repository"
OTHER = "another repository"

LEFT = [
    (["HEAD"], ["objects", "refs"], OWN),  # a bare repository, gitrepository-layout(5)
    (["HEAD", "commondir", "gitdir"], ["logs"], OWN),  # of a linked worktree
    (["HEAD"], ["objects"], None),
    (["HEAD"], ["refs"], None),
    (["commondir"], ["objects", "refs"], None),
    ([".git"], [], OTHER),  # a submodule, or a linked worktree
    ([], [".git"], OTHER),
    ([], [".HG"], OTHER),
    ([], [".jj", "src"], OTHER),
    ([], [".svn"], None),  # up to Subversion 1.6 every directory had one
    (["pyvenv.cfg"], ["lib"], "a virtual environment"),
    ([], ["conda-meta"], "a virtual environment"),
    (["conda-meta"], ["pyvenv.cfg"], None),
]


@pytest.mark.parametrize(("files", "directories", "expected"), LEFT)
def test_directory_is_skipped_by_its_content(
    files: list[str], directories: list[str], expected: str | None
) -> None:
    assert skip_reason_by_content(files, directories) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".git", OWN),
        (".Git", OWN),
        ("_darcs", OWN),
        ("node_modules", "node_modules"),
        ("Node_Modules", "node_modules"),
        (".github", None),
        ("venv", None),
    ],
)
def test_directory_is_skipped_by_its_name(name: str, expected: str | None) -> None:
    assert skip_reason_by_name(name) == expected
