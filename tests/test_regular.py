"""What stands in a file's place and must not be waited for, nor read without end."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard import regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="no pipes in directories there")
NO_FILE = "is no regular file"


def test_opened(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\r\n\x1a")
    for name in (os.fspath(path), os.fsencode(path)):
        with regular.opened(name) as file:
            assert file.read() == b"\r\n\x1a"
    with pytest.raises(FileNotFoundError):
        regular.opened(os.fspath(tmp_path / "b"))
    with pytest.raises(IsADirectoryError, match="is a directory"):
        regular.opened(os.fspath(tmp_path))
    with pytest.raises(OSError, match=NO_FILE):
        regular.opened(os.devnull)


@posix
@pytest.mark.parametrize(
    ("follow", "comes", "why"),
    [
        (True, os.mkfifo, NO_FILE),
        (False, os.mkfifo, NO_FILE),
        (True, os.mkdir, "is a directory"),
        (True, lambda path: os.symlink(os.devnull, path), NO_FILE),
        (False, lambda path: os.symlink(os.devnull, path), os.strerror(errno.ELOOP)),
    ],
    ids=["pipe", "pipe, no link", "directory", "link", "link, no link"],
)
def test_what_comes_in_a_files_place_meanwhile(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    follow: bool,
    comes: Callable[[str], None],
    why: str,
) -> None:
    """It is neither waited for nor read, and no descriptor stays open."""
    path = tmp_path / "a"
    path.write_bytes(b"x")
    look = os.stat

    def changing(*args: object, **options: object) -> os.stat_result:
        found = look(*args, **options)  # type: ignore[arg-type]
        monkeypatch.undo()
        path.unlink()
        comes(os.fspath(path))
        return found

    monkeypatch.setattr(os, "stat", changing)
    before = open_descriptors()
    with pytest.raises(OSError, match=why) as told:
        regular.opened(os.fspath(path), follow=follow)
    assert told.value.filename == os.fspath(path)
    assert open_descriptors() == before


@posix
def test_links_that_are_not_followed(tmp_path: Path) -> None:
    """One that leads nowhere is there all the same."""
    (tmp_path / "a").write_bytes(b"x")
    for target in ("a", "nowhere"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(target)
        with pytest.raises(OSError, match="is a symbolic link"):
            regular.opened(os.fspath(link), follow=False)
    with regular.opened(os.fspath(tmp_path / "to-a")) as file:
        assert file.read() == b"x"


def open_descriptors() -> set[str]:
    """Return the numbers of the descriptors that are open."""
    return set(os.listdir("/dev/fd"))


@posix
@pytest.mark.parametrize("argv", [["lint"], ["check-dist"], ["inspect"], ["verify-bytecode"]])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_named(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, argv: list[str], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    irregular("a.pyc", kind)
    assert run(*argv, "a.pyc") == (2, "", f"error: a.pyc: {NO_FILE}\n")


@posix
@pytest.mark.parametrize("kind", ["pipe", "link"])
@pytest.mark.parametrize(
    ("name", "argv"),
    [
        ("pyproject.toml", ["forbid-bytecode"]),
        ("pyproject.toml", ["check-gitignore"]),
        ("pyproject.toml", ["check-history", "HEAD"]),
        ("pyproject.toml", ["check-dockerignore"]),
        ("pyproject.toml", ["fix"]),
        (".pre-commit-config.yaml", ["doctor"]),
    ],
)
def test_a_configuration(repo: Repo, run: Run, name: str, argv: list[str], kind: str) -> None:
    """A link can come with the checkout."""
    repo.add("a.pyc")
    repo.add("Dockerfile")
    repo.commit()
    irregular(name, kind)
    code, _, err = run(*argv)
    assert code == 2
    assert err.startswith("error: ")
    assert err.endswith(f"{name}: {NO_FILE}\n")


@posix
def test_sources_of_caches(repo: Repo, run: Run) -> None:
    """The doctor compares hashes with sources, which may be links."""
    import py_compile

    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    source = repo.write("a.py", b"x = 1\n")
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(os.fspath(source), invalidation_mode=mode)
    source.unlink()
    source.symlink_to(os.devnull)
    assert "  stale: 0\n" in run("doctor").out


def irregular(name: str, kind: str) -> None:
    """Put a pipe, or a link to a device, in a file's place."""
    if kind == "pipe":
        os.mkfifo(name)
    else:
        os.symlink(os.devnull, name)
