"""Pipes and devices in the place of files: nothing waits for the one, or reads the other without end."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import posix
from pycache_guard.fs import regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

pytestmark = posix

NO_FILE = "is not a regular file"


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
    with pytest.raises(OSError, match=why) as failure:
        regular.open_regular(os.fspath(path), follow=follow)
    assert failure.value.filename == os.fspath(path)
    assert open_descriptors() <= before  # the collector may close what another test left


def open_descriptors() -> set[str]:
    """Return the numbers of the descriptors that are open."""
    return set(os.listdir("/dev/fd"))


@pytest.mark.parametrize("argv", [["lint"], ["check-dist"], ["inspect"], ["verify-bytecode"]])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_named(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, argv: list[str], kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    irregular("a.pyc", kind)
    assert run(*argv, "a.pyc") == (2, "", f"error: a.pyc: {NO_FILE}\n")


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
    # `doctor` reads the configuration of a runner that is installed.
    hook = repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexec pre-commit run\n")
    hook.chmod(0o755)
    irregular(name, kind)
    code, out, err = run(*argv)
    if argv == ["doctor"]:
        # A configuration that cannot be read guards nothing: that is a finding.
        assert (code, err) == (1, "")
        assert "PYC604" in out
        return
    assert code == 2
    assert err.startswith("error: ")
    assert err.endswith(f"{name}: {NO_FILE}\n")


@pytest.mark.parametrize("directory", ["", "pkg", "pkg/__pycache__"])
@pytest.mark.parametrize("argv", [["check-gitignore"], ["doctor"]])
def test_an_ignore_file(repo: Repo, program: Program, directory: str, argv: list[str]) -> None:
    """Git itself waits for a writer of a pipe; the proof does not read the disk."""
    repo.add("pkg/m.py")
    usual = program(*argv)
    (repo.path / directory).mkdir(exist_ok=True)
    os.mkfifo(repo.path / directory / ".gitignore")
    found = program(*argv)
    assert found.code == usual.code == 1
    assert "PYC101" in found.out
    assert found.err == ""


def irregular(name: str, kind: str) -> None:
    """Put a pipe, or a link to a device, in a file's place."""
    if kind == "pipe":
        os.mkfifo(name)
    else:
        os.symlink(os.devnull, name)
