"""What stands in a file's place and must not be waited for, nor read without end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.fs import regular

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="no pipes in directories there")
NO_FILE = "is not a regular file"


def test_opened(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\r\n\x1a")
    for name in (os.fspath(path), os.fsencode(path)):
        with regular.open_regular(name) as file:
            assert file.read() == b"\r\n\x1a"
    with pytest.raises(FileNotFoundError):
        regular.open_regular(os.fspath(tmp_path / "b"))
    with pytest.raises(IsADirectoryError, match="is a directory"):
        regular.open_regular(os.fspath(tmp_path))
    with pytest.raises(OSError, match=NO_FILE):
        regular.open_regular(os.devnull)


@posix
def test_links_that_are_not_followed(tmp_path: Path) -> None:
    """One that leads nowhere is there all the same."""
    (tmp_path / "a").write_bytes(b"x")
    for target in ("a", "nowhere"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(target)
        with pytest.raises(OSError, match="is a symbolic link"):
            regular.open_regular(os.fspath(link), follow=False)
    with regular.open_regular(os.fspath(tmp_path / "to-a")) as file:
        assert file.read() == b"x"


@posix
def test_sources_of_caches(repo: Repo, run: Run) -> None:
    """The doctor compares hashes with sources, which may be links."""
    import py_compile

    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    source = repo.write("a.py", b"x = 1\n")
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(os.fspath(source), invalidation_mode=mode)
    source.unlink()
    source.symlink_to(os.devnull)
    assert "caches: stale: 0\n" in run("doctor", "--brief").out
