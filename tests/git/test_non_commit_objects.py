from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.history import non_commit_objects, records_in
from pycache_guard.git.objects import ObjectReader
from pycache_guard.git.revisions import Revisions

if TYPE_CHECKING:
    from helpers.repo import Repo


def test_tips_that_are_trees_and_blobs_are_returned(repo: Repo) -> None:
    """Behind tags too; what the commits left out have is known."""
    repo.stage("d/a", "1")
    repo.stage("b", "2")
    old = repo.commit()
    known = repo.git("rev-parse", "HEAD^{tree}")
    repo.stage("d/a", "3")
    repo.git("tag", "-a", "-m", "m", "t", repo.git("write-tree"))
    repo.git("tag", "-a", "-m", "m", "tt", "t")
    repo.git("tag", "-a", "-m", "m", "c", "HEAD")
    ids = {repo.git("rev-parse", n): n for n in ("t", "tt", "c", ":b", ":d/a", "HEAD", "HEAD:d")}
    ids[known] = "known"
    ids |= {repo.blob(str(n)): str(n) for n in range(100, 160)}
    new = repo.git("rev-parse", "t^{}")
    numbers = {str(n): repo.blob(str(n)) for n in range(100, 160)}
    reader = ObjectReader(0)
    trees, blobs = non_commit_objects(Revisions(ids), reader)
    assert trees == {"t": new, "tt": new, "known": known, "HEAD:d": repo.git("rev-parse", "HEAD:d")}
    assert blobs == {":b": repo.blob("2"), ":d/a": repo.blob("3")} | numbers
    excluding = Revisions(ids, [old])
    expected = ({"t": new, "tt": new}, {":d/a": repo.blob("3")} | numbers)
    assert non_commit_objects(excluding, reader) == expected
    # The tag is a ref that has it already.
    assert non_commit_objects(Revisions(ids, (), "--not", "--all"), reader) == ({}, numbers)
    reader.close()
    assert list(records_in({"t": new}, {"x": repo.blob("4")})) == [
        ("t", f"100644 {repo.blob('2')}\tb".encode()),
        ("t", f"100644 {repo.blob('3')}\td/a".encode()),
        ("x", f"100644 {repo.blob('4')}\t".encode()),
    ]


def test_missing_tip_is_a_failure(repo: Repo) -> None:
    reader = ObjectReader(0)
    with pytest.raises(Failure, match=r"^refs/x: object 1{40} is missing$"):
        non_commit_objects(Revisions({"1" * 40: "refs/x"}), reader)
    reader.close()
