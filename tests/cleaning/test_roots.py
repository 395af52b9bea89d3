from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.cleaning.roots import named

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "top", "below"),
    [
        (".", ".", "p/m.pyc"),
        ("/", "/", "/p/m.pyc"),
        ("./d//", "d", "d/p/m.pyc"),
        ("d/../d", "d", "d/p/m.pyc"),
    ],
)
def test_paths_as_people_write_them(path: str, top: str, below: str, root: Path) -> None:
    (root / "d").mkdir()
    walked = named(path)
    walked.way.close()
    assert (walked.shown(()), walked.shown(("p",), "m.pyc")) == (top, below)
