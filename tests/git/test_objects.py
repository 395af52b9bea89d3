from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.git import spawn
from pycache_guard.git.objects import (
    MAX_IN_FLIGHT,
    SKIP_LIMIT_BYTES,
    read_blob,
    read_path,
    read_prefixes,
)
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls
    from helpers.repo import Repo


def test_read_prefixes_of_nothing_starts_no_git(repo: Repo, git_calls: GitCalls) -> None:
    assert list(read_prefixes([], 4)) == []
    assert git_calls.verbs() == []


def test_read_prefixes_reads_several_batches_through_one_process(
    repo: Repo, git_calls: GitCalls
) -> None:
    data = [b"%04d and more" % n for n in range(2 * MAX_IN_FLIGHT + 1)]
    names = "".join(f"{n}\n" for n in range(len(data)))
    for n, content_ in enumerate(data):
        repo.write(str(n), content_)
    blobs = repo.git("hash-object", "-w", "--stdin-paths", input=names.encode()).split()
    git_calls.reset()
    assert list(read_prefixes(blobs, 4)) == [(blob, b"%04d" % n) for n, blob in enumerate(blobs)]
    assert git_calls.verbs() == ["cat-file"]
    assert git_calls.blobs() == blobs


def test_read_prefixes_does_not_read_large_blobs_whole(
    repo: Repo, git_calls: GitCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small, large, small, at the limit, large, empty: each of the large ones ends a process."""
    sizes = [5, 4 * SKIP_LIMIT_BYTES, 6, SKIP_LIMIT_BYTES + 4, SKIP_LIMIT_BYTES + 5, 0]
    blobs = [repo.blob((b"%d" % size).ljust(size)[:size]) for size in sizes]
    git_calls.reset()
    taken = []
    read = spawn.PosixChild.read

    def counting(child: spawn.PosixChild, size: int = spawn.CHUNK_BYTES) -> bytes:
        data = read(child, size)
        taken.append(len(data))
        return data

    monkeypatch.setattr(spawn.PosixChild, "read", counting)
    expected = [(b"%d" % size).ljust(4)[: min(4, size)] for size in sizes]
    assert [head for _, head in read_prefixes(blobs, 4)] == expected
    assert git_calls.verbs() == ["cat-file"] * 3
    assert sum(taken) < SKIP_LIMIT_BYTES + 6 * spawn.CHUNK_BYTES


def test_read_blob_returns_the_whole_content(repo: Repo) -> None:
    data = bytes(range(256)) * 1024
    assert read_blob(repo.blob(data)) == data
    assert read_blob(repo.blob(b"")) == b""


@pytest.mark.parametrize("name", ["0" * 40, "HEAD^{tree}", "HEAD"])
def test_read_prefixes_of_a_missing_blob_is_a_failure(repo: Repo, name: str) -> None:
    """Also when it follows others, which are listed first."""
    repo.add("a", b"x")
    repo.commit()
    found = read_prefixes([repo.blob(b"x"), name], 4)
    assert next(found)[1] == b"x"
    with pytest.raises(GitFailure, match=r"^blob .* cannot be read here: "):
        next(found)


def test_read_prefixes_of_a_corrupt_blob_is_a_failure(repo: Repo) -> None:
    blob = repo.blob(b"x" * 1000)
    file = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(GitFailure):
        list(read_prefixes([blob], 4))


@pytest.mark.parametrize("said", ["", "0", "a blob 9\\n", "a blob 9\\nabc"])
def test_truncated_output_of_cat_file_is_a_failure(
    fake_git_script: Callable[[str], None], said: str
) -> None:
    fake_git_script(f"read line; printf '{said}'")
    with pytest.raises(GitFailure, match=r"^git cat-file: its output is truncated$"):
        list(read_prefixes(["a"], 4))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (":0:d/a", b"staged"),
        ("HEAD:d/a", b"committed"),
        ("HEAD^{tree}:d/a", b"committed"),
        (":0:d/b", None),
        (":1:d/a", None),
        ("HEAD:d/b", None),
        ("no:d/a", None),
    ],
)
def test_read_path_returns_the_content_or_none(
    repo: Repo, expression: str, expected: bytes | None
) -> None:
    repo.add("d/a", b"committed")
    repo.commit()
    repo.add("d/a", b"staged")
    assert read_path(expression) == expected


def test_read_path_of_a_directory_is_a_failure(repo: Repo) -> None:
    repo.add("d/a", b"committed")
    repo.commit()
    with pytest.raises(GitFailure, match=r"^blob [0-9a-f]{40} cannot be read here: "):
        read_path("HEAD:d")


def test_read_prefixes_starts_no_git_after_the_last_blob(repo: Repo, git_calls: GitCalls) -> None:
    """A large one ends its process; none is started for nothing."""
    blob = repo.blob(b"x" * (SKIP_LIMIT_BYTES + 9))
    git_calls.reset()
    assert list(read_prefixes([blob], 4)) == [(blob, b"xxxx")]
    assert git_calls.verbs() == ["cat-file"]
