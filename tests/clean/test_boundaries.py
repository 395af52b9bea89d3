from __future__ import annotations

import pytest

from pycache_guard.clean.roots import skip_reason_by_content
from pycache_guard.clean.roots import skip_reason_by_name

OWN = "internal files of a repository"
OTHER = "another repository"

LEFT = [
    (["HEAD"], ["objects", "refs"], OWN),  # a bare repository, gitrepository-layout(5)
    (["HEAD", "commondir", "gitdir"], ["logs"], OWN),  # of a linked worktree
    (["HEAD"], ["objects"], None),
    (["HEAD"], ["refs"], None),
    (["commondir"], ["objects", "refs"], None),
    ([".git"], [], OTHER),  # a submodule, or a linked worktree
    ([], [".git"], OTHER),
    ([], [".HG"], OTHER),
    ([], [".jj", "src"], OTHER),
    ([], [".svn"], None),  # up to Subversion 1.6 every directory had one
    (["pyvenv.cfg"], ["lib"], "a virtual environment"),
    ([], ["conda-meta"], "a virtual environment"),
    (["conda-meta"], ["pyvenv.cfg"], None),
]


@pytest.mark.parametrize(("files", "directories", "expected"), LEFT)
def test_reason_to_leave(files: list[str], directories: list[str], expected: str | None) -> None:
    assert skip_reason_by_content(files, directories) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".git", OWN),
        (".Git", OWN),
        ("_darcs", OWN),
        ("node_modules", "node_modules"),
        ("Node_Modules", "node_modules"),
        (".github", None),
        ("venv", None),
    ],
)
def test_reason_not_to_enter(name: str, expected: str | None) -> None:
    assert skip_reason_by_name(name) == expected
