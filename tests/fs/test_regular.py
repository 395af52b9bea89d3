"""What stands in a file's place and must not be waited for, nor read without end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.fs import regular
from pycache_guard.fs.regular import MAX_SMALL_FILE_BYTES, read_small_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
NO_FILE = "is not a regular file"


def test_regular_file_is_opened_and_others_refused(tmp_path: Path) -> None:
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
def test_link_is_refused_unless_followed(tmp_path: Path) -> None:
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
def test_doctor_follows_links_to_sources(repo: Repo, run: Run) -> None:
    """The doctor compares hashes with sources, which may be links."""
    import py_compile

    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    source = repo.write("a.py", b"x = 1\n")
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(os.fspath(source), invalidation_mode=mode)
    source.unlink()
    source.symlink_to(os.devnull)
    out = run("doctor", "--brief").out
    assert "caches: hash-based: 1 checked, 0 unchecked\n" in out
    assert "caches: stale" not in out


def test_read_small_file_refuses_a_large_file(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(bytes(MAX_SMALL_FILE_BYTES))
    assert len(read_small_file(str(file))) == MAX_SMALL_FILE_BYTES
    file.write_bytes(bytes(MAX_SMALL_FILE_BYTES + 1))
    with pytest.raises(ValueError, match=r"f$"):
        read_small_file(str(file))
