from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.posix_names import decode_posix_name
from pycache_guard import compat
from pycache_guard.git import external_repositories
from pycache_guard.git.external_repositories import find_stores
from pycache_guard.git.process import GitFailure
from pycache_guard.git.tracked import (
    is_in_work_tree,
    paths_below,
    paths_ever_checked_out,
    tracked_bytecode,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.repo import Repo


def test_tracked_bytecode_is_bytecode_and_submodules(repo: Repo) -> None:
    found = {"a.pyc", "p/__pycache__/b.cpython-313.pyc", "d.PYC.12"}
    repo.add_files(dict.fromkeys((*found, "p/c.py"), ""))
    repo.write("untracked.pyc")
    repo.stage("sub", "1" * 40, mode="160000")
    assert tracked_bytecode(".") == {*found, "sub/"}


def test_tracked_bytecode_without_bytecode_is_submodules(repo: Repo) -> None:
    repo.add("a.py")
    assert tracked_bytecode(".") == set()
    repo.stage("sub", "1" * 40, mode="160000")
    assert tracked_bytecode(".") == {"sub/"}


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs a file system that accepts any bytes in names"
)
def test_tracked_bytecode_has_paths_of_any_bytes(repo: Repo) -> None:
    name = decode_posix_name(b"caf\xe9 \n\t.pyc")
    repo.stage(f"p/{name}")
    (repo.path / "p").mkdir()
    assert tracked_bytecode("p") == {name}


#: A directory, the top, both from a common place; a path of git's; what that is from the directory.
BELOW = [
    ("r/sub", "r", b"sub/a.pyc", ["a.pyc"]),
    ("r/sub", "r", b"subway/a.pyc", []),
    ("r/sub", "r", b"sub", []),
    ("r/sub", "r", b"SUB/d/a.pyc", ["d/a.pyc"]),
    ("r", "r", b"a\\b.pyc", ["a\\b.pyc"]),
    ("r", "r", b"", [""]),
    ("r", "r/sub", b"a.pyc", ["sub/a.pyc"]),
    ("other", "r", b"sub/a.pyc", []),
    ("link", "r/sub", b"a.pyc", ["a.pyc"]),
    ("link/d", "r", b"sub/d/a.pyc", ["a.pyc"]),
    ("r/sub", "none", b"a.pyc", []),
    ("r/caf\u00e9", "r", "cafe\u0301/a.pyc".encode(), ["a.pyc"]),
]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
@pytest.mark.parametrize(("directory", "top", "path", "expected"), BELOW)
def test_paths_below_compares_directories_by_identity(
    directory: str, top: str, path: bytes, expected: list[str], tmp_path: Path
) -> None:
    for name in ("r/sub/d", "r/caf\u00e9", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("r/sub")
    assert list(paths_below(str(tmp_path / directory), str(tmp_path / top), [path])) == expected


def test_paths_below_refuses_a_directory_in_a_submodule(tmp_path: Path) -> None:
    (tmp_path / "r" / "Sub" / "d").mkdir(parents=True)
    for name in ("Sub", "Sub/d"):
        with pytest.raises(GitFailure, match=r"its submodule has no \.git"):
            list(paths_below(str(tmp_path / "r" / name), str(tmp_path / "r"), [b"sub/"]))


def test_tracked_bytecode_outside_a_repository_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert tracked_bytecode(str(tmp_path)) == set()


def test_empty_git_directory_is_not_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert not is_in_work_tree(str(tmp_path))
    assert tracked_bytecode(str(tmp_path)) == set()


def test_repository_that_git_refuses_is_a_failure(tmp_path: Path) -> None:
    """Then it is not known what is tracked: nothing may be taken for untracked."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("not a head\n")
    with pytest.raises(GitFailure):
        tracked_bytecode(str(tmp_path))


@pytest.mark.parametrize("size", [0, 32, 50, 120])
def test_truncated_index_is_a_failure(repo: Repo, size: int) -> None:
    """Git lists what is missing as entries of no name, and says nothing."""
    repo.add_files(dict.fromkeys(("p/a.py", "p/b.pyc", "p/c.pyc"), ""))
    index = repo.path / ".git" / "index"
    index.write_bytes(index.read_bytes()[:size])
    with pytest.raises(GitFailure):
        tracked_bytecode(".")


def test_truncated_index_of_one_entry_is_a_failure(repo: Repo) -> None:
    repo.add("p/b.pyc")
    index = repo.path / ".git" / "index"
    index.write_bytes(index.read_bytes()[:32])
    with pytest.raises(GitFailure, match=r"^git ls-files: the index is damaged$"):
        tracked_bytecode(".")


def test_linked_work_tree_is_asked(repo: Repo, tmp_path: Path) -> None:
    """There, `.git` is a file."""
    repo.add("p/a.pyc")
    repo.commit()
    repo.git("worktree", "add", "-q", os.fspath(tmp_path / "linked"))
    assert is_in_work_tree(os.fspath(tmp_path / "linked" / "p"))
    assert tracked_bytecode(os.fspath(tmp_path / "linked")) == {"p/a.pyc"}


@pytest.mark.skipif(sys.platform != "linux", reason="mount(8) is that of Linux")
def test_repository_beyond_a_mount_point_is_asked(repo: Repo) -> None:
    """What is mounted in a work tree is of the repository, whatever git would take for granted."""
    repo.add("p/a.pyc")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "none", "p"], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        assert tracked_bytecode("p") == {"a.pyc"}
    finally:
        subprocess.run(["umount", "p"], check=True)


def test_directory_in_another_repository_than_git_dir_is_asked(
    repo: Repo, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `GIT_DIR` says holds for where we are, and not for what is named."""
    repo.add("here.pyc")
    other = make_repo("repo/other")
    other.add("there.pyc")
    for directory in (".git", os.fspath(repo.path / ".git")):
        monkeypatch.setenv("GIT_DIR", directory)
        assert tracked_bytecode("other") == {"there.pyc"}
        assert tracked_bytecode(".") == {"here.pyc"}


def test_repository_of_git_dir_and_git_work_tree_is_asked(
    tmp_path: Path, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for files of a home directory: `git --git-dir=… --work-tree=…`."""
    home = tmp_path / "work"
    (home / "p").mkdir(parents=True)
    make_repo("store", "--bare")
    monkeypatch.setenv("GIT_DIR", os.fspath(tmp_path / "store"))
    monkeypatch.setenv("GIT_WORK_TREE", os.fspath(home))
    monkeypatch.chdir(home)
    (home / "p" / "a.pyc").write_bytes(b"x")
    subprocess.run(["git", "add", "-f", "p/a.pyc"], check=True)
    assert not is_in_work_tree(".")
    assert tracked_bytecode(".") == {"p/a.pyc"}
    assert tracked_bytecode("p") == {"a.pyc"}
    assert tracked_bytecode(os.fspath(tmp_path / "store")) == set()


def test_index_of_git_index_file_is_asked_too(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git commit -a`: tracked is what either index has."""
    repo.add("old.pyc")
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(repo.path / "next-index"))
    repo.add("new.pyc")
    assert tracked_bytecode(".") == {"old.pyc", "new.pyc"}


def test_paths_ever_checked_out_are_those_of_commits_in_the_reflog(repo: Repo) -> None:
    assert paths_ever_checked_out(".", ["a.py"]) == set()  # nothing is committed yet
    repo.add("p/a.py", "1")
    repo.add("p/line\nbreak.py")
    repo.add("p/d/x.py")
    repo.commit()
    repo.git("checkout", "-q", "-b", "other")
    repo.git("rm", "-q", "-r", "p")
    repo.commit()
    repo.git("branch", "-D", "main")
    (repo.path / "p").mkdir()
    asked = ["a.py", "b.py", "a b.py", "d", "line\nbreak.py"]
    assert paths_ever_checked_out("p", asked) == {"a.py", "line\nbreak.py"}
    assert paths_ever_checked_out(".", ["p/a.py", "a.py"]) == {"p/a.py"}


def test_branch_that_was_never_checked_out_does_not_count(repo: Repo) -> None:
    """A branch that was never here has nothing to do with what lies here."""
    repo.commit()
    repo.git("checkout", "-q", "-b", "theirs")
    repo.add("a.py")
    repo.commit()
    repo.git("checkout", "-q", "main")
    (repo.path / ".git" / "logs" / "HEAD").unlink()
    assert paths_ever_checked_out(".", ["a.py"]) == set()


def test_paths_ever_checked_out_outside_a_repository_is_empty(tmp_path: Path) -> None:
    assert paths_ever_checked_out(str(tmp_path), ["a.py"]) == set()


def test_paths_ever_checked_out_has_no_submodules(repo: Repo) -> None:
    repo.stage("old.py", "1" * 40, mode="160000")
    repo.commit()
    repo.git("rm", "-q", "--cached", "old.py")
    repo.stage("new.py", "1" * 40, mode="160000")
    repo.stage("file.py")
    repo.commit()
    assert paths_ever_checked_out(".", ["old.py", "new.py", "file.py"]) == {"file.py"}


def test_paths_ever_checked_out_stops_when_all_are_found(repo: Repo) -> None:
    for name in ("a.py", "b.py"):
        repo.add(name)
        repo.commit()
    repo.git("rm", "-q", "b.py")
    repo.commit()
    assert paths_ever_checked_out(".", ["b.py"]) == {"b.py"}
    assert paths_ever_checked_out(".", ["a.py"]) == {"a.py"}
    assert paths_ever_checked_out(".", ["a.py", "b.py", "c.py"]) == {"a.py", "b.py"}


def test_store_of_another_user_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "work" / ".cfg"
    store.mkdir(parents=True)
    for name in ("HEAD", "objects", "index"):
        (store / name).write_text("")
    assert str(store) in find_stores(str(tmp_path / "work"))
    if compat.HAS_FILE_OWNERS:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
        monkeypatch.setattr(external_repositories, "ROOT_USER", 4712)
        assert str(store) not in find_stores(str(tmp_path / "work"))


def test_store_that_was_removed_is_skipped(root: Path, make_repo: Callable[..., Repo]) -> None:
    """Somebody's temporary repository may be removed after it was found."""
    store = make_repo("root/store.git", "--bare")
    store.git("--work-tree", os.fspath(root), "add", "-f", os.fspath(_touch(root / "a.pyc")))
    gone = os.fspath(root / "gone.git")
    assert tracked_bytecode(os.fspath(root), [gone, os.fspath(store.path)]) == {"a.pyc"}


def test_sibling_with_a_worktree_key_of_another_section_is_not_a_store(
    root: Path, make_repo: Callable[..., Repo]
) -> None:
    """Only `core.worktree` leads git elsewhere; a key of that name in another section does not."""
    beside = make_repo("root/beside")
    beside.add("a.pyc")
    beside.git("config", "tool.worktree", os.fspath(root))
    assert os.path.realpath(beside.path / ".git") in find_stores(os.fspath(root))
    assert tracked_bytecode(os.fspath(root)) == set()
    beside.git("config", "core.worktree", os.fspath(root))
    assert tracked_bytecode(os.fspath(root)) == {"a.pyc"}


def _touch(path: Path) -> Path:
    path.write_bytes(b"")
    return path
