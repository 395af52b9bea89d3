"""Both ways down do the same; where they differ is in the test of the race."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, cast

import pytest

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.cursors import MAX_OPEN_FDS, STEP, FdCursor, PathCursor, is_junction
from pycache_guard.fs.walk import open_cursor, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pycache_guard.fs.cursors import DirectoryCursor

    Opening = Callable[[str], DirectoryCursor]

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no named pipes, and links need a privilege"
)
WAYS = [PathCursor, *([FdCursor] if compat.HAS_DIR_FD else [])]


@pytest.fixture(params=WAYS)
def down(request: pytest.FixtureRequest) -> Opening:
    cursor: Opening = request.param
    return cursor


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "c").mkdir()
    for name in ("top", "a/one", "a/b/two", "c/three"):
        (root / name).write_text("x")
    return root


def visited(cursor: DirectoryCursor, start: tuple[str, ...] = ()) -> list[str]:
    return sorted("/".join(directory.parts) for directory in walk(cursor, start))


def test_walk_yields_parents_before_children(tree: Path, down: Opening) -> None:
    cursor = down(str(tree))
    found = {"/".join(d.parts): (sorted(d.files), sorted(d.parent_files)) for d in walk(cursor)}
    cursor.close()
    assert found == {
        "": (["top"], []),
        "a": (["one"], ["top"]),
        "a/b": (["two"], ["one"]),
        "c": (["three"], ["top"]),
    }


def test_walk_starts_below_and_skips_removed_names(tree: Path, down: Opening) -> None:
    cursor = down(str(tree))
    assert visited(cursor, ("a",)) == ["a", "a/b"]
    assert visited(cursor, ("nothing", "there")) == []
    assert visited(cursor, ("top",)) == []
    seen = []
    for directory in walk(cursor):
        seen.append(directory.parts)
        if not directory.parts:
            directory.directories.remove("a")
    assert seen == [(), ("c",)]
    cursor.close()


def test_cursor_reads_and_removes_in_its_directory(tree: Path, down: Opening) -> None:
    cursor = down(str(tree))
    cursor.cd(("a", "b"))
    status = (tree / "a" / "b").stat()
    assert cursor.identity() == (status.st_dev, status.st_ino)
    assert stat.S_ISREG(cursor.status("two").st_mode)
    assert stat.S_ISDIR(cursor.status().st_mode)
    assert cursor.remove(["two", "gone meanwhile"]) == []
    cursor.cd(("a",))
    with pytest.raises(FileNotFoundError):
        cursor.status("gone")
    ((name, error),) = cursor.remove(["b", "one"])
    assert name == "b"
    assert isinstance(error, OSError)
    cursor.remove_directory("b")
    assert list((tree / "a").iterdir()) == []
    cursor.close()


def test_clone_moves_independently(tree: Path, down: Opening) -> None:
    cursor = down(str(tree))
    cursor.cd(("a",))
    clone = cursor.clone()
    clone.cd(("c",))
    assert (cursor.list_entries()[0], clone.list_entries()[0]) == (["one"], ["three"])
    clone.close()
    assert cursor.list_entries() == (["one"], ["b"], [])
    cursor.close()


@posix
def test_links_are_listed_as_files_and_not_entered(
    tree: Path, down: Opening, tmp_path: Path
) -> None:
    (tmp_path / "outside" / "below").mkdir(parents=True)
    (tree / "link").symlink_to(tmp_path / "outside")
    (tree / "dangling").symlink_to("nowhere")
    os.mkfifo(tree / "fifo")
    cursor = down(str(tree))
    top = next(walk(cursor))
    assert sorted(top.files) == ["dangling", "link", "top"]
    assert sorted(top.directories) == ["a", "c"]
    assert top.special == ["fifo"]
    for parts in (("link",), ("dangling",), ("fifo",), ("top",), ("link", "below")):
        with pytest.raises(OSError, match=r".") as raised:
            cursor.cd(parts)
        assert not isinstance(raised.value, PermissionError)
    assert cursor.remove([]) == []
    cursor.cd(())
    assert cursor.remove(["link"]) == []
    assert (tmp_path / "outside").is_dir()
    cursor.close()


@posix
def test_directory_replaced_by_a_link_is_not_visited(tree: Path, down: Opening) -> None:
    cursor = down(str(tree))
    seen = []
    for directory in walk(cursor):
        seen.append("/".join(directory.parts))
        if not directory.parts:
            (tree / "c").rename(tree / "d")
            (tree / "c").symlink_to("d")
    assert sorted(seen) == ["", "a", "a/b"]
    cursor.close()


def test_unlistable_directory_is_reported(
    tree: Path, down: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = down(str(tree))
    listing = cursor.list_entries

    def broken() -> object:
        found = listing()
        if "one" in found[0]:
            raise PermissionError(13, "Permission denied")
        return found

    monkeypatch.setattr(cursor, "list_entries", broken)
    found = {"/".join(d.parts): d.error and d.error.errno for d in walk(cursor)}
    assert found == {"": None, "a": 13, "c": None}
    cursor.close()


@posix
def test_cursor_whose_directory_vanished_stays_usable(tmp_path: Path) -> None:
    """We stand above it then: what is asked next is answered."""
    parts = ("d",) * (8 * STEP)
    (tmp_path / "root").joinpath(*parts).mkdir(parents=True)
    cursor = FdCursor(str(tmp_path / "root"))
    cursor.cd(parts)
    (tmp_path / "root/d/d/d").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        cursor.cd(parts[:5])
    assert os.path.samestat(cursor.status(), (tmp_path / "root/d/d").stat())
    cursor.close()


@posix
@pytest.mark.parametrize("levels", [1, STEP, STEP * STEP, 700])
def test_deep_cursor_keeps_few_descriptors(levels: int, tmp_path: Path) -> None:
    """Down, up in steps of any size, and down again."""
    parts = tuple("abc"[n % 3] for n in range(levels))
    (tmp_path / "root").joinpath(*parts).mkdir(parents=True)
    cursor = FdCursor(str(tmp_path / "root"))
    most = 0
    for depth in (*range(levels), *range(levels, -1, -1), levels, *range(levels, -1, -7), levels):
        cursor.cd(parts[:depth])
        assert os.path.samestat(
            cursor.status(), os.stat((tmp_path / "root").joinpath(*parts[:depth]))
        )
        most = max(most, sum(descriptor is not None for descriptor in cursor._open))
    cursor.close()
    assert most <= MAX_OPEN_FDS


@posix
def test_tree_deeper_than_a_path_is_walked(tmp_path: Path) -> None:
    """Deeper than a path may be long, and than descriptors may be open, without recursion."""
    import resource

    levels = 1000
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("directory", dir_fd=here)
        below = os.open("directory", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    cursor = FdCursor(str(tmp_path))
    # The limit bounds the number of a descriptor, and other tests of this process may hold high ones.
    highest = max(int(name) for name in os.listdir("/dev/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + MAX_OPEN_FDS, hard))
    try:
        walked = [*walk(cursor)]
        assert [directory.error for directory in walked if directory.error] == []
        directories = [directory.parts for directory in walked]
        assert len(directories) == levels + 1
        for parts in reversed(directories[1:]):
            cursor.cd(parts[:-1])
            cursor.remove_directory(parts[-1])
        cursor.cd(())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        cursor.close()
    assert list(tmp_path.iterdir()) == []


@posix
def test_replaced_directory_above_is_noticed(tmp_path: Path) -> None:
    """Not every directory above is held open: one is opened again, and another one is there now."""
    parts = ("d",) * 80
    tmp_path.joinpath(*parts).mkdir(parents=True)
    before = set(os.listdir("/dev/fd"))
    cursor = FdCursor(str(tmp_path))
    cursor.cd(parts)
    cursor.cd(parts[:40])
    assert cursor.identity() == (
        os.stat(tmp_path).st_dev,
        tmp_path.joinpath(*parts[:40]).stat().st_ino,
    )
    cursor.cd(parts)
    tmp_path.joinpath(*parts[:43]).rename(tmp_path / "away")
    tmp_path.joinpath(*parts[:43]).symlink_to(tmp_path / "away")
    with pytest.raises(NotADirectoryError):
        cursor.cd(parts[:45])
    cursor.cd(parts[:42])
    assert cursor.list_entries() == (["d"], [], [])
    cursor.close()
    assert set(os.listdir("/dev/fd")) <= before  # the collector may close what another test left


@posix
def test_closed_cursor_keeps_no_descriptor(tree: Path) -> None:
    before = set(os.listdir("/dev/fd"))
    cursor = FdCursor(str(tree))
    clone = cursor.clone()
    assert visited(cursor) == ["", "a", "a/b", "c"]
    with pytest.raises(OSError, match=r"."):
        cursor.cd(("a", "b", "nothing"))
    cursor.close()
    clone.close()
    assert set(os.listdir("/dev/fd")) <= before  # the collector may close what another test left


def test_open_cursor_fits_the_platform(tree: Path) -> None:
    cursor = open_cursor(str(tree))
    assert isinstance(cursor, FdCursor if compat.HAS_DIR_FD else PathCursor)
    cursor.close()
    with pytest.raises(Failure, match="no such directory"):
        open_cursor(str(tree / "nothing"))
    with pytest.raises(Failure, match="not a directory"):
        open_cursor(str(tree / "top"))


@posix
def test_link_as_root_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "link").symlink_to("a")
    with pytest.raises(Failure, match="pass the directory itself"):
        open_cursor(str(tree / "link"))
    monkeypatch.setattr(compat, "HAS_DIR_FD", False)
    with pytest.raises(Failure, match="pass the directory itself"):
        open_cursor(str(tree / "link"))
    assert isinstance(open_cursor(str(tree)), PathCursor)


def test_other_errors_of_the_root_are_raised(monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    def refused(path: str) -> PathCursor:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(compat, "HAS_DIR_FD", False)
    monkeypatch.setattr("pycache_guard.fs.walk.PathCursor", refused)
    with pytest.raises(PermissionError):
        open_cursor(str(tree))


class Status:
    """As much as is looked at of what `os.lstat` says on Windows."""

    st_mode = stat.S_IFDIR

    def __init__(self, tag: int) -> None:
        self.st_reparse_tag = tag


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0, False),
        (0xA0000003, True),  # IO_REPARSE_TAG_MOUNT_POINT: a junction
        (0x9000001A, False),  # IO_REPARSE_TAG_CLOUD: a file that is also elsewhere
    ],
)
def test_junction_is_recognized_by_its_tag(tag: int, expected: bool) -> None:
    status = cast("os.stat_result", Status(tag))
    assert is_junction(status) is expected


def test_junction_is_listed_as_special(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = PathCursor(str(tree))
    status = cursor.status
    monkeypatch.setattr(
        cursor, "status", lambda name: Status(0xA0000003) if name == "a" else status(name)
    )
    assert cursor.list_entries() == (["top"], ["c"], ["a"])


def test_directory_that_vanishes_while_listed_is_left_out(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = PathCursor(str(tree))
    status = cursor.status

    def late(name: str) -> os.stat_result:
        if name == "c":
            raise FileNotFoundError
        return status(name)

    monkeypatch.setattr(cursor, "status", late)
    assert cursor.list_entries() == (["top"], ["a"], [])
