from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN
from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.fs.atomic import rewrite_atomic
from pycache_guard.fs.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

FIX = ("forbid-bytecode", "--fix")
DONE = "PYC001 untracked; the file stays on disk\n"
ALLOW = (
    "To keep a file on purpose, add it to `allow` in pyproject.toml: pycache-guard explain PYC001\n"
)
COMMIT = '\nNow commit:\n    git commit -m "Untrack bytecode"\n'
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, devices and links")


class TestUntracking:
    def test_files_stay(self, repo: Repo, run: Run) -> None:
        """Also one whose content differs in file, index and HEAD."""
        repo.add("a.pyc", "1")
        repo.commit()
        repo.add("a.pyc", "2")
        repo.write("a.pyc", "3")
        repo.add("b/__pycache__/c.pyc")
        repo.add("b/c.py")
        assert run(*FIX, "--quiet") == (1, f"a.pyc: {DONE}b/__pycache__/c.pyc: {DONE}{COMMIT}", "")
        assert repo.tracked() == ["b/c.py"]
        assert (repo.path / "a.pyc").read_text() == "3"
        assert (repo.path / "b/__pycache__/c.pyc").exists()
        assert run(*FIX) == CLEAN

    def test_only_what_was_found_by_path(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.add("ok.pyc")
        repo.add("x", BYTECODE)
        out = run(*FIX, "--allow", "ok.pyc", "--allow", "no").out
        assert repo.tracked() == ["ok.pyc", "x"]
        assert out.startswith("PYC003 ")
        assert f"a.pyc: {DONE}x: PYC002 contains" in out
        assert "    git rm -r -f --cached -- x\n" in out

    def test_nothing_to_untrack(self, repo: Repo, run: Run) -> None:
        repo.add("x", BYTECODE)
        assert run(*FIX) == run("forbid-bytecode")
        assert repo.tracked() == ["x"]

    def test_only_what_is_staged(self, repo: Repo, run: Run) -> None:
        repo.add("old.pyc")
        repo.commit()
        repo.add("new.pyc")
        assert run(*FIX, "--staged").code == 1
        assert repo.tracked() == ["old.pyc"]

    def test_odd_paths(self, repo: Repo, run: Run) -> None:
        odd = [b"\xff.pyc", b"\n.pyc", b":(top).pyc", b"*.pyc", b"-f.pyc", b'"\\n".pyc']
        repo.stage_all(["keep.py", *map(os.fsdecode, odd)])
        assert run(*FIX).code == 1
        assert repo.tracked() == ["keep.py"]

    def test_from_a_subdirectory(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo.add("a.pyc")
        repo.add("d/a.pyc")
        monkeypatch.chdir(repo.path / "d")
        assert run(*FIX).code == 1
        assert repo.tracked() == []

    def test_links_and_submodules(self, repo: Repo, run: Run) -> None:
        commit = repo.commit()
        repo.stage("link.pyc", "target", mode="120000")
        repo.stage("sub.pyc", commit, mode="160000")
        assert run(*FIX).code == 1
        assert repo.tracked() == []

    def test_a_conflict(self, repo: Repo, run: Run) -> None:
        repo.commit()
        for stage in (1, 2, 3):
            repo.stage("a.pyc", f"{stage}", stage=stage)
        assert run(*FIX).out.count("a.pyc: ") == 1
        assert repo.tracked() == []

    def test_a_sparse_checkout(self, repo: Repo, run: Run) -> None:
        repo.add("out/a.pyc")
        repo.add("in/a.py")
        repo.commit()
        repo.git("sparse-checkout", "set", "--cone", "in")
        assert run(*FIX).code == 1
        assert repo.tracked() == ["in/a.py"]

    def test_an_index_that_is_locked(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.write(".git/index.lock")
        code, out, err = run(*FIX)
        assert (code, out) == (2, "")
        assert err.startswith("error: git update-index: Unable to create ")
        assert err.count("\n") == 1
        assert repo.tracked() == ["a.pyc"]

    def test_tree_cannot_be_fixed(self, repo: Repo, run: Run) -> None:
        repo.commit()
        code, out, err = run(*FIX, "--tree", "HEAD")
        assert (code, out) == (2, "")
        assert err.startswith("error: --fix changes the index: it does not go with --tree")


def test_an_index_that_is_thrown_away(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.pyc")
    repo.add("x", BYTECODE)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index-1.lock")
    repo.add("a.pyc")
    repo.add("x", BYTECODE)
    code, out, err = run(*FIX)
    assert (code, err) == (1, "")
    assert out.startswith(
        "a.pyc: PYC001 bytecode is tracked; not untracked, since this commit has an index of its"
        " own\nx: PYC002 contains "
    )
    assert "    git rm -r -f --cached -- a.pyc\n" in out
    assert repo.tracked() == ["a.pyc", "x"]


@posix
class TestUnderCommit:
    """As a hook of git's own, which stands at the top with `GIT_INDEX_FILE` set."""

    @pytest.fixture
    def hooked(self, repo: Repo) -> Repo:
        repo.add("a.pyc", "1")
        repo.add("b.py", "1")
        repo.commit()
        code = f"from pycache_guard.cli import main; raise SystemExit(main({[*FIX]!r}))"
        hook = repo.write(".git/hooks/pre-commit", f'#!/bin/sh\n"{sys.executable}" -c "{code}"\n')
        hook.chmod(0o755)
        repo.write("a.pyc", "2")
        repo.write("b.py", "2")
        return repo

    def commit(self, repo: Repo, *argv: str) -> str:
        done = subprocess.run(
            ["git", "commit", "-q", "-m", "m", *argv],
            cwd=repo.path,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert repo.git("rev-list", "--count", "HEAD") == "1"
        return os.fsdecode(done.stdout + done.stderr)

    def test_a_plain_commit(self, hooked: Repo) -> None:
        hooked.git("add", "-u")
        assert self.commit(hooked) == (
            f"a.pyc: {DONE}{COMMIT}\nDone: 2 tracked files checked, 2 new ones read.\n"
        )
        assert hooked.tracked() == ["b.py"]
        assert (hooked.path / "a.pyc").read_text() == "2"
        hooked.git("commit", "-q", "-m", "m")
        assert hooked.git("ls-tree", "--name-only", "HEAD") == "b.py"

    @pytest.mark.parametrize("argv", [("-a",), ("b.py",), ("-i", "b.py"), ("-o", "a.pyc")])
    def test_a_commit_with_an_index_of_its_own(self, hooked: Repo, argv: tuple[str, ...]) -> None:
        before = hooked.git("ls-files", "-s")
        out = self.commit(hooked, *argv)
        assert out.startswith(
            "a.pyc: PYC001 bytecode is tracked; not untracked, since this commit has an index of"
            f" its own\n\nTo fix:\n    git rm -r -f --cached -- a.pyc\n{ALLOW}\nFound 1 problem ("
        )
        assert out.count("\n") == 7
        assert hooked.git("ls-files", "-s") == before


class TestWriteWhole:
    def test_a_new_file(self, tmp_path: Path) -> None:
        write_atomic(os.fspath(tmp_path / "f"), b"\r\n\0")
        assert (tmp_path / "f").read_bytes() == b"\r\n\0"
        assert os.listdir(tmp_path) == ["f"]

    @posix
    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o666])
    def test_an_old_file_keeps_its_mode(self, tmp_path: Path, mode: int) -> None:
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
    def test_what_is_not_replaced(self, tmp_path: Path, kind: str, message: str) -> None:
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
        before = os.listdir(tmp_path)
        with pytest.raises(Failure) as failure:
            write_atomic(os.fspath(path), b"new")
        assert str(failure.value) == f"{path}: {message}; nothing was written"
        assert os.listdir(tmp_path) == before
        assert (tmp_path / "target").read_bytes() == b"old"

    @pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
    def test_a_failure_leaves_the_old_one_whole(
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
    def test_a_kill_leaves_the_old_one_whole(self, tmp_path: Path) -> None:
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
    def test_anothers_file_becomes_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "f"
        file.write_bytes(b"old")

        def refused(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "fchown", refused)
        write_atomic(os.fspath(file), b"new")
        assert file.read_bytes() == b"new"

    def test_where_there_are_no_owners(
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

    def test_in_a_work_tree(self, repo: Repo, made: list[str]) -> None:
        (repo.path / "d").mkdir()
        write_atomic(os.fspath(repo.path / "d" / "f"), b"new")
        assert [os.path.dirname(name) for name in made] == [os.fspath(repo.path / ".git")]

    def test_in_a_linked_work_tree(self, repo: Repo, tmp_path: Path, made: list[str]) -> None:
        repo.commit()
        repo.git("worktree", "add", "-q", os.fspath(tmp_path / "linked"))
        write_atomic(os.fspath(tmp_path / "linked" / "f"), b"new")
        (name,) = made
        assert os.path.samefile(os.path.dirname(name), repo.path / ".git" / "worktrees" / "linked")

    def test_elsewhere(self, tmp_path: Path, made: list[str]) -> None:
        write_atomic(os.fspath(tmp_path / "f"), b"new")
        assert [os.path.dirname(name) for name in made] == [os.fspath(tmp_path)]

    @pytest.mark.parametrize("mark", ["gitdir: no/such", "nonsense", ""])
    def test_where_that_is_no_place(self, tmp_path: Path, made: list[str], mark: str) -> None:
        (tmp_path / ".git").write_text(mark)
        write_atomic(os.fspath(tmp_path / "f"), b"new")
        assert (tmp_path / "f").read_bytes() == b"new"

    def test_another_file_system(
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
def test_what_has_changed_meanwhile_is_not_replaced(tmp_path: Path, old: bytes | None) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"mine")
    with pytest.raises(Failure, match=r"f: was modified by another process; nothing was written$"):
        rewrite_atomic(os.fspath(file), old, b"new")
    assert file.read_bytes() == b"mine"
    rewrite_atomic(os.fspath(file), b"mine", b"new")
    assert file.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    rewrite_atomic(os.fspath(tmp_path / "g"), None, b"new")
