"""Whose configuration a push may decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.tree import check_head

if TYPE_CHECKING:
    from helpers.repo import Repo


def test_check_head_refuses_only_a_push_that_creates_the_branch_of_head(repo: Repo) -> None:
    """With other branches, only a push that creates the branch of HEAD is refused."""
    repo.commit()
    repo.git("branch", "other")
    with pytest.raises(Failure, match=r"^the push creates refs/heads/main, the branch of HEAD"):
        check_head({"refs/heads/main"})
    check_head({"refs/heads/new"})
    check_head(set())
