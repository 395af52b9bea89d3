"""Paths that `clean` refuses, and git directories below a path."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree
from clean.trees import make_tree
from pycache_guard.fs.regular import MAX_SMALL_FILE_BYTES
from pycache_guard.fs.regular import read_small_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links")
def test_path_through_a_link_and_back_is_refused(root: Path, run: Run) -> None:
    make_tree(root, ["a/b/x.py", "a/x.pyc", "a/x.py", "link -> a/b"])
    told = run("clean", "link/..")
    assert (told.code, told.out) == (2, "")
    assert told.err == f"error: link/..: leads through a link to {root}/a; pass that directory\n"
    assert "a/x.pyc" in list_tree(root)


@pytest.mark.parametrize("place", ["", "prefix", "prefix/below"])
def test_prefix_that_overlaps_with_the_path_is_refused(
    place: str, root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(root, ["prefix/below/a.py", "prefix/below/a.pyc"])
    monkeypatch.setattr(sys, "pycache_prefix", str(root / "prefix"))
    told = run("clean", "--prefix", str(root / place))
    assert (told.code, told.out) == (2, "")
    assert "overlaps with PYTHONPYCACHEPREFIX" in told.err
    assert "prefix/below/a.pyc" in list_tree(root)


def test_git_directory_with_an_index_below_the_path_is_asked(repo: Repo, run: Run) -> None:
    repo.add("a.pyc")
    repo.write("a.py")
    (repo.path / ".git").rename(repo.path / "store")
    told = run("clean", "--verbose")
    assert "skipped store: internal files of a repository\n" in told.out
    assert "kept a.pyc: tracked by git" in told.out


def test_read_small_file_refuses_a_large_file(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(bytes(MAX_SMALL_FILE_BYTES))
    assert len(read_small_file(str(file))) == MAX_SMALL_FILE_BYTES
    file.write_bytes(bytes(MAX_SMALL_FILE_BYTES + 1))
    with pytest.raises(ValueError, match=r"f$"):
        read_small_file(str(file))
