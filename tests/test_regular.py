"""What stands in a file's place and must not be waited for, nor read without end."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard import regular

if TYPE_CHECKING:
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
