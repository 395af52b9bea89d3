from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.git_version import needs_any_git, needs_git
from pycache_guard.errors import Failure
from pycache_guard.git import repository
from pycache_guard.git.process import GitFailure, git_output
from pycache_guard.git.repository import (
    POINTERS,
    comparison_base,
    cwd_is_below_toplevel,
    empty_tree,
    has_sparse_option,
    is_sparse,
    is_usual_top,
    may_find_repository,
    options_at,
    require_toplevel,
    rev_parse,
    toplevel,
    try_rev_parse,
    uses_temporary_index,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import GitCalls
    from helpers.repo import Repo

EMPTY_SHA1 = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
EMPTY_SHA256 = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"


class TestTop:
    def test_toplevel_at_the_top_starts_no_git(self, repo: Repo, git_calls: GitCalls) -> None:
        assert toplevel() == os.curdir
        assert not cwd_is_below_toplevel()
        assert git_calls.verbs() == []

    def test_toplevel_in_a_subdirectory_is_the_top(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo.write("a/b/c")
        monkeypatch.chdir(repo.path / "a" / "b")
        assert os.path.samefile(toplevel() or "", repo.path)
        assert cwd_is_below_toplevel()

    def test_toplevel_in_a_linked_work_tree_is_its_top(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo.add("d/a")
        repo.commit()
        repo.git("worktree", "add", "-q", "../linked")
        monkeypatch.chdir(repo.path.parent / "linked")
        assert toplevel() == os.curdir
        monkeypatch.chdir("d")
        assert os.path.samefile(toplevel() or "", "..")

    def test_toplevel_without_a_work_tree_is_none(
        self,
        repo: Repo,
        make_repo: Callable[..., Repo],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for directory in (make_repo("bare", "--bare").path, repo.path / ".git"):
            monkeypatch.chdir(directory)
            assert toplevel() is None
            assert not cwd_is_below_toplevel()

    def test_toplevel_is_that_of_the_environment_variables(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo.write("a/.git/HEAD", "none of ours")
        monkeypatch.chdir(repo.path / "a")
        monkeypatch.setenv("GIT_DIR", os.fspath(repo.path / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", os.fspath(repo.path))
        assert os.path.samefile(toplevel() or "", repo.path)
        assert cwd_is_below_toplevel()
        monkeypatch.chdir(repo.path)
        assert not cwd_is_below_toplevel()

    @needs_any_git
    def test_toplevel_outside_a_repository_is_a_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(GitFailure, match="not a git repository"):
            toplevel()


def test_no_repository_is_found_where_nothing_looks_like_one(
    tmp_path: Path, repo: Repo, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside" / "d"
    outside.mkdir(parents=True)
    (repo.path / "d").mkdir()
    places = [
        (repo.path, True),
        (repo.path / "d", True),
        (repo.path / ".git" / "objects", True),
        (make_repo("bare", "--bare").path / "refs", True),
        (outside, False),
    ]
    for place, is_found in places:
        monkeypatch.chdir(place)
        assert may_find_repository() == is_found
    monkeypatch.setenv("GIT_DIR", os.fspath(repo.path / ".git"))
    assert may_find_repository()


@pytest.mark.skipif(sys.platform == "win32", reason="the current directory cannot be deleted")
def test_repository_may_be_found_from_a_deleted_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    monkeypatch.chdir(place)
    place.rmdir()
    assert may_find_repository()
    monkeypatch.chdir(tmp_path)


def test_rev_parse_returns_ids_of_commits_and_trees(repo: Repo) -> None:
    repo.add("a", b"x")
    commit = repo.commit()
    tree = repo.git("rev-parse", "HEAD^{tree}")
    repo.git("tag", "-a", "-m", "t", "v1")
    for revision in (commit, "HEAD", "main", "v1", "@", commit[:10]):
        assert rev_parse(revision, "commit") == commit
        assert rev_parse(revision, "tree") == tree
    assert rev_parse(tree, "tree") == tree
    bad = ("", "-h", "--help", "--all", "no", "HEAD~1", "HEAD:a", "main..main", "a\nb", tree)
    for revision in bad:
        with pytest.raises(Failure) as failure:
            rev_parse(revision, "commit")
        assert str(failure.value) == f"{revision!r} is not a commit in this repository"


def test_try_rev_parse_of_an_unborn_head_is_none(repo: Repo) -> None:
    assert try_rev_parse("HEAD") is None
    assert try_rev_parse("HEAD^{commit}") is None
    repo.git("config", "core.warnAmbiguousRefs", "true")
    commit = repo.commit()
    assert try_rev_parse("HEAD") == commit


@pytest.mark.parametrize(
    ("options", "expected"), [((), EMPTY_SHA1), (("--object-format=sha256",), EMPTY_SHA256)]
)
def test_empty_tree_has_the_id_of_the_object_format(
    make_repo: Callable[..., Repo],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    expected: str,
) -> None:
    repo = make_repo("r", *options)
    monkeypatch.chdir(repo.path)
    assert empty_tree() == expected


def test_comparison_base_is_the_parent_or_the_empty_tree(repo: Repo) -> None:
    assert comparison_base(None) == EMPTY_SHA1
    root = repo.commit("root")
    assert comparison_base(root) == EMPTY_SHA1
    assert comparison_base(None) == root
    second = repo.commit("second")
    assert comparison_base(second) == root
    assert comparison_base(root) == second
    repo.git("checkout", "-q", "--orphan", "unborn")
    assert comparison_base(second) == root
    assert comparison_base(root) == EMPTY_SHA1


def test_uses_temporary_index_compares_git_index_file(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        assert uses_temporary_index() is expected


def test_uses_temporary_index_in_a_linked_work_tree_is_false(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit()
    repo.git("worktree", "add", "-q", "../linked")
    monkeypatch.chdir(repo.path.parent / "linked")
    own = repo.path / ".git" / "worktrees" / "linked" / "index"
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(own))
    assert not uses_temporary_index()
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(repo.path / ".git" / "index"))
    assert uses_temporary_index()


@needs_git(34, "`git rm --sparse`")
@pytest.mark.parametrize(
    ("value", "expected"), [(None, False), ("false", False), ("true", True), ("yes", True)]
)
def test_is_sparse_reads_the_setting(repo: Repo, value: str | None, expected: bool) -> None:
    if value is not None:
        repo.git("config", "core.sparseCheckout", value)
    assert is_sparse() is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.25.0", False),
        ("2.33.8.windows.1", False),
        ("2.34.0", True),
        ("3.0", True),
        ("next", True),
    ],
)
def test_sparse_option_depends_on_the_version_of_git(
    fake_git_script: Callable[[str], None], version: str, expected: bool
) -> None:
    fake_git_script(f"echo git version {version}")
    assert has_sparse_option() is expected


def test_is_sparse_with_a_broken_setting_is_a_failure(repo: Repo) -> None:
    repo.git("config", "core.sparseCheckout", "perhaps")
    with pytest.raises(GitFailure, match=r"bad (boolean|numeric) config value 'perhaps'"):
        is_sparse()


#: What is added to `.git/config`, and whether the files alone then show that this is the top.
CONFIGURATIONS = [
    ("", True),
    ("[core]\n\tbare = false\n", True),
    ("[core]\n\tbare=FALSE ; not\n", True),
    ("[core]\n\tbare = no\n", False),
    ("[core]\n\tbare\n", False),
    ("[core]\n\tbare = true\n", False),
    ("[core]\n\tBARE = TRUE\n", False),
    ('[core]\n\tbare = "true"\n', False),
    ("[core]\n\tbare = false\n\tbare = true\n", False),
    ("[core] worktree = ..\n", False),
    ("[core]\n\tworkTree = ../sub\n", False),
    ('[core]\n\tworktree = "/"\n', False),
    ("[extensions]\n\tworktreeConfig = true\n", False),
    ("# bare\n", False),
    ('[branch "bare"]\n\tremote = x\n', False),
    ("# " + "x" * (1 << 16), False),
]


@pytest.mark.parametrize(("text", "expected"), CONFIGURATIONS)
def test_is_usual_top_agrees_with_git(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, text: str, *, expected: bool
) -> None:
    repo.write("sub/x")
    repo.git("config", "--unset", "core.bare")
    with open(".git/config", "a", encoding="utf-8") as file:
        file.write(text)
    assert is_usual_top() is expected
    said = toplevel()
    monkeypatch.setattr(repository, "is_usual_top", lambda: False)
    asked = toplevel()
    assert (said is None) == (asked is None)
    assert said is None or os.path.samefile(said, asked or "")


#: What a `.git` file holds, made in the linked worktree of a repository, `{}` being its directory there.
GIT_FILES = [
    ("gitdir: {}\n", True),
    ("gitdir: {}\r\n", True),
    ("gitdir: {}/../linked\n", True),
    ("gitdir:{}\n", False),
    ("gitdir: {}/refs\n", False),
    ("gitdir: {}/../..\n", False),
    ("gitdir: /no/such\0\n", False),
    ("", False),
]


@pytest.mark.parametrize(("text", "expected"), GIT_FILES)
def test_is_usual_top_of_a_linked_worktree(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, text: str, *, expected: bool
) -> None:
    repo.commit()
    repo.git("worktree", "add", "-q", "../linked")
    monkeypatch.chdir(repo.path.parent / "linked")
    own = repo.path / ".git" / "worktrees" / "linked"
    with open(".git", "w", encoding="utf-8", newline="") as file:
        file.write(text.format(own))
    assert is_usual_top() is expected
    (own / "config.worktree").write_text("[core]\n\tbare = true\n")
    assert not is_usual_top()


@pytest.mark.parametrize("variable", POINTERS)
def test_is_usual_top_with_a_git_variable_is_false(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    assert is_usual_top()
    monkeypatch.setenv(variable, "x")
    assert not is_usual_top()


@pytest.mark.parametrize("gone", ["objects", "refs", "HEAD"])
def test_is_usual_top_of_a_damaged_repository_is_false(repo: Repo, gone: str) -> None:
    (repo.path / ".git" / gone).rename(repo.path / "gone")
    assert not is_usual_top()
    if gone == "HEAD":
        repo.write(".git/HEAD", "garbage\n")
        assert not is_usual_top()
        repo.write(".git/HEAD", "0" * 40 + "\n")
        assert is_usual_top()


def test_toplevel_that_does_not_exist_is_a_failure(
    fake_git_script: Callable[[str], None], root: Path
) -> None:
    """As `/c/repository` of a git of MSYS2 is none for Windows."""
    fake_git_script("printf 'false\\nfalse\\n/c/no/such\\n'")
    with pytest.raises(GitFailure, match="the work tree is /c/no/such, as git writes it"):
        toplevel()


def test_options_at_resolve_relative_git_variables(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert options_at(os.curdir) == ("-C", os.curdir)
    monkeypatch.chdir(repo.path.parent)
    monkeypatch.setenv("GIT_DIR", "repo/.git")
    monkeypatch.setenv("GIT_WORK_TREE", "repo")
    repo.write("a")
    listed = git_output(*options_at(require_toplevel()), "ls-files", "--others")
    assert listed == b"a\n"


def test_uses_temporary_index_ignores_case_on_windows(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows `c:` is `C:`, and `/` is `\\`; there is no index yet."""
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/INDEX")
    assert uses_temporary_index()
    monkeypatch.setattr(os.path, "normcase", str.lower)
    assert not uses_temporary_index()
