from __future__ import annotations

import os
from pathlib import Path

import pytest

from pycache_guard import disk


def walked(*tops: Path) -> list[str]:
    """Return what is found below `tops`, relative to the first."""
    complaints: list[str] = []
    found = list(
        disk.walk([os.fspath(top) for top in tops], lambda *told: complaints.append(told[0]))
    )
    assert not complaints
    return [os.path.relpath(path, tops[0]) for path, _ in found]


def make(top: Path, *paths: str) -> None:
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).touch()


def test_sorted_and_without_the_insides_of_version_control(tmp_path: Path) -> None:
    make(tmp_path, "b/c", "a", ".git/x.pyc", ".hg/x.pyc", "b/__pycache__/d", "b/.git")
    assert walked(tmp_path) == ["a", "b/.git", "b/c", "b/__pycache__/d"]


def test_links_to_directories_are_not_followed_but_for_caches(tmp_path: Path) -> None:
    make(tmp_path, "real/x", "real/deep/y")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "__pycache__").symlink_to("real")
    (tmp_path / "real" / "__PYCACHE__").symlink_to(".")
    (tmp_path / "file").symlink_to("real/x")
    (tmp_path / "loop").symlink_to("loop")
    found = ["file", "loop", "__pycache__/x", "real/x", "real/__PYCACHE__/x", "real/deep/y"]
    assert walked(tmp_path) == found


def test_a_link_named_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/x")
    (tmp_path / "link").symlink_to("real")
    assert walked(tmp_path / "link") == ["x"]


def test_here_is_left_out_of_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/x")
    monkeypatch.chdir(tmp_path)
    assert list(disk.walk(["."], lambda *_: None)) == [("a/x", False)]


def test_directory_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/x", "b/y")
    scandir = os.scandir

    def refusing(path: str) -> object:  # who may do everything cannot be refused by modes
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    told: list[tuple[str, str]] = []
    found = list(disk.walk([os.fspath(tmp_path)], lambda *what: told.append(what)))
    assert [os.path.basename(path) for path, _ in found] == ["y"]
    assert told == [(os.fspath(tmp_path / "a"), "Permission denied")]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(disk.walk([os.fspath(tmp_path / "nowhere")], lambda *_: None))


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert disk.read(os.fspath(path), 2) == b"ab"
    assert disk.read_whole(os.fspath(path)) == b"abc"
    for odd, reason in ((tmp_path, "is a directory"), (Path(os.devnull), "is no regular file")):
        with pytest.raises(disk.Unreadable, match=reason):
            disk.read(os.fspath(odd))


def test_a_file_that_is_named(tmp_path: Path) -> None:
    make(tmp_path, "x")
    (tmp_path / "link").symlink_to("x")
    named = [os.fspath(tmp_path / name) for name in ("x", "link")]
    assert list(disk.walk(named, lambda *_: None)) == [(named[0], False), (named[1], True)]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(disk.Unreadable, match="nothing: No such file or directory"):
        disk.read(os.fspath(tmp_path / "nothing"))
    with open(tmp_path / "large", "wb") as file:
        file.truncate(disk.LARGEST + 1)
    with pytest.raises(disk.Unreadable, match="large: is larger than 64 MiB"):
        disk.read_whole(os.fspath(tmp_path / "large"))


def test_the_largest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LARGEST", 5)
    (tmp_path / "x").write_bytes(b"12345")
    assert disk.read_whole(os.fspath(tmp_path / "x")) == b"12345"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes that have a name")
def test_a_pipe_put_in_a_files_place_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    opened = os.open

    def swapped(name: str, flags: int) -> int:
        path.unlink()
        os.mkfifo(path)
        return opened(name, flags)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(disk.Unreadable, match=r"x: is no regular file$"):
        disk.read(os.fspath(path))
