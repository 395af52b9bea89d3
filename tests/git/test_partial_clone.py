from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pycache_guard.git.objects import ObjectReader, OfflineRepository, is_partial_clone
from pycache_guard.git.process import Git

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.repo import Repo


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (("x.y", "z"), False),
        (("remote.origin.url", "promisor"), False),
        (("remote.a.b.promisor", "true"), True),
        (("remote.origin.partialCloneFilter", "blob:none"), True),
        (("extensions.partialClone", "origin"), True),
    ],
)
def test_is_partial_clone_reads_the_settings(
    repo: Repo, setting: tuple[str, str], expected: bool
) -> None:
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", *setting)
    assert is_partial_clone() is expected


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_offline_repository_has_all_objects_and_is_removed(
    make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """It has the objects, alternates included, and nothing else; and it goes away."""
    repo = make_repo("repo", f"--object-format={form}")
    borrowing = make_repo("borrowing", f"--object-format={form}")
    objects = repo.path / ".git" / "objects"
    borrowing.write(".git/objects/info/alternates", f"{objects}\n")
    repo.commit()
    here, there = borrowing.blob("1"), repo.blob("2")
    monkeypatch.chdir(borrowing.path)
    monkeypatch.setenv("GIT_WORK_TREE", os.fspath(borrowing.path))
    bare = OfflineRepository()
    asked = Git("cat-file", "--batch-check", feed=True, env=bare.environment)
    missing = "1" * len(here)
    asked.write(f"{here}\n{there}\n{missing}\nHEAD\n".encode())
    asked.close_stdin()
    assert asked.output().decode().splitlines() == [
        f"{here} blob 1",
        f"{there} blob 1",
        f"{missing} missing",
        "HEAD missing",
    ]
    path = bare.environment["GIT_DIR"]
    bare.close()
    assert not os.path.exists(path)


def test_answers_after_a_missing_blob_are_read(
    repo: Repo, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a partial clone git ends there, where it may not fetch."""
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.add("a", "1")
    repo.commit()
    blob = repo.git("rev-parse", "HEAD:a")
    clone = make_repo("clone")
    clone.git("remote", "add", "origin", repo.path.as_uri())
    # Before 2.28, `--filter` needs it.
    clone.git("config", "core.repositoryFormatVersion", "1")
    clone.git("config", "extensions.partialClone", "origin")
    clone.git("fetch", "-q", "--filter=blob:none", "origin")
    here = clone.blob("here")
    monkeypatch.chdir(clone.path)
    reader = ObjectReader(2)
    for _ in range(2):
        reader.ask([here, blob, here, "2" * 40])
        assert list(reader.answers()) == [
            (here, "blob", 4, b"he"),
            None,
            (here, "blob", 4, b"he"),
            None,
        ]
    reader.close()
    assert clone.git("rev-list", "--objects", "--missing=print", "origin/main").count("?") == 1
