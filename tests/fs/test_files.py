from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.windows import words_of_missing_file
from pycache_guard.fs import cursors, files


def walked(*tops: Path) -> list[str]:
    """Return what is found below `tops`, relative to the first."""
    complaints: list[str] = []
    found = list(
        files.Walk([os.fspath(top) for top in tops], lambda *result: complaints.append(result[0]))
    )
    assert not complaints
    return [relative(path, tops[0]) for path, _ in found]


def relative(path: str, top: Path) -> str:
    """Return a path relative to another, with `/` on every system."""
    return Path(os.path.relpath(path, top)).as_posix()


def make(top: Path, *paths: str) -> None:
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).touch()


def test_walk_is_sorted_and_skips_version_control(tmp_path: Path) -> None:
    make(tmp_path, "b/c", "a", "b/__pycache__/d", "b/.git")
    for mark in (
        ".git/HEAD",
        ".hg/requires",
        ".svn/wc.db",
        ".bzr/branch-format",
        ".jj/repo/x",
        ".sl/store",
    ):
        make(tmp_path, mark, f"{mark.partition('/')[0]}/x.pyc")
    assert walked(tmp_path) == ["a", "b/.git", "b/c", "b/__pycache__/d"]


@pytest.mark.parametrize("name", [".git", ".hg", ".svn", ".bzr", ".jj", ".sl", "_darcs", "CVS"])
def test_directory_named_like_version_control_is_not_skipped(tmp_path: Path, name: str) -> None:
    make(tmp_path, f"{name}/x.pyc", f"{name}/HEAD.py", "a")
    assert f"{name}/x.pyc" in walked(tmp_path)


def test_darcs_directory_is_not_skipped(tmp_path: Path) -> None:
    make(tmp_path, "_darcs/format", "_darcs/hashed_inventory", "_darcs/mod.pyc")
    assert walked(tmp_path) == ["_darcs/format", "_darcs/hashed_inventory", "_darcs/mod.pyc"]


def test_directory_with_tracked_files_is_not_skipped(tmp_path: Path) -> None:
    make(tmp_path, "a/.hg/requires", "a/.hg/x.pyc", "b/.hg/requires", ".git/HEAD")
    tracked = [os.fspath(tmp_path / "a" / ".hg"), os.fspath(tmp_path / ".git")]
    walk = files.Walk([os.fspath(tmp_path)], lambda *_: None, tracked.__contains__)
    assert [relative(path, tmp_path) for path, _ in walk] == [
        "a/.hg/requires",
        "a/.hg/x.pyc",
    ]


def test_link_instead_of_a_cache_directory_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/x", "real/deep/y")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "__pycache__").symlink_to("real")
    (tmp_path / "real" / "__PYCACHE__").symlink_to(".")
    (tmp_path / "file").symlink_to("real/x")
    (tmp_path / "loop").symlink_to("loop")
    found = ["file", "loop", "__pycache__/x", "real/x", "real/__PYCACHE__/x", "real/deep/y"]
    assert walked(tmp_path) == found


def test_link_to_a_package_elsewhere_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "top/a", "else/pkg/__init__.py", "else/pkg/sub/my-dir/x.pyc", "else/other/m.py")
    make(tmp_path, "else/ns/__pycache__/m.pyc", "else/data/x", "m.py")
    (tmp_path / "else/pkg/sub/further").symlink_to("../../other")
    (tmp_path / "else/pkg/back").symlink_to("..")
    for name in ("pkg", "ns", "data"):
        (tmp_path / "top" / name).symlink_to(f"../else/{name}")
    (tmp_path / "top" / "again").symlink_to("pkg")
    (tmp_path / "top" / "my-pkg").symlink_to("../else/other")
    (tmp_path / "top" / "up").symlink_to("..")
    (tmp_path / "top" / "here").symlink_to(".")
    walk = files.Walk([os.fspath(tmp_path / "top")], lambda *_: None)
    found = [(relative(path, tmp_path / "top"), is_link) for path, is_link in walk]
    assert found == [
        ("a", False),
        ("again/__init__.py", True),
        ("again/sub/my-dir/x.pyc", True),
        ("ns/__pycache__/m.pyc", True),
        ("again/sub/further/m.py", True),
    ]
    unfollowed = [relative(path, tmp_path / "top") for path in walk.unfollowed]
    assert unfollowed == ["data", "my-pkg", "up", "again/back"]


def test_link_to_an_unlistable_directory_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "top/a", "else/m.py")
    (tmp_path / "top" / "pkg").symlink_to("../else")

    def refuse(path: str) -> list[str]:  # who may do everything cannot be refused by modes
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)
    walk = files.Walk([os.fspath(tmp_path / "top")], lambda *_: None)
    assert [os.path.basename(path) for path, _ in walk] == ["a"]
    assert [os.path.basename(path) for path in walk.unfollowed] == ["pkg"]


def test_junction_is_treated_as_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Windows reports of one: a directory, no symbolic link, and a reparse tag."""
    make(tmp_path, "a/real/x", "a/junction/x", "a/__pycache__/x")
    for name in ("junction", "__pycache__"):  # Windows lists no inodes, but times
        os.utime(tmp_path / "a" / name, (1, 1))
    monkeypatch.setattr(cursors, "is_junction", lambda status: status.st_mtime == 1)
    walk = files.Walk([os.fspath(tmp_path)], lambda *_: None)
    found = [relative(path, tmp_path) for path, _ in walk]
    assert found == ["a/__pycache__/x", "a/real/x"]
    assert [os.path.basename(path) for path in walk.unfollowed] == ["junction"]


def test_short_reads_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system may return less than it was asked for."""
    (tmp_path / "x").write_bytes(bytes(range(200)) * 5)
    reading = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: reading(descriptor, min(size, 400)))
    path = os.fspath(tmp_path / "x")
    assert files.read_limited(path) == files.read_file(path) == bytes(range(200)) * 5
    assert files.read_limited(path, 500) == (bytes(range(200)) * 5)[:500]
    assert files.read_limited(path, 0) == b""


def test_link_as_argument_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/x")
    (tmp_path / "link").symlink_to("real")
    assert walked(tmp_path / "link") == ["x"]


def test_current_directory_is_omitted_from_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/x")
    monkeypatch.chdir(tmp_path)
    assert list(files.Walk(["."], lambda *_: None)) == [(os.path.join("a", "x"), False)]


def test_unreadable_directory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/x", "b/y")
    scandir = os.scandir

    def refusing(path: str) -> object:  # who may do everything cannot be refused by modes
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result: list[tuple[str, str]] = []
    found = list(files.Walk([os.fspath(tmp_path)], lambda *what: result.append(what)))
    assert [os.path.basename(path) for path, _ in found] == ["y"]
    assert result == [(os.fspath(tmp_path / "a"), "Permission denied")]


def test_missing_argument_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(files.Walk([os.fspath(tmp_path / "nowhere")], lambda *_: None))


def test_reading_stops_at_the_limit_and_refuses_special_files(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert files.read_limited(os.fspath(path), 2) == b"ab"
    assert files.read_file(os.fspath(path)) == b"abc"
    for odd, reason in ((tmp_path, "is a directory"), (Path(os.devnull), "is not a regular file")):
        with pytest.raises(files.UnreadableFile, match=reason):
            files.read_limited(os.fspath(odd))


def test_file_as_argument_is_yielded(tmp_path: Path) -> None:
    make(tmp_path, "x")
    (tmp_path / "link").symlink_to("x")
    named = [os.fspath(tmp_path / name) for name in ("x", "link")]
    assert list(files.Walk(named, lambda *_: None)) == [(named[0], False), (named[1], True)]


def test_missing_or_large_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(files.UnreadableFile, match=f"nothing: {words_of_missing_file()}"):
        files.read_limited(os.fspath(tmp_path / "nothing"))
    with open(tmp_path / "large", "wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    with pytest.raises(files.UnreadableFile, match="large: is larger than 64 MiB"):
        files.read_file(os.fspath(tmp_path / "large"))


def test_file_of_maximum_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 5)
    (tmp_path / "x").write_bytes(b"12345")
    assert files.read_file(os.fspath(tmp_path / "x")) == b"12345"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_pipe_instead_of_a_file_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    opened = os.open

    def swapped(name: str, flags: int, dir_fd: int | None = None) -> int:
        path.unlink()
        os.mkfifo(path)
        return opened(name, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(files.UnreadableFile, match=r"x: is not a regular file$"):
        files.read_limited(os.fspath(path))
