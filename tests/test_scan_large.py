"""A large index is listed by its paths first; the report is that of a small one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from helpers.repo import BYTECODE
from pycache_guard.git import index as index_module
from pycache_guard.git.index import Index
from pycache_guard.git.listing import select_paths
from pycache_guard.git.process import Git, GitFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls, Run
    from helpers.repo import Repo

COMMAND = "forbid-bytecode"
SOURCES = {"a.py": "x = 1\n", "pkg/m.py": "y = 2\n"}


def make_conflict(repo: Repo) -> None:
    for stage in (1, 2, 3):
        repo.stage("conflict.pyc", f"{stage}", stage=stage)
        repo.stage("conflict.png", BYTECODE if stage == 3 else "x", stage=stage)


def add_intended(repo: Repo) -> None:
    repo.write("new.pyc", BYTECODE)
    repo.git("add", "--force", "--intent-to-add", "new.pyc")


def change_attributes(repo: Repo) -> None:
    repo.stage("rot.txt", "a\r\r\n\0\0\0\0\0\0\0\0\0\0\0\0\0")
    repo.commit()
    repo.stage("sub/.GitAttributes", "*.txt working-tree-encoding=UTF-16\n")
    repo.stage(".gitattributes", "*.txt eol=crlf\n*.bin filter=other\n")
    repo.stage("x.bin", "x")


#: What is done to the repository before it is checked.
CHANGES: list[Callable[[Repo], object]] = [
    lambda repo: None,
    lambda repo: repo.stage("pkg/__pycache__/m.cpython-311.pyc", BYTECODE),
    lambda repo: repo.stage("pkg/__PyCache__/x", "x"),
    lambda repo: repo.stage("PKG/M.PYO", BYTECODE),
    lambda repo: repo.stage("j$py.class", "x"),
    lambda repo: repo.stage("a.pyc.140162621172480", "x"),
    lambda repo: repo.stage("logo.png", BYTECODE),
    lambda repo: repo.stage("link.pyc", "target", mode="120000"),
    lambda repo: repo.stage("__pycache__", "1" * 40, mode="160000"),
    lambda repo: repo.stage(os.fsdecode(b"\xff\n\t x.pyc"), BYTECODE),
    lambda repo: repo.stage(":(top)*.pyc", BYTECODE),
    lambda repo: repo.stage("-rf.pyc", BYTECODE),
    lambda repo: repo.stage("[a].pyc", BYTECODE) + repo.stage("a.pyc", "x"),
    lambda repo: [repo.stage("b.pyc"), repo.git("update-index", "--skip-worktree", "a.py")],
    lambda repo: repo.stage_all(f"pkg/{n}.pyc" for n in range(150)),
    lambda repo: repo.stage_all(["pkg/__pycache__/.gitattributes", ".gitattributes"]),
    lambda repo: repo.stage_all(["H a.pyc", "H ", " x", "sub/.gitattributes/a.pyc"]),
    make_conflict,
    add_intended,
    change_attributes,
]


@pytest.mark.parametrize("options", [(), ("--content", "none"), ("--content", "all")], ids=str)
@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_large_index_has_the_report_of_a_small_one(
    repo: Repo,
    run: Run,
    change: Callable[[Repo], object],
    options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repo.stage_all(SOURCES)
    repo.commit()
    change(repo)
    expected = run(COMMAND, "--format", "json", *options)
    monkeypatch.setattr(index_module, "LARGE_INDEX_BYTES", 0)
    assert Index().if_large()
    assert run(COMMAND, "--format", "json", *options) == expected


def test_attributes_of_a_large_index_are_listed_only_for_new_content(
    repo: Repo, run: Run, git_calls: GitCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "LARGE_INDEX_BYTES", 0)
    repo.stage(".gitattributes", "* text=auto\n")
    repo.commit()
    git_calls.reset()
    assert run(COMMAND).code == 0
    assert sorted(git_calls.verbs()) == ["diff-index", "ls-files"]
    repo.stage("a.py", "x = 1\n")
    git_calls.reset()
    assert run(COMMAND).code == 0
    assert sorted(git_calls.verbs()) == ["cat-file", "cat-file", "diff-index", *["ls-files"] * 2]


def test_index_is_large_by_the_size_of_its_file(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index()
    assert index.if_large() is None  # there is none
    repo.stage_all(SOURCES)
    assert index.if_large() is None
    with open(repo.path / "other", "wb") as file:
        file.truncate(index_module.LARGE_INDEX_BYTES + 1)
    monkeypatch.setenv("GIT_INDEX_FILE", "other")
    assert index.if_large() is index


@pytest.mark.usefixtures("repo")
def test_entry_that_is_gone_at_the_second_listing_is_a_failure() -> None:
    with pytest.raises(GitFailure, match="the index changed while it was read"):
        Index().records_at([b"a.pyc"])
    assert Index().records_at([]) == []


@pytest.mark.parametrize(
    "printed",
    [
        "a.pyc\\000",
        "100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\\ta\\000",
        "\\000",
        " a\\000",
    ],
)
def test_listing_without_letters_is_a_failure(
    printed: str, fake_git_script: Callable[[str], None]
) -> None:
    fake_git_script(f"printf '{printed}'")
    with pytest.raises(GitFailure, match="its output is malformed"):
        select_paths(Git("ls-files"), bool, bool)
