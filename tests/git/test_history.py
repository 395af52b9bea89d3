from __future__ import annotations

import os
import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from helpers.history_strategies import Commit, build, histories, reference_added_paths
from helpers.memory import trace_memory
from helpers.repo import Repo
from pycache_guard import compat
from pycache_guard.bytecode.names import is_bytecode_path, may_contain_bytecode
from pycache_guard.git import history, spawn
from pycache_guard.git.entry_counts import EntryCounter
from pycache_guard.git.history import (
    PIPELINE_DEPTH,
    DiffTree,
    DiffTreePool,
    added_entries_matching,
    parse_diff_output,
)
from pycache_guard.git.listing import parse_entry, path_of
from pycache_guard.git.process import GitFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import GitCalls

    Told = set[tuple[str, str, str, str]]


def asked(
    commits: Iterable[str], possible: Callable[[bytes], object] = bool, *, batch: int = 3
) -> Told:
    """Return what the engine tells, batch by batch."""
    ids = [commit.encode() for commit in commits]
    groups = (ids[start : start + batch] for start in range(0, len(ids), batch))
    differs = DiffTreePool()
    try:
        reported = [
            (commit, parse_entry(record)) for commit, record in differs.added_by(groups, possible)
        ]
    finally:
        differs.close()
    found = {(commit, entry.mode, entry.blob, entry.path) for commit, entry in reported}
    assert len(found) == len(reported)
    return found


@settings(max_examples=60)
@given(histories())
def test_added_paths_of_any_history_agree_with_ls_tree(commits: list[Commit]) -> None:
    """Roots, merges, evil merges, links, submodules: the same as by `ls-tree` of every commit."""
    with tempfile.TemporaryDirectory() as directory:
        repo = Repo.init(Path(directory) / "repo", "--bare")
        ids = [*dict.fromkeys(build(repo, commits))]  # two that are alike are one commit
        before = os.getcwd()
        os.chdir(repo.path)
        try:
            truth = reference_added_paths(repo, ids)
            assert asked(ids, batch=1) == truth
            wanted = {t for t in truth if is_bytecode_path(os.fsencode(t[3]))}
            possible = {
                t for t in asked(ids, may_contain_bytecode) if is_bytecode_path(os.fsencode(t[3]))
            }
            assert possible == wanted
        finally:
            os.chdir(before)


@pytest.mark.parametrize("unparsed", [1, history.MAX_UNPARSED_BYTES])
@pytest.mark.parametrize("read", [1, 7, 100, 65536])
def test_added_paths_do_not_depend_on_block_sizes(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, read: int, unparsed: int
) -> None:
    """What is found does not depend on where a read or a batch ends."""
    ids = []
    for n in range(5):
        repo.stage(f"f{n}", str(n))
        repo.stage(f"{n}.pyc" if n % 2 else f"{n}.txt", str(n))
        ids.append(repo.commit())
    truth = asked(ids)
    monkeypatch.setattr(history, "MAX_UNPARSED_BYTES", unparsed)
    original = spawn.PosixChild.read
    monkeypatch.setattr(spawn.PosixChild, "read", lambda child, size=0: original(child, read))
    assert asked(ids) == truth
    assert {t for t in asked(ids, may_contain_bytecode) if t[3].endswith("pyc")} == {
        t for t in truth if t[3].endswith("pyc")
    }


def test_many_commits_are_read_by_few_processes(
    repo: Repo, git_calls: GitCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "process_count", lambda: 3)
    commits = [
        Commit([n - 1] if n else [], {"a.py": ("100644", b"%d" % n)}, b"", "") for n in range(50)
    ]
    ids = build(repo, commits)
    truth = reference_added_paths(repo, ids)
    git_calls.reset()
    assert asked(ids) == truth
    assert git_calls.verbs() == ["diff-tree"] * 3


def test_changed_executable_bit_adds_nothing(repo: Repo) -> None:
    """An executable bit is nothing new; a file where a link was is."""
    modes = ["100644", "100755", "120000", "100644", "120000"]
    ids = [
        (repo.stage("a", "same", mode=mode), repo.commit("m", "--allow-empty"))[1] for mode in modes
    ]
    found = {(commit, mode) for commit, mode, _, _ in asked(ids)}
    assert found == {(ids[0], "100644"), *zip(ids[2:], modes[2:], strict=True)}


def test_no_commits_add_nothing(repo: Repo) -> None:
    assert asked([]) == set()


def test_process_count_is_at_most_four(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, expected in [(None, 1), (1, 1), (2, 2), (64, 4)]:
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert history.process_count() == expected


def test_grafts_and_replacements_are_ignored(repo: Repo) -> None:
    """What is stored is judged, not what somebody would like to be seen in its place."""
    repo.stage("a.pyc")
    first = repo.commit("1")
    repo.stage("a.pyc", "2")
    second = repo.commit("2")
    truth = asked([first, second])
    same = repo.git("commit-tree", "-m", "same", "HEAD^{tree}")
    grafts = repo.write(".git/info/grafts", f"{second} {same}\n")
    assert asked([first, second]) == truth
    grafts.unlink()
    repo.git("replace", second, repo.git("commit-tree", "-m", "clean", repo.git("mktree")))
    assert asked([first, second]) == truth


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
def test_commits_are_counted_once_while_git_is_slow(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer is late, and each batch of commits is counted before it."""
    counted: list[bytes] = []
    monkeypatch.setattr(spawn.PosixChild, "has_output", lambda *_: False)
    monkeypatch.setattr(EntryCounter, "check_commits", lambda _, lines: counted.extend(lines))
    ids = []
    for n in range(12):
        repo.stage("a", str(n))
        ids.append(repo.commit())
    assert len(asked(ids)) == len(ids)
    assert counted == [commit.encode() for commit in ids]


@pytest.mark.skipif(not compat.HAS_FORK, reason="the system has no fork")
@pytest.mark.parametrize(("commits", "enlarged"), [(6, 0), (12, 2)])
def test_pipes_are_enlarged_for_many_commits(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, commits: int, enlarged: int
) -> None:
    """Each one once, when the first process gets its second batch."""
    calls: list[spawn.PosixChild] = []
    monkeypatch.setattr(history, "process_count", lambda: 2)
    monkeypatch.setattr(spawn.PosixChild, "enlarge_output", lambda child: calls.append(child))
    ids = []
    for n in range(commits):
        repo.stage("a", str(n))
        ids.append(repo.commit())
    assert len(asked(ids, batch=3)) == commits
    assert len(calls) == len({*map(id, calls)}) == enlarged


@pytest.mark.parametrize("room", [spawn.MIN_PIPE_BYTES, 65536])
@pytest.mark.parametrize("length", [40, 64, 64 + 1 + 64])
def test_batches_fit_into_the_pipe(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, length: int, room: int
) -> None:
    lines = [b"%0*d" % (length, n) for n in range(200)]
    differ = DiffTree()
    monkeypatch.setattr(differ.git, "pipe_capacity", lambda: room)
    made = list(differ.batches(lines))
    assert [line for batch in made for line in batch] == lines
    assert (
        len(made)
        <= 200 * (length + 1) // (min(room, 2 * history.BATCH_BYTES) // PIPELINE_DEPTH - 100) + 1
    )
    written: list[bytes] = []
    monkeypatch.setattr(differ.git, "write", written.append)
    for batch in made:
        differ.ask(batch)
    assert max(map(len, written)) * PIPELINE_DEPTH <= room
    assert max(map(len, written)) <= history.BATCH_BYTES
    differ.git.kill()
    assert list(differ.batches([])) == []


def test_given_parents_decide_what_a_merge_adds(repo: Repo) -> None:
    """With the first alone, all that a merge has from the others is listed; without, what none has."""
    commits = [
        Commit([], {"a": ("100644", b"1")}, b"", ""),
        Commit([0], {"a": ("100644", b"1"), "b.pyc": ("100644", b"2")}, b"", ""),
        Commit([0, 1], {"a": ("100644", b"1"), "b.pyc": ("100644", b"2")}, b"", ""),
    ]
    ids = build(repo, commits)
    assert asked([ids[2]]) == set()
    assert {t[3] for t in asked([f"{ids[2]} {ids[0]}"])} == {"b.pyc"}


def test_added_entries_matching_a_glob_are_returned(repo: Repo) -> None:
    repo.stage("a.pyc", "1")
    repo.stage("d/b.pyc", "2")
    first = repo.commit()
    repo.stage("d/c.pyc", "3")
    second = repo.commit()
    assert [e.path for e in added_entries_matching("**/*.pyc", [first, second])] == [
        "a.pyc",
        "d/b.pyc",
        "d/c.pyc",
    ]
    assert [e.path for e in added_entries_matching("d/*", [second])] == ["d/c.pyc"]
    assert added_entries_matching("*", []) == []


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'fatal: bad' >&2; exit 128", "git diff-tree: bad"),
        ("exit 0", "git diff-tree: its output is truncated"),
        ("printf 'half'", "git diff-tree: its output is truncated"),
        ("read mark; echo words$mark", "git diff-tree: its output is malformed"),
        (
            r"read mark; printf '\377\0'; echo $mark",
            "git diff-tree: its output is malformed",
        ),
        (
            r"read mark; printf ':x\0y\0'; echo $mark",
            "git diff-tree: its output is malformed",
        ),
    ],
)
def test_failing_diff_tree_is_a_failure(
    fake_git_script: Callable[[str], None], script: str, message: str
) -> None:
    fake_git_script(f"read line; {script}")
    with pytest.raises(GitFailure) as failure:
        asked(["1" * 40])
    assert str(failure.value) == message


def test_diff_tree_that_fails_at_its_end_is_a_failure(
    fake_git_script: Callable[[str], None],
) -> None:
    fake_git_script("read line; read mark; echo $mark; cat; echo 'fatal: bad' >&2; exit 1")
    with pytest.raises(GitFailure, match=r"^git diff-tree: bad$"):
        asked(["1" * 40])


@pytest.mark.parametrize("possible", [bool, may_contain_bytecode])
@pytest.mark.unmeasured
def test_parse_diff_output_of_a_large_commit_takes_little_memory(
    possible: Callable[[bytes], object],
) -> None:
    record = b":000000 100644 %b %b A\0%%07d\0" % (b"0" * 40, b"1" * 40)
    blocks = (b"".join(record % (n + i) for i in range(500)) for n in range(0, 100_000, 500))
    with trace_memory() as peak:
        for _ in parse_diff_output(chain([b"2" * 40 + b"\0"], blocks), possible):
            pass
        most = peak()
    assert most < 6 * history.MAX_UNPARSED_BYTES < 100_000 * len(record)


def test_parse_diff_output_of_nothing_is_empty() -> None:
    assert list(parse_diff_output([], bool)) == []


def test_changed_attributes_are_those_of_each_commit_but_the_first(
    repo: Repo, git_calls: GitCalls
) -> None:
    repo.stage(".gitattributes", "1")
    repo.stage("a.py", "1")
    commits = [repo.commit()]
    repo.stage("d/.GitAttributes", "2")
    repo.stage("b.py", "2")
    commits.append(repo.commit())
    repo.git("update-index", "--force-remove", ".gitattributes")
    commits.append(repo.commit())
    git_calls.reset()
    assert [*history.changed_attributes(commits[:1])] == []
    assert git_calls.verbs() == []
    assert [path_of(record) for record in history.changed_attributes(commits)] == [
        b"d/.GitAttributes"
    ]
    assert [path_of(record) for record in history.changed_attributes(commits[::-1])] == [
        b".gitattributes"
    ]
    assert git_calls.verbs() == ["diff-tree"] * 2
