"""Which files are linted: extension, shebang, index, directories."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.posix_names import decode_posix_name
from pycache_guard import python_files
from pycache_guard.fs import cursors
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.repo import Repo

SCRIPT = "#!/usr/bin/env python3\nprint()\n"
ODD = decode_posix_name(b"caf\xe9.py")


def paths(repo: Repo) -> list[str]:
    return [source.path for source in python_files.tracked_sources()]


def test_tracked_sources_are_python_by_name_or_shebang(repo: Repo) -> None:
    repo.stage("a.py", "x = 1\n")
    repo.stage("pkg/tool", SCRIPT, mode="100755")
    repo.stage("pkg/other", "#!/bin/sh\n", mode="100755")
    repo.stage("pkg/plain", SCRIPT)
    repo.stage("b.pyw", "x = 1\n")
    repo.stage("c.txt", "x = 1\n", mode="100755")
    repo.stage("link.py", "a.py", mode="120000")
    repo.stage("sub.py", "1" * 40, mode="160000")
    repo.stage(ODD, "x = 1\n")
    assert set(paths(repo)) == {"a.py", "b.pyw", "pkg/tool", ODD}


def test_tracked_sources_have_a_conflict_once(repo: Repo) -> None:
    repo.stage("a.py", "x = 1\n", stage=1)
    repo.stage("a.py", "x = 2\n", stage=2)
    assert paths(repo) == ["a.py"]


def test_tracked_sources_are_read_from_disk_else_from_the_index(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.py", "staged\n")
    repo.write("a.py", "edited\n")
    repo.stage("pkg/b.py", "sparse\n")
    repo.stage("d.py", "a directory\n")
    (repo.path / "d.py").mkdir()
    repo.stage("d/e.py", "below a file\n")
    repo.write("d", "")
    repo.write("sub/x")
    monkeypatch.chdir(repo.path / "sub")
    read = {source.path: source.read() for source in python_files.tracked_sources()}
    assert read == {
        "a.py": b"edited\n",
        "d.py": b"a directory\n",
        "d/e.py": b"below a file\n",
        "pkg/b.py": b"sparse\n",
    }


def test_tracked_sources_outside_a_repository_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GitFailure):
        list(python_files.tracked_sources())


def test_sources_at_directories_skip_hidden_and_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.py", "a.py", "a.txt", "p/c.py", ".git/d.py", "x.egg/e.py", "env/lib/f.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "env/pyvenv.cfg").write_text("", encoding="utf-8")
    script = tmp_path / "p" / "tool"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    found = [source.path for source in python_files.sources_at([".", "a.txt"])]
    assert found == ["a.py", "b.py", "p/c.py", "p/tool", "a.txt"]
    assert [s.path for s in python_files.sources_at(["./p/../p/c.py"])] == ["p/c.py"]


@pytest.mark.skipif(
    sys.platform == "win32", reason="needs symbolic links, named pipes and names of any bytes"
)
def test_walk_sources_does_not_follow_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"")
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / ODD).write_bytes(b"")
    found = [s.path for s in python_files.sources_at([str(tmp_path)])]
    assert found == [f"{tmp_path}/a.py", f"{tmp_path}/{ODD}"]


@pytest.mark.skipif(
    sys.platform == "win32", reason="an entry of a directory has no inode number there"
)
def test_walk_sources_does_not_follow_junctions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Windows reports of one: a directory, no symbolic link, and a reparse tag."""
    for name in ("real", "junction"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.py").write_text("")
    inode = os.stat(tmp_path / "junction").st_ino
    monkeypatch.setattr(cursors, "is_junction", lambda status: status.st_ino == inode)
    assert [source.path for source in python_files.walk_sources(os.fspath(tmp_path))] == [
        f"{tmp_path.as_posix()}/real/m.py"
    ]


def test_unreadable_source_is_yielded_and_read_raises(tmp_path: Path) -> None:
    (missing,) = python_files.sources_at([str(tmp_path / "no.py")])
    with pytest.raises(FileNotFoundError):
        missing.read()


def test_source_that_is_deleted_during_the_walk_is_yielded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading it says why."""
    (tmp_path / "a").write_text("")

    def gone(path: str) -> set[str]:
        raise ValueError(f"{path} does not exist.")

    monkeypatch.setattr("identify.identify.tags_from_path", gone)
    assert [source.path for source in python_files.sources_at([os.fspath(tmp_path)])] == [
        os.fspath(tmp_path / "a").replace(os.sep, "/")
    ]


def test_unreadable_directory_is_yielded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may list everything: the refusal has to come from somewhere else.
    (tmp_path / "closed").mkdir()
    (tmp_path / "open.py").write_bytes(b"x")
    listed = os.scandir

    def scandir(path: str) -> object:
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    first, second = python_files.sources_at([str(tmp_path)])
    assert first.read() == b"x"
    assert second.path.endswith("/closed")
    with pytest.raises(OSError, match="closed"):
        second.read()
