from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helpers.repo import BYTECODE
from pycache_guard.bytecode.sniff import HEAD_BYTES
from pycache_guard.git.objects import MAX_IN_FLIGHT, ObjectReader
from pycache_guard.git.packs import Head
from pycache_guard.history import contents
from pycache_guard.history.contents import ContentScanner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import GitCalls
    from helpers.repo import Repo


@pytest.fixture
def judging() -> Iterator[ContentScanner]:
    reader = ObjectReader(HEAD_BYTES)
    made = ContentScanner(reader)
    yield made
    made.close()
    reader.close()


def record(blob: str, path: str = "a") -> bytes:
    return f"100644 {blob}\t{path}".encode()


def run(judging: ContentScanner, records: list[bytes]) -> list[bytes]:
    """Return the records found to be bytecode."""
    found = [item for n, r in enumerate(records) for item in judging.add(str(n), r)]
    return [r for _, r in [*found, *judging.drain()]]


def many(repo: Repo, count: int) -> list[str]:
    """Store blobs, every tenth bytecode."""
    for n in range(count):
        repo.write(f"f{n}", (b"" if n % 10 else BYTECODE) + b"%d" % n)
    names = "".join(f"f{n}\n" for n in range(count))
    return repo.git("hash-object", "-w", "--stdin-paths", input=names.encode()).split()


def test_many_blobs_are_each_read_once(
    repo: Repo, judging: ContentScanner, git_calls: GitCalls
) -> None:
    """Through two processes, each blob once or nearly, and bytecode wherever it comes again."""
    blobs = many(repo, 430)
    git_calls.reset()
    records = [record(blob, f"{turn}") for turn in range(3) for blob in blobs]
    truth = [record(blob, f"{turn}") for turn in range(3) for blob in blobs[::10]]
    assert sorted(run(judging, records)) == sorted(truth)
    assert git_calls.verbs() == ["cat-file"] * 2
    assert set(git_calls.blobs()) == set(blobs)
    assert (
        len(git_calls.blobs()) <= len(blobs) + 2 * MAX_IN_FLIGHT
    )  # those under way when they came again
    assert judging.bytecode[blobs[0]] == (len(BYTECODE) + 1, (BYTECODE + b"0")[:HEAD_BYTES])


def test_packed_blobs_are_not_asked_of_git(
    repo: Repo, judging: ContentScanner, git_calls: GitCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some blobs; those that are in no pack still are, and the answers are the same."""
    monkeypatch.setattr(contents, "MIN_ASKED_COUNT", MAX_IN_FLIGHT)
    blobs = many(repo, 430)
    repo.git("pack-objects", "-q", ".git/objects/pack/pack", input="\n".join(blobs).encode())
    repo.git("prune-packed", "-q")
    loose = repo.blob(BYTECODE + b"loose")
    git_calls.reset()
    records = [record(blob) for blob in [*blobs, loose, "1" * 40]]
    truth = [record(blob) for blob in [*blobs[::10], loose]]
    assert sorted(run(judging, records)) == sorted(truth)
    assert git_calls.verbs() == ["cat-file", "cat-file", "rev-parse"]
    assert len(git_calls.blobs()) <= 3 * MAX_IN_FLIGHT + 2
    assert judging.bytecode[blobs[420]] == (len(BYTECODE) + 3, (BYTECODE + b"420")[:HEAD_BYTES])
    assert (judging.missing, judging.missing_count) == (f"{'1' * 40} (a)", 1)


class ShortHeads:
    """Packs of which only a few first bytes of each blob are known."""

    def read_head(self, _: str) -> Head:
        return Head(1000, b"x")

    def close(self) -> None:
        pass


def test_blobs_of_which_too_little_is_known_are_asked_of_git(
    repo: Repo, judging: ContentScanner
) -> None:
    blobs = [repo.blob(BYTECODE), repo.blob("text")]
    judging._packs = ShortHeads()  # type: ignore[assignment]
    assert run(judging, [*map(record, blobs)]) == [record(blobs[0])]


def test_remembered_blobs_are_limited(
    repo: Repo, judging: ContentScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is forgotten is read again, and nothing is lost."""
    monkeypatch.setattr(contents, "MAX_REMEMBERED_COUNT", 60)
    blobs = many(repo, 430)
    records = [record(blob, f"{turn}") for turn in range(3) for blob in blobs]
    truth = [record(blob, f"{turn}") for turn in range(3) for blob in blobs[::10]]
    assert sorted(run(judging, records)) == sorted(truth)
    assert len(judging._clean) + len(judging._clean_old) < 60 + 60 + 50


def test_blob_remembered_earlier_is_not_read_again(
    repo: Repo, judging: ContentScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = ObjectReader.ask

    def noted(reader: ObjectReader, blobs: list[str]) -> None:
        asked.extend(blobs)
        ask(reader, blobs)

    monkeypatch.setattr(contents, "MAX_REMEMBERED_COUNT", 1)
    monkeypatch.setattr(ObjectReader, "ask", noted)
    text = repo.blob("text")
    for path in "ab":
        assert run(judging, [record(text, path)]) == []
        assert judging._clean == set()
    assert asked == [text]


def test_one_blob_at_many_paths_is_found_at_each(
    repo: Repo, judging: ContentScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MAX_PENDING_COUNT", 5)
    blob, text = repo.blob(BYTECODE), repo.blob("text")
    records = [record(b, f"{n}") for n in range(12) for b in (text, blob)]
    waited = [judging._count for n in range(9) if judging.add("c", record(text, str(n))) == []]
    assert max(waited) < 5
    assert sorted(run(judging, records)) == sorted(record(blob, f"{n}") for n in range(12))


def test_missing_blobs_are_counted(repo: Repo, judging: ContentScanner) -> None:
    here = repo.blob(BYTECODE)
    assert run(judging, [record("1" * 40), record(here), record("2" * 40)]) == [record(here)]
    assert (judging.missing, judging.missing_count) == (f"{'1' * 40} (a)", 2)


def test_no_records_start_no_process(
    repo: Repo, judging: ContentScanner, git_calls: GitCalls
) -> None:
    assert run(judging, []) == []
    assert git_calls.verbs() == []


@pytest.mark.parametrize("knows_directories", [True, False])
def test_attributes_at_edges_include_only_those_above_the_files(
    repo: Repo, judging: ContentScanner, knows_directories: bool
) -> None:
    edges = []
    for name in (".gitattributes", "d/.gitattributes", "x/.gitattributes"):
        repo.stage(name, name)
        edges.append(repo.commit())
    judging.note_place("0", record("1" * 40, "d/a.py"))
    if not knows_directories:
        judging.directories = None
    reader = ObjectReader(HEAD_BYTES)
    found = judging.attributes_at(edges, reader)
    reader.close()
    blobs = repo.git(
        "rev-parse", *(f"HEAD:{name}.gitattributes" for name in ("", "d/", "x/"))
    ).split()
    assert found == blobs[: 2 if knows_directories else 3]
    assert judging.attributes_at([], reader) == []
