from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.ignoring import blame
from pycache_guard.ignoring.proof import Gap

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in directories there")
@pytest.mark.parametrize("directory", ["", "a", "a/b", "a/b/__pycache__"])
def test_where_git_would_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """It is asked about nothing then."""
    (tmp_path / directory).mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / directory / ".gitignore")

    def asked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(blame, "rules_here", asked)
    gap = Gap("cache", b"a/b", b"a/b/__pycache__/m.cpython-313.pyc", b"", b"", b"")
    assert blame.culprits([gap], {}, os.fspath(tmp_path)) == []


def test_each_ignore_file_is_looked_at_once() -> None:
    probes = [b"a/b/__pycache__/m.pyc", b"a/b/n.pyc", b"o.pyc"]
    assert [*blame.read_for(probes, os.curdir)] == [
        os.path.join(os.fsencode(os.curdir), directory, b".gitignore")
        for directory in (b"a/b/__pycache__", b"a/b", b"a", b"")
    ]
