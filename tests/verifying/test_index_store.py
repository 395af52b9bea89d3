from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard import survey
from pycache_guard.errors import Failure
from pycache_guard.git.index import Index
from pycache_guard.verifying.index_store import IndexStore

if TYPE_CHECKING:
    from pycache_guard.git.tree import Tree
    from repo import Repo


def test_an_index_that_changes_while_it_is_read(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed first is no longer there when the rest is."""
    repo.add("a.pyc", "1")
    listed = survey.listed

    def and_changed(
        source: Index | Tree, content: str, unread: survey.Unread
    ) -> tuple[list[bytes], ...]:
        found = listed(source, content, unread)
        repo.git("rm", "-q", "--cached", "a.pyc")
        return found

    monkeypatch.setattr(survey, "listed", and_changed)
    with pytest.raises(Failure, match=r"^the index has changed while it was read$"):
        IndexStore(Index())
