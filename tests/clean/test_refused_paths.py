"""Paths that `clean` refuses, and git directories below a path."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree, make_tree

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_path_through_a_link_and_back_is_refused(root: Path, run: Run) -> None:
    make_tree(root, ["a/b/x.py", "a/x.pyc", "a/x.py", "link -> a/b"])
    report = run("clean", "link/..")
    assert (report.code, report.out) == (2, "")
    assert report.err == f"error: link/..: leads through a link to {root}/a; pass that directory\n"
    assert "a/x.pyc" in list_tree(root)


@pytest.mark.parametrize("place", ["", "prefix", "prefix/below"])
def test_prefix_that_overlaps_with_the_path_is_refused(
    place: str, root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(root, ["prefix/below/a.py", "prefix/below/a.pyc"])
    monkeypatch.setattr(sys, "pycache_prefix", str(root / "prefix"))
    report = run("clean", "--prefix", str(root / place))
    assert (report.code, report.out) == (2, "")
    assert "overlaps with PYTHONPYCACHEPREFIX" in report.err
    assert "prefix/below/a.pyc" in list_tree(root)


def test_index_in_a_renamed_git_directory_protects_files(repo: Repo, run: Run) -> None:
    repo.add("a.pyc")
    repo.write("a.py")
    (repo.path / ".git").rename(repo.path / "store")
    report = run("clean", "--verbose")
    assert "skipped store: internal files of a repository\n" in report.out
    assert "kept a.pyc: tracked by git" in report.out
