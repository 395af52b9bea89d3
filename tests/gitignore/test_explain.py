from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.gitignore import explain
from pycache_guard.gitignore.proof import UnignoredPath

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
@pytest.mark.parametrize("directory", ["", "a", "a/b", "a/b/__pycache__"])
def test_pipe_in_place_of_an_ignore_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """It is asked about nothing then."""
    (tmp_path / directory).mkdir(parents=True, exist_ok=True)
    os.mkfifo(tmp_path / directory / ".gitignore")

    def asked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(explain, "rules_for_user", asked)
    gap = UnignoredPath("cache", b"a/b", b"a/b/__pycache__/m.cpython-313.pyc", b"", b"", b"")
    assert explain.local_only_rules([gap], {}, os.fspath(tmp_path)) == []


def test_ignore_files_read_for_probes_are_yielded_once() -> None:
    probes = [b"a/b/__pycache__/m.pyc", b"a/b/n.pyc", b"o.pyc"]
    assert [*explain.ignore_files_read_for(probes, os.curdir)] == [
        os.path.join(os.fsencode(os.curdir), directory, b".gitignore")
        for directory in (b"a/b/__pycache__", b"a/b", b"a", b"")
    ]


#: Probes that are not ignored, by kind, and the words for them.
DESCRIBED = [
    (
        {"cache": ["p/__pycache__/m.cpython-313.opt-1.pyc", "p/__pycache__/m.cpython-313.pyc"]},
        "p/__pycache__/m.cpython-313.pyc and 1 more",
    ),
    (
        {
            "cache": ["q/__pycache__/b.cpython-313.pyc", "a/__pycache__/b.cpython-313.opt-1.pyc"],
            "legacy": ["a.pyc"],
        },
        "q/__pycache__/b.cpython-313.pyc and 2 more",
    ),
    ({"legacy": ["p/b.pyc", "p/a.pyc"]}, "p/a.pyc and 1 more"),
    ({"cache": ["p/__pycache__/m.cpython-313.opt-1.pyc"]}, "p/__pycache__/m.cpython-313.opt-1.pyc"),
]


@pytest.mark.parametrize(("probes", "words"), DESCRIBED)
def test_describe_paths_shows_the_name_that_python_writes_without_options(
    probes: dict[str, list[str]], words: str
) -> None:
    gaps = [
        UnignoredPath(kind, b"p", path.encode(), b"", b"", b"")
        for kind, paths in probes.items()
        for path in paths
    ]
    assert explain.describe_paths(gaps) == words
    assert explain.describe_paths(gaps[::-1]) == words


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_link_in_place_of_an_ignore_file_does_not_differ(tmp_path: Path) -> None:
    """For most versions of git it does not count, and nothing can be staged that makes it count."""
    (tmp_path / "rules").write_text("*.pyc\n")
    (tmp_path / ".gitignore").symlink_to("rules")
    top = os.fspath(tmp_path)
    assert not explain.differs_from_index(top, b".gitignore", {})
    (tmp_path / ".gitignore").unlink()
    assert not explain.differs_from_index(top, b".gitignore", {})
    (tmp_path / ".gitignore").write_bytes(b"*.pyc\r\n")
    assert explain.differs_from_index(top, b".gitignore", {})
    assert not explain.differs_from_index(top, b".gitignore", {b".gitignore": b"*.pyc\n"})
