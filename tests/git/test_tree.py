"""Whose configuration a push may decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.objects import ObjectReader
from pycache_guard.git.tree import OTHER_HEADS, HeadTree, RevisionFiles, check_head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import GitCalls
    from helpers.repo import Repo


@pytest.fixture
def objects(repo: Repo) -> Iterator[ObjectReader]:
    """Read objects of a repository with a commit and two branches."""
    repo.add("pyproject.toml", "[project]\n")
    repo.commit()
    repo.git("branch", "other")
    made = ObjectReader(100)
    yield made
    made.close()


def test_check_head_refuses_only_a_push_that_creates_the_branch_of_head(
    repo: Repo, objects: ObjectReader
) -> None:
    """With other branches, only a push that creates the branch of HEAD is refused."""
    repo.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    with pytest.raises(Failure, match=r"^the push creates refs/heads/unborn, the branch of HEAD"):
        check_head({"refs/heads/unborn"}, HeadTree(objects))
    check_head({"refs/heads/new"}, HeadTree(objects))
    check_head(set(), HeadTree(objects))


def test_head_that_names_a_commit_has_a_branch_already(objects: ObjectReader) -> None:
    check_head({"refs/heads/main"}, HeadTree(objects))


@pytest.mark.parametrize("name", OTHER_HEADS)
def test_other_refs_are_not_taken_for_an_unborn_head(
    name: str, repo: Repo, objects: ObjectReader
) -> None:
    """Git reads `HEAD` as a tag of that name if HEAD itself is unborn: the tag may be anybody's."""
    repo.git("update-ref", name, "HEAD")
    assert HeadTree(objects).read("pyproject.toml", thorough=True) == b"[project]\n"
    repo.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    assert repo.git("cat-file", "-t", "HEAD:pyproject.toml") == "blob"
    assert HeadTree(objects).read("pyproject.toml", thorough=True) is None
    with pytest.raises(Failure, match=r"^the push creates refs/heads/unborn"):
        check_head({"refs/heads/unborn"}, HeadTree(objects))


@pytest.mark.parametrize(
    ("revision", "path", "content"),
    [
        ("HEAD", "a", b"x"),
        ("HEAD^{tree}", "a", b"x"),
        ("HEAD", "b", None),
        ("no", "a", "'no' is not a tree in this repository"),
        ("-h", "a", "'-h' is not a tree in this repository"),
    ],
)
def test_each_file_of_a_revision_is_read_once(
    repo: Repo, git_calls: GitCalls, revision: str, path: str, content: bytes | str | None
) -> None:
    repo.add("a", "x")
    repo.commit()
    files = RevisionFiles(revision)

    def read() -> bytes | str | None:
        try:
            return files.read(path, thorough=True)
        except Failure as failure:
            return str(failure)

    git_calls.reset()
    assert read() == content
    asked = git_calls.verbs()
    assert (read(), git_calls.verbs()) == (content, asked)
