from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.process import GitFailure
from pycache_guard.git.repository import base_of
from pycache_guard.git.repository import committed
from pycache_guard.git.repository import empty_tree
from pycache_guard.git.repository import in_subdirectory
from pycache_guard.git.repository import index_is_temporary
from pycache_guard.git.repository import is_sparse
from pycache_guard.git.repository import resolve
from pycache_guard.git.repository import resolved
from pycache_guard.git.repository import top

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Calls
    from repo import Repo

EMPTY_SHA1 = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
EMPTY_SHA256 = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"


class TestTop:
    def test_at_the_top_nobody_is_asked(self, repo: Repo, calls: Calls) -> None:
        assert top() == os.curdir
        assert not in_subdirectory()
        assert calls.verbs() == []

    def test_in_a_subdirectory(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        repo.write("a/b/c")
        monkeypatch.chdir(repo.path / "a" / "b")
        assert os.path.samefile(top() or "", repo.path)
        assert in_subdirectory()

    def test_in_a_linked_work_tree(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        repo.add("d/a")
        repo.commit()
        repo.git("worktree", "add", "-q", "../linked")
        monkeypatch.chdir(repo.path.parent / "linked")
        assert top() == os.curdir
        monkeypatch.chdir("d")
        assert os.path.samefile(top() or "", "..")

    def test_where_there_is_no_work_tree(
        self,
        repo: Repo,
        make_repo: Callable[..., Repo],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for directory in (make_repo("bare", "--bare").path, repo.path / ".git"):
            monkeypatch.chdir(directory)
            assert top() is None
            assert not in_subdirectory()

    def test_told_by_the_environment(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        repo.write("a/.git/HEAD", "none of ours")
        monkeypatch.chdir(repo.path / "a")
        monkeypatch.setenv("GIT_DIR", os.fspath(repo.path / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", os.fspath(repo.path))
        assert os.path.samefile(top() or "", repo.path)
        assert in_subdirectory()
        monkeypatch.chdir(repo.path)
        assert not in_subdirectory()

    def test_no_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(GitFailure, match="not a git repository"):
            top()


def test_resolve(repo: Repo) -> None:
    repo.add("a", b"x")
    commit = repo.commit()
    tree = repo.git("rev-parse", "HEAD^{tree}")
    repo.git("tag", "-a", "-m", "t", "v1")
    for revision in (commit, "HEAD", "main", "v1", "@", commit[:10]):
        assert resolve(revision, "commit") == commit
        assert resolve(revision, "tree") == tree
    assert resolve(tree, "tree") == tree
    bad = ("", "-h", "--help", "--all", "no", "HEAD~1", "HEAD:a", "main..main", "a\nb", tree)
    for revision in bad:
        with pytest.raises(Failure) as failure:
            resolve(revision, "commit")
        assert str(failure.value) == f"{revision!r} is not a commit in this repository"


def test_resolved(repo: Repo) -> None:
    assert resolved("HEAD") is None
    assert resolved("HEAD^{commit}") is None
    repo.git("config", "core.warnAmbiguousRefs", "true")
    commit = repo.commit()
    assert resolved("HEAD") == commit


@pytest.mark.parametrize(
    ("options", "expected"), [((), EMPTY_SHA1), (("--object-format=sha256",), EMPTY_SHA256)]
)
def test_empty_tree(
    make_repo: Callable[..., Repo],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    expected: str,
) -> None:
    repo = make_repo("r", *options)
    monkeypatch.chdir(repo.path)
    assert empty_tree() == committed() == expected
    commit = repo.commit()
    assert committed() == commit


def test_base_of(repo: Repo) -> None:
    assert base_of(None) == EMPTY_SHA1
    root = repo.commit("root")
    assert base_of(root) == EMPTY_SHA1
    assert base_of(None) == root
    second = repo.commit("second")
    assert base_of(second) == root
    assert base_of(root) == second
    repo.git("checkout", "-q", "--orphan", "unborn")
    assert base_of(second) == root
    assert base_of(root) == EMPTY_SHA1


def test_index_is_temporary(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    table = [
        (None, False),
        ("", False),
        (".git/index", False),
        (os.fspath(repo.path / ".git" / "index"), False),
        (".git/index.lock", True),
        (os.fspath(repo.path / ".git" / "next-index-1.lock"), True),
    ]
    for named, expected in table:
        if named is None:
            monkeypatch.delenv("GIT_INDEX_FILE", raising=False)
        else:
            monkeypatch.setenv("GIT_INDEX_FILE", named)
        assert index_is_temporary() is expected


def test_the_index_of_a_linked_work_tree(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit()
    repo.git("worktree", "add", "-q", "../linked")
    monkeypatch.chdir(repo.path.parent / "linked")
    own = repo.path / ".git" / "worktrees" / "linked" / "index"
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(own))
    assert not index_is_temporary()
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(repo.path / ".git" / "index"))
    assert index_is_temporary()


@pytest.mark.parametrize(
    ("value", "expected"), [(None, False), ("false", False), ("true", True), ("yes", True)]
)
def test_is_sparse(repo: Repo, value: str | None, expected: bool) -> None:
    if value is not None:
        repo.git("config", "core.sparseCheckout", value)
    assert is_sparse() is expected


def test_a_broken_setting(repo: Repo) -> None:
    repo.git("config", "core.sparseCheckout", "perhaps")
    with pytest.raises(GitFailure, match="bad boolean config value 'perhaps'"):
        is_sparse()
