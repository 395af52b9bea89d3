"""Which command helps, by error, owner and platform."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING
from typing import NamedTuple

import pytest

from clean.trees import make_tree
from pycache_guard import compat
from pycache_guard.clean import remove
from pycache_guard.clean.plan import make_plan
from pycache_guard.clean.remove import RemovalError
from pycache_guard.clean.remove import error_findings
from pycache_guard.clean.remove import execute
from pycache_guard.clean.roots import root_for
from pycache_guard.clean.select import CleanOptions

if TYPE_CHECKING:
    from pathlib import Path

    from pycache_guard.clean.plan import Plan


class Remedy(NamedTuple):
    """What stood in the way, whom the directory belongs to, who we are; and what helps."""

    number: int
    holder: int
    ours: int
    platform: str
    command: str | None


REMEDIES = [
    Remedy(errno.EACCES, 0, 1000, "linux", "sudo rm -rf -- p/__pycache__"),
    Remedy(errno.EACCES, 1000, 1000, "linux", "chmod u+rwx -- p/__pycache__"),
    Remedy(errno.EPERM, 0, 1000, "linux", "sudo rm -rf -- p/__pycache__"),
    Remedy(errno.EPERM, 1000, 1000, "linux", "sudo chattr -i -a -- p/__pycache__ p/__pycache__/m"),
    Remedy(errno.EPERM, 5, 0, "linux", "sudo chattr -i -a -- p/__pycache__ p/__pycache__/m"),
    Remedy(
        errno.EPERM, 5, 5, "darwin", "sudo chflags nouchg,nouappnd -- p/__pycache__ p/__pycache__/m"
    ),
    Remedy(errno.EBUSY, 0, 0, "linux", "sudo umount p/__pycache__/m"),
    Remedy(errno.EIO, 5, 5, "linux", None),
    Remedy(errno.ENOSPC, 0, 1000, "linux", None),
    Remedy(errno.EMFILE, 0, 1000, "linux", "ulimit -n 4096"),
    Remedy(errno.ENFILE, 5, 5, "darwin", "ulimit -n 4096"),
    Remedy(errno.EMFILE, 0, 0, "win32", None),
    Remedy(errno.EACCES, 0, 0, "win32", 'attrib -R "p\\__pycache__\\m"'),
]


@pytest.mark.skipif(sys.platform == "win32", reason="owners are numbers")
@pytest.mark.parametrize("remedy", REMEDIES)
def test_remedy(remedy: Remedy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "WINDOWS", remedy.platform == "win32")
    monkeypatch.setattr(compat, "MACOS", remedy.platform == "darwin")
    monkeypatch.setattr(os, "geteuid", lambda: remedy.ours)
    error = OSError(remedy.number, "")
    directory = "p/__pycache__"
    command = remove.remedy(
        error, f"{directory}/m", directory, owned_by(remedy.holder), whole=directory
    )
    assert command == remedy.command


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("a/b c.pyc", 'attrib -R "a\\b c.pyc"'),
        ("C:/a/b.pyc", 'attrib -R "C:\\a\\b.pyc"'),
        ("caf\u00e9.pyc", 'attrib -R "caf\u00e9.pyc"'),
        ("a&calc&.pyc", None),
        ("$(calc).pyc", None),
        ("a`n.pyc", None),
        ("a%PATH%.pyc", None),
        ("x\u2019;calc;\u2019.pyc", None),
        ("a\nb.pyc", None),
    ],
)
def test_windows_remedy_of_odd_paths_is_no_command(path: str, command: str | None) -> None:
    assert remove.windows_remedy(path) == command


def test_directory_that_finds_no_descriptor(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.unreadable.append((("p",), OSError(errno.EMFILE, "Too many open files")))
    (unread,) = error_findings(plan, [])
    assert unread.fix == "ulimit -n 4096"
    monkeypatch.setattr(compat, "WINDOWS", True)
    (unread,) = error_findings(plan, [])
    assert unread.fix is None
    plan.root.way.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no such file systems")
def test_the_read_only_part(monkeypatch: pytest.MonkeyPatch) -> None:
    class Read:
        def __init__(self, path: str) -> None:
            self.f_flag = os.ST_RDONLY if path.startswith("/mnt") else 0

    monkeypatch.setattr(os, "statvfs", Read)
    error = OSError(errno.EROFS, "")
    command = remove.remedy(error, "/mnt/a/b/c", "/mnt/a/b", None, whole=None)
    assert command == "sudo mount -o remount,rw /mnt"
    monkeypatch.setattr(os, "statvfs", lambda _: Read("/mnt"))
    assert remove.read_only_mount("/a") == "/"


def owned_by(uid: int) -> os.stat_result:
    return os.stat_result((0o40755, 0, 0, 1, uid, uid, 0, 0, 0, 0))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    make_tree(tmp_path, ["p/__pycache__/m.cpython-313.pyc"])
    return make_plan(root_for("."), CleanOptions())


def test_where_nothing_is_known_of_the_owner(plan: Plan) -> None:
    obstacle = RemovalError(plan.spots[0], "m.cpython-313.pyc", OSError("odd"), None, None)
    plan.unreadable.append((("gone", "too"), OSError(errno.EIO, "Input/output error")))
    unread, unremoved = error_findings(plan, [obstacle])
    assert (unread.path, unread.message) == ("gone/too", "not read: Input/output error")
    assert unremoved.path == "p/__pycache__/m.cpython-313.pyc"
    assert unremoved.message == "not removed: odd"
    plan.root.way.close()


def test_a_directory_that_cannot_be_entered_again(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = plan.root.way
    enter = way.cd

    def refuse(parts: tuple[str, ...]) -> None:
        if parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        enter(parts)

    monkeypatch.setattr(way, "cd", refuse)
    done = execute(plan)
    assert [o.name for o in done.obstacles] == ["m.cpython-313.pyc"]
    assert done.paths() == []
    way.close()


def test_a_status_that_cannot_be_had(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    way = plan.root.way

    def fail(name: str = "") -> os.stat_result:
        raise OSError(errno.EIO, "Input/output error", name)

    monkeypatch.setattr(way, "status", fail)
    monkeypatch.setattr(way, "identity", lambda: plan.spots[0].identity)
    monkeypatch.setattr(way, "remove", lambda names: [(n, OSError(errno.EIO, "")) for n in names])
    (obstacle,) = execute(plan).obstacles
    assert (obstacle.status, obstacle.directory) == (None, None)
    way.close()
