from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.atomic import rewrite_atomic, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, devices and links")


class TestWriteAtomic:
    def test_new_file_is_written(self, tmp_path: Path) -> None:
        write_atomic(os.fspath(tmp_path / "f"), b"\r\n\0")
        assert (tmp_path / "f").read_bytes() == b"\r\n\0"
        assert os.listdir(tmp_path) == ["f"]

    @posix
    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o666])
    def test_replaced_file_keeps_its_mode(self, tmp_path: Path, mode: int) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"old")
        file.chmod(mode)
        write_atomic(os.fspath(file), b"new")
        assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", mode)
        assert os.listdir(tmp_path) == ["f"]

    @posix
    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("link", "is a symbolic link"),
            ("dangling", "is a symbolic link"),
            ("directory", "is a directory"),
            ("fifo", "is not a regular file"),
            ("read-only", "is read-only"),
        ],
    )
    def test_special_or_read_only_file_is_not_replaced(
        self, tmp_path: Path, kind: str, message: str
    ) -> None:
        path = tmp_path / "f"
        (tmp_path / "target").write_bytes(b"old")
        make: dict[str, Callable[[], object]] = {
            "link": lambda: path.symlink_to("target"),
            "dangling": lambda: path.symlink_to("nowhere"),
            "directory": path.mkdir,
            "fifo": lambda: os.mkfifo(path),
            "read-only": lambda: os.close(os.open(path, os.O_CREAT, 0o444)),
        }
        make[kind]()
        before = sorted(os.listdir(tmp_path))
        with pytest.raises(Failure) as failure:
            write_atomic(os.fspath(path), b"new")
        assert str(failure.value) == f"{path}: {message}; nothing was written"
        assert sorted(os.listdir(tmp_path)) == before
        assert (tmp_path / "target").read_bytes() == b"old"

    @pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
    def test_failed_write_leaves_the_old_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"old")

        def fails(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, step, fails)
        with pytest.raises(Failure) as failure:
            write_atomic(os.fspath(file), b"new")
        assert str(failure.value) == f"{file}: No space left on device; nothing was written"
        assert file.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["f"]

    @posix
    def test_killed_write_leaves_the_old_file(self, tmp_path: Path) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"old")
        code = (
            "import os, signal\n"
            "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
            "from pycache_guard.fs.atomic import write_atomic\n"
            f"write_atomic({os.fspath(file)!r}, b'new')\n"
        )
        done = subprocess.run([sys.executable, "-c", code], check=False)
        assert done.returncode == -9
        assert file.read_bytes() == b"old"
        write_atomic(os.fspath(file), b"new")
        assert file.read_bytes() == b"new"

    @posix
    def test_file_of_another_user_becomes_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"old")

        def refused(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "fchown", refused)
        write_atomic(os.fspath(file), b"new")
        assert file.read_bytes() == b"new"

    def test_system_without_owners_replaces_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compat, "HAS_FILE_OWNERS", False)
        (tmp_path / "f").write_bytes(b"old")
        write_atomic(os.fspath(tmp_path / "f"), b"new")
        assert (tmp_path / "f").read_bytes() == b"new"


class TestWhereItIsWritten:
    """In git's directory, where there is one, for git does not track what a kill leaves there."""

    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Keep a record of what is renamed."""
        names: list[str] = []
        replace = os.replace

        def noted(old: str, new: str) -> None:
            names.append(old)
            replace(old, new)

        monkeypatch.setattr(os, "replace", noted)
        return names

    def test_new_file_in_a_work_tree_is_written_in_the_git_directory(
        self, repo: Repo, made: list[str]
    ) -> None:
        (repo.path / "d").mkdir()
        write_atomic(os.fspath(repo.path / "d" / "f"), b"new")
        assert [os.path.dirname(name) for name in made] == [os.fspath(repo.path / ".git")]

    def test_new_file_in_a_linked_work_tree_is_written_in_the_git_directory(
        self, repo: Repo, tmp_path: Path, made: list[str]
    ) -> None:
        repo.commit()
        repo.git("worktree", "add", "-q", os.fspath(tmp_path / "linked"))
        write_atomic(os.fspath(tmp_path / "linked" / "f"), b"new")
        (name,) = made
        assert os.path.samefile(os.path.dirname(name), repo.path / ".git" / "worktrees" / "linked")

    def test_new_file_outside_a_work_tree_is_written_next_to_the_target(
        self, tmp_path: Path, made: list[str]
    ) -> None:
        write_atomic(os.fspath(tmp_path / "f"), b"new")
        assert [os.path.dirname(name) for name in made] == [os.fspath(tmp_path)]

    @pytest.mark.parametrize("mark", ["gitdir: no/such", "nonsense", ""])
    def test_new_file_with_a_damaged_git_directory_is_written_next_to_the_target(
        self, tmp_path: Path, made: list[str], mark: str
    ) -> None:
        (tmp_path / ".git").write_text(mark)
        write_atomic(os.fspath(tmp_path / "f"), b"new")
        assert (tmp_path / "f").read_bytes() == b"new"

    def test_git_directory_on_another_file_system_is_not_used(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        replace = os.replace

        def refused(old: str, new: str) -> None:
            if ".git" in old:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            replace(old, new)

        monkeypatch.setattr(os, "replace", refused)
        write_atomic(os.fspath(repo.path / "f"), b"new")
        assert (repo.path / "f").read_bytes() == b"new"
        assert not [*(repo.path / ".git").glob("pycache-guard*")]


@pytest.mark.parametrize("old", [None, b"old"])
def test_file_changed_by_another_process_is_not_replaced(tmp_path: Path, old: bytes | None) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"mine")
    with pytest.raises(Failure, match=r"f: was modified by another process; nothing was written$"):
        rewrite_atomic(os.fspath(file), old, b"new")
    assert file.read_bytes() == b"mine"
    rewrite_atomic(os.fspath(file), b"mine", b"new")
    assert file.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    rewrite_atomic(os.fspath(tmp_path / "g"), None, b"new")
