from __future__ import annotations

import errno
import os
import pkgutil
import subprocess
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import pytest

import pycache_guard
from clean.trees import list_tree, make_tree
from pycache_guard import compat
from pycache_guard.clean import unremoved
from pycache_guard.clean.plan import make_plan
from pycache_guard.clean.remove import RemovalError, execute
from pycache_guard.clean.roots import root_for
from pycache_guard.clean.select import CleanOptions
from pycache_guard.clean.unremoved import describe_owner, error_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Run
    from pycache_guard.clean.plan import Plan

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no named pipes, and links need a privilege"
)
root_only = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs the rights of root on Linux"
)

CACHE = "p/__pycache__/m.cpython-313.pyc"
NOBODY = 65534


@pytest.fixture(params=["descriptors", "paths"])
def cursor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "paths":
        monkeypatch.setattr(compat, "HAS_DIR_FD", False)


def plan_of(root: Path, *, orphans: bool = False) -> Plan:
    return make_plan(root_for(str(root)), CleanOptions(orphans=orphans))


def link(root: Path) -> None:
    """Another tree with the same names is where the cache directory was."""
    make_tree(root.parent / "outside", ["m.cpython-313.pyc"])
    (root / "p" / "__pycache__").rename(root.parent / "parked")
    (root / "p" / "__pycache__").symlink_to("../../outside")


def parent_link(root: Path) -> None:
    make_tree(root.parent / "outside", ["__pycache__/m.cpython-313.pyc"])
    (root / "p").rename(root.parent / "parked")
    (root / "p").symlink_to("../outside")


def other_directory(root: Path) -> None:
    (root / "p" / "__pycache__").rename(root.parent / "parked")
    make_tree(root, [CACHE])


def file(root: Path) -> None:
    (root / "p" / "__pycache__").rename(root.parent / "parked")
    (root / "p" / "__pycache__").write_text("x")


def gone(root: Path) -> None:
    (root / "p").rename(root.parent / "parked")


@pytest.mark.usefixtures("cursor")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(link, marks=posix),
        pytest.param(parent_link, marks=posix),
        pytest.param(other_directory, marks=posix),
        file,
        gone,
    ],
)
def test_replaced_directory_is_not_emptied(root: Path, change: Callable[[Path], None]) -> None:
    make_tree(root, [CACHE])
    plan = plan_of(root, orphans=True)
    assert len(plan.paths()) == 3
    change(root)
    before = list_tree(root.parent)
    done = execute(plan)
    assert list_tree(root.parent) == before
    assert (done.paths(), done.errors) == ([], [])
    plan.root.cursor.close()


@pytest.mark.usefixtures("cursor")
def test_new_file_keeps_its_directory(root: Path) -> None:
    make_tree(root, [CACHE, "p/__pycache__/n.cpython-313.pyc"])
    plan = plan_of(root)
    (root / CACHE).unlink()
    make_tree(root, ["p/__pycache__/new.cpython-313.pyc"])
    done = execute(plan)
    assert done.errors == []
    assert list_tree(root) == {"p/", "p/__pycache__/", "p/__pycache__/new.cpython-313.pyc"}
    plan.root.cursor.close()


@pytest.fixture
def immutable(root: Path) -> Iterator[Callable[[str], None]]:
    """Return what makes a path immutable until the test is over; a superuser's attribute."""
    marked: list[str] = []

    def mark(path: str) -> None:
        done = subprocess.run(["chattr", "+i", path], cwd=root, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("no such attribute here")
        marked.append(path)

    yield mark
    for path in marked:
        subprocess.run(["chattr", "-i", path], cwd=root, check=True)


@root_only
def test_immutable_file_is_reported_and_the_rest_removed(
    root: Path, run: Run, immutable: Callable[[str], None]
) -> None:
    make_tree(root, [CACHE, "p/__pycache__/n.cpython-313.pyc", "q/__pycache__/o.cpython-313.pyc"])
    immutable(CACHE)
    result = run("clean")
    assert result == (
        1,
        (
            "removed 2 files and 1 directory\n"
            f"{CACHE}: PYC501 not removed: belongs to root (uid 0); Operation not permitted\n"
            f"\nTo fix:\n    sudo chattr -i -a -- p/__pycache__ {CACHE}\n"
        ),
        "",
    )
    assert list_tree(root) == {"p/", "p/__pycache__/", CACHE, "q/"}
    immutable("q")
    make_tree(root, ["r/__pycache__/"])
    immutable("r")
    assert run("clean").out.splitlines()[1] == (
        "r/__pycache__: PYC501 not removed: belongs to root (uid 0); Operation not permitted"
    )
    immutable(".")


@root_only
def test_every_format_reports_a_kept_file(
    root: Path, run: Run, immutable: Callable[[str], None]
) -> None:
    make_tree(root, [CACHE])
    immutable(CACHE)
    for format_name in ("json", "github", "gitlab", "sarif"):
        result = run("clean", "--format", format_name)
        assert result.code == 1
        assert "PYC501" in result.out
        assert CACHE in result.out


@root_only
def test_one_error_in_a_hundred_directories_keeps_one(
    root: Path, run: Run, immutable: Callable[[str], None]
) -> None:
    make_tree(root, [f"p{n}/__pycache__/m.cpython-313.pyc" for n in range(100)])
    immutable("p7/__pycache__/m.cpython-313.pyc")
    result = run("clean", "--orphans")
    assert result.out.splitlines()[0] == "removed 99 files and 198 directories"
    assert result.code == 1
    assert len(list_tree(root)) == 3


@root_only
def test_read_only_file_system_is_reported(root: Path, run: Run) -> None:
    make_tree(root, [f"mount/{CACHE}", CACHE])
    for command in (["--bind", "mount", "mount"], ["-o", "remount,bind,ro", "mount"]):
        if subprocess.run(["mount", *command], capture_output=True, check=False).returncode:
            pytest.skip("nothing can be mounted here")
    try:
        result = run("clean")
    finally:
        subprocess.run(["umount", "mount"], check=True)
    assert result == (
        1,
        (
            "removed 1 file and 1 directory\n"
            f"mount/{CACHE}: PYC501 not removed: belongs to root (uid 0); Read-only file system\n"
            f"\nTo fix:\n    sudo mount -o remount,rw {root}/mount\n"
        ),
        "",
    )


@root_only
def test_mount_point_is_reported(root: Path, run: Run) -> None:
    (root / "p" / "__pycache__").mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "none", "p/__pycache__"], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    make_tree(root, [CACHE])
    try:
        result = run("clean")
    finally:
        subprocess.run(["umount", "p/__pycache__"], check=True)
    assert result.out.splitlines()[1:] == [
        "p/__pycache__: PYC501 not removed: belongs to root (uid 0); Device or resource busy",
        "",
        "To fix:",
        "    sudo umount p/__pycache__",
    ]


@pytest.fixture
def as_nobody(root: Path) -> Iterator[Callable[[], None]]:
    """Return what takes a superuser's rights away until the test is over."""
    for module in pkgutil.walk_packages(pycache_guard.__path__, "pycache_guard."):
        if not module.name.endswith("__main__"):
            import_module(module.name)  # what is imported later could not be read
    describe_owner(0)
    os.chmod(root, 0o777)
    yield lambda: os.seteuid(NOBODY)
    os.seteuid(0)


@root_only
def test_caches_of_another_user_are_reported(
    root: Path, run: Run, as_nobody: Callable[[], None]
) -> None:
    """What a container leaves in a mounted checkout."""
    make_tree(root, ["p/m.py", CACHE, "p/__pycache__/n.txt", "q/__pycache__/o.cpython-313.pyc"])
    os.chown(root / CACHE, 4711, 4711)
    make_tree(root, ["mine/__pycache__/m.cpython-313.pyc"])
    for path in ("mine", "mine/__pycache__"):
        os.chown(root / path, NOBODY, NOBODY)
    as_nobody()
    result = run("clean")
    assert result.code == 1
    assert result.out.splitlines() == [
        "removed 1 file and 1 directory",
        "kept p/__pycache__/n.txt: not a cache, although in a cache directory",
        (
            f"{CACHE}: PYC501 not removed: belongs to uid 4711, its directory to root (uid 0); "
            "Permission denied"
        ),
        (
            "q/__pycache__/o.cpython-313.pyc: PYC501 not removed: belongs to root (uid 0); "
            "Permission denied"
        ),
        "",
        "To fix:",
        f"    sudo rm -f -- {CACHE}",
        "    sudo rm -rf -- q/__pycache__",
    ]


@root_only
def test_directory_that_is_not_empty_is_not_reported(
    root: Path, run: Run, as_nobody: Callable[[], None]
) -> None:
    """The directories above stay because of it."""
    make_tree(root, ["a/b/__pycache__/m.cpython-313.pyc"])
    as_nobody()
    result = run("clean", "--orphans")
    assert result.code == 1
    assert result.out == (
        "a/b/__pycache__/m.cpython-313.pyc: PYC501 not removed: belongs to root (uid 0); "
        "Permission denied\n\nTo fix:\n    sudo rm -rf -- a/b/__pycache__\n"
    )


@root_only
def test_own_directory_without_permission_has_the_chmod_fix(
    root: Path, run: Run, as_nobody: Callable[[], None]
) -> None:
    make_tree(root, [CACHE, "q/r/__pycache__/m.cpython-313.pyc", "s/x.py"])
    for path in ("p/__pycache__", "q"):
        os.chown(root / path, NOBODY, NOBODY)
    os.chmod(root / "p" / "__pycache__", 0o555)
    os.chmod(root / "q", 0)
    os.chmod(root / "s", 0)
    as_nobody()
    result = run("clean")
    assert result.code == 1
    out = result.out.splitlines()
    assert f"{CACHE}: PYC501 not removed: belongs to root (uid 0), its directory to" in out[0]
    assert out[1].startswith("q: PYC501 not read: belongs to ")
    assert out[2] == "s: PYC501 not read: belongs to root (uid 0); Permission denied"
    assert out[3:] == [
        "",
        "To fix:",
        "    chmod u+rwx -- p/__pycache__",
        "    chmod u+rwx -- q",
        "    sudo pycache-guard clean -- s",
    ]
    assert run("clean", "--dry-run").code == 1
    os.seteuid(0)  # after the test, the printed commands are run: that user cannot enter `tmp_path`


def test_exception_of_a_thread_is_raised(
    root: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """A bug must not end as if all were well."""
    make_tree(root, [f"p{n}/__pycache__/m.cpython-313.pyc" for n in range(100)])

    def bug(*_: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise ZeroDivisionError

    monkeypatch.setattr("pycache_guard.clean.remove.RemovalBatch.remove_files", bug)
    with pytest.raises(ZeroDivisionError):
        run("clean")


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owners with numbers")
@pytest.mark.parametrize("remedy", REMEDIES)
def test_fix_fits_error_platform_and_owner(remedy: Remedy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "WINDOWS", remedy.platform == "win32")
    monkeypatch.setattr(compat, "MACOS", remedy.platform == "darwin")
    monkeypatch.setattr(os, "geteuid", lambda: remedy.ours)
    error = OSError(remedy.number, "")
    directory = "p/__pycache__"
    command = unremoved.fix_command(
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
def test_fix_on_windows_for_odd_paths_is_omitted(path: str, command: str | None) -> None:
    assert unremoved.fix_command_on_windows(path) == command


def test_directory_without_free_descriptor_has_the_ulimit_fix(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.unreadable.append((("p",), OSError(errno.EMFILE, "Too many open files")))
    monkeypatch.setattr(compat, "WINDOWS", False)
    (unread,) = error_findings(plan, [])
    assert unread.fix == "ulimit -n 4096"
    monkeypatch.setattr(compat, "WINDOWS", True)
    (unread,) = error_findings(plan, [])
    assert unread.fix is None
    plan.root.cursor.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no statvfs(3)")
def test_fix_names_the_read_only_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    class Read:
        def __init__(self, path: str) -> None:
            self.f_flag = compat.ST_RDONLY if path.startswith("/mnt") else 0

    monkeypatch.setattr(os, "statvfs", Read)
    error = OSError(errno.EROFS, "")
    command = unremoved.fix_command(error, "/mnt/a/b/c", "/mnt/a/b", None, whole=None)
    assert command == "sudo mount -o remount,rw /mnt"
    monkeypatch.setattr(os, "statvfs", lambda _: Read("/mnt"))
    assert unremoved.read_only_mount("/a") == "/"


def owned_by(uid: int) -> os.stat_result:
    return os.stat_result((0o40755, 0, 0, 1, uid, uid, 0, 0, 0, 0))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    make_tree(tmp_path, ["p/__pycache__/m.cpython-313.pyc"])
    return make_plan(root_for("."), CleanOptions())


def test_error_without_known_owner_is_reported(plan: Plan) -> None:
    removal_error = RemovalError(
        plan.directory_plans[0], "m.cpython-313.pyc", OSError("odd"), None, None
    )
    plan.unreadable.append((("gone", "too"), OSError(errno.EIO, "Input/output error")))
    unread, unremoved = error_findings(plan, [removal_error])
    assert (unread.path, unread.message) == ("gone/too", "not read: Input/output error")
    assert unremoved.path == "p/__pycache__/m.cpython-313.pyc"
    assert unremoved.message == "not removed: odd"
    plan.root.cursor.close()


def test_directory_that_cannot_be_entered_again_is_reported(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = plan.root.cursor
    enter = cursor.cd

    def refuse(parts: tuple[str, ...]) -> None:
        if parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        enter(parts)

    monkeypatch.setattr(cursor, "cd", refuse)
    done = execute(plan)
    assert [o.name for o in done.errors] == ["m.cpython-313.pyc"]
    assert done.paths() == []
    cursor.close()


def test_error_without_status_is_reported(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = plan.root.cursor

    def fail(name: str = "") -> os.stat_result:
        raise OSError(errno.EIO, "Input/output error", name)

    monkeypatch.setattr(cursor, "status", fail)
    monkeypatch.setattr(cursor, "identity", lambda: plan.directory_plans[0].identity)
    monkeypatch.setattr(
        cursor, "remove", lambda names: [(n, OSError(errno.EIO, "")) for n in names]
    )
    (removal_error,) = execute(plan).errors
    assert (removal_error.status, removal_error.directory) == (None, None)
    cursor.close()
