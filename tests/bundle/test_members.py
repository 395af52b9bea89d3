"""Paths in the tree of an archive."""

from __future__ import annotations

import pytest

from pycache_guard.bundle.members import Entries, Link


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("b/x", "b/x"),
        ("./b//x", "b/x"),
        ("b/c/../x", "b/x"),
        ("../x", "x"),
        ("b/../../x", "x"),
        ("link/x", "b/c/x"),
        ("link/../x", "b/x"),
        ("circle/x", None),
    ],
)
def test_links_and_dots_in_directories_are_resolved(path: str, expected: str | None) -> None:
    entries = Entries()
    entries.add("link", Link("b/c"))
    entries.add("circle", Link("circle"))
    assert entries.resolve(path) == expected
