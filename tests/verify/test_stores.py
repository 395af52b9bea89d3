from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard import scan
from pycache_guard.errors import Failure
from pycache_guard.git.index import Index
from pycache_guard.verify.stores import IndexStore

if TYPE_CHECKING:
    from helpers.repo import Repo
    from pycache_guard.git.tree import Tree


def test_index_that_changes_while_it_is_read_is_a_failure(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed first is no longer there when the rest is."""
    repo.add("a.pyc", "1")
    listed = scan.records_to_check

    def and_changed(
        source: Index | Tree, content: str, unread: scan.Unread
    ) -> tuple[list[bytes], ...]:
        found = listed(source, content, unread)
        repo.git("rm", "-q", "--cached", "a.pyc")
        return found

    monkeypatch.setattr(scan, "records_to_check", and_changed)
    with pytest.raises(Failure, match=r"^the index changed while it was read$"):
        IndexStore(Index())
