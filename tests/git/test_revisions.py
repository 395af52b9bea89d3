from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.revisions import (
    Revisions,
    all_refs,
    iter_commits,
    iter_merges,
    parse_ranges,
    shallow_boundary,
    start_shallow_check,
    unpushed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.repo import Repo


def commits(revisions: Revisions) -> list[str]:
    return [oid.decode() for batch in iter_commits(revisions.list_entries()) for oid in batch]


@pytest.fixture
def line(repo: Repo) -> list[str]:
    """Make five commits, one after the other."""
    return [repo.commit(str(n)) for n in range(5)]


def test_parse_ranges_gives_the_commits_of_rev_list(repo: Repo, line: list[str]) -> None:
    repo.git("tag", "-a", "-m", "m", "v1", line[1])
    repo.git("branch", "side", repo.git("commit-tree", "-m", "s", "-p", line[1], "HEAD^{tree}"))
    side = repo.git("rev-parse", "side")
    for words, expected in [
        (["HEAD"], line),
        (["HEAD~2..HEAD"], line[3:]),
        (["HEAD", "^v1"], line[2:]),
        (["HEAD...side"], [*line[2:], side]),
        (["main~3^!"], line[1:2]),
        (["HEAD..HEAD"], []),
        (["v1", "side"], [*line[:2], side]),
        ([":/4"], line),
    ]:
        assert sorted(commits(parse_ranges(words))) == sorted(expected), words


@pytest.mark.parametrize("word", ["no", "--all", "-n1", "^no", "a b", "HEAD..no", "f"])
def test_parse_ranges_of_an_unknown_revision_is_a_failure(
    repo: Repo, line: list[str], word: str
) -> None:
    """A file of that name is none."""
    repo.write("f")
    with pytest.raises(Failure):
        parse_ranges(["HEAD", word])


#: M11 of the audit: in CI these come from `"$BASE..$HEAD"` with a variable that is not set.
ONE_SIDED = [
    ("..HEAD", "left side of"),
    ("HEAD..", "right side of"),
    ("..", "left and the right sides of"),
    ("...HEAD", "left side of"),
    ("HEAD...", "right side of"),
    ("...", "left and the right sides of"),
    (" ..HEAD", "left side of"),
    ("HEAD..\t", "right side of"),
    ("^..HEAD", "left side of"),
    ("^HEAD..", "right side of"),
    ("@..", "right side of"),
    ("", "names no revision"),
    (" ", "names no revision"),
    ("^", "names no revision"),
    ("^ ", "names no revision"),
    # Git refuses these by itself.
    ("refs/heads/..HEAD", "bad revision"),
    ("HEAD..refs/heads/", "bad revision"),
    ("origin/..HEAD", "bad revision"),
    ("~1..HEAD", "bad revision"),
    ("HEAD....HEAD", "bad revision"),
    ("^!", "bad revision"),
    ("^-", "bad revision"),
]


@pytest.mark.parametrize(("word", "message"), ONE_SIDED)
def test_parse_ranges_with_an_empty_side_is_a_failure(
    repo: Repo, line: list[str], word: str, message: str
) -> None:
    with pytest.raises(Failure, match=message):
        parse_ranges(["HEAD", word])


def test_parse_ranges_of_exclusions_only_is_a_failure(repo: Repo, line: list[str]) -> None:
    with pytest.raises(Failure, match="includes none"):
        parse_ranges(["^HEAD"])


def test_all_refs_reach_commits_of_every_kind_of_ref(repo: Repo, line: list[str]) -> None:
    """A tag, a note, a ref of a name of its own, a detached HEAD; and what is no commit."""
    tree, blob = repo.git("rev-parse", "HEAD^{tree}"), repo.blob("x")
    other = repo.git("commit-tree", "-m", "o", tree)
    repo.git("update-ref", "refs/own/x", other)
    repo.git("tag", "-a", "-m", "m", "commit", line[0])
    repo.git("tag", "tree", tree)
    repo.git("tag", "-a", "-m", "m", "blob", blob)
    repo.git("checkout", "-q", "--detach")
    detached = repo.commit()
    found = all_refs()
    assert sorted(commits(found)) == sorted([*line, other, detached])
    assert found.tips == {
        tree: "refs/tags/tree",
        repo.git("rev-parse", "blob"): "refs/tags/blob",
    }


def test_all_refs_of_an_empty_repository_are_none(repo: Repo) -> None:
    assert commits(all_refs()) == []


def test_all_refs_with_a_broken_ref_is_a_failure(repo: Repo, line: list[str]) -> None:
    repo.write(".git/refs/heads/broken", "1" * 40 + "\n")
    with pytest.raises(Failure):
        commits(all_refs())


def test_unpushed_commits_are_those_not_on_the_upstream(repo: Repo, line: list[str]) -> None:
    assert unpushed() is None
    repo.git("branch", "up", line[2])
    repo.git("branch", "--set-upstream-to=up")
    found = unpushed()
    assert found is not None
    assert commits(found) == [line[4], line[3]]
    repo.git("checkout", "-q", "--orphan", "empty")
    assert unpushed() is None


def test_in_order_yields_parents_first(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parents first, whatever their dates say."""
    made: list[str] = []
    for date in (5, 3, 9, 1):
        parents = ["-p", made[-1]] if made else []
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{date} +0000")
        made.append(repo.git("commit-tree", "-m", str(date), *parents, repo.git("mktree")))
    found = Revisions({made[-1]: "x"}).in_order({made[2], made[0], made[3]})
    assert list(found) == [made[0], made[2], made[3]]


def test_all_refs_of_thousands_of_refs_are_read(repo: Repo) -> None:
    """More than any argument list holds."""
    commit = repo.commit()
    lines = "".join(f"create refs/tags/{n} {commit}\n" for n in range(3000))
    repo.git("update-ref", "--stdin", input=lines.encode())
    assert commits(Revisions({commit: "x"}, [commit] * 100_000)) == []
    assert commits(Revisions({commit: "x"}, (), "--not", "--all")) == []
    for absent in ({"1" * 40: "x"}, ()), ({commit: "x"}, ["1" * 40]):
        with pytest.raises(Failure):
            commits(Revisions(*absent))


def test_shallow_boundary_of_a_clone_with_depth(
    repo: Repo, line: list[str], make_repo: Callable[..., Repo]
) -> None:
    assert shallow_boundary(start_shallow_check()) == frozenset()
    clone = make_repo("clone")
    clone.git("fetch", "-q", "--depth=2", repo.path.as_uri(), "+main:refs/heads/copy")
    os.chdir(clone.path)
    assert shallow_boundary(start_shallow_check()) == {line[3].encode()}
    clone.git("worktree", "add", "-q", "../tree", "copy")
    os.chdir(clone.path.parent / "tree")
    assert shallow_boundary(start_shallow_check()) == {line[3].encode()}
    os.chdir(clone.path)
    clone.git("fetch", "-q", "--unshallow", repo.path.as_uri())
    assert shallow_boundary(start_shallow_check()) == frozenset()


def test_shallow_boundary_reads_git_shallow_file(
    repo: Repo, line: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `receive-pack` does for its hooks when a shallow clone pushes (shallow.c)."""
    repo.write("cut", f"{line[2]}\n")
    monkeypatch.setenv("GIT_SHALLOW_FILE", str(repo.path / "cut"))
    assert shallow_boundary(start_shallow_check()) == {line[2].encode()}
    monkeypatch.setenv("GIT_SHALLOW_FILE", "")
    assert shallow_boundary(start_shallow_check()) == frozenset()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo all is well", "git rev-list: its output is malformed"),
        ("echo abc", "git rev-list: its output is malformed"),
        ("echo", "git rev-list: its output is malformed"),
        ("printf abc", "git rev-list: its output is truncated"),
    ],
)
def test_malformed_output_of_rev_list_is_a_failure(
    fake_git_script: Callable[[str], None], script: str, message: str
) -> None:
    """`git diff-tree` would pass it over without a word."""
    fake_git_script(f"cat >/dev/null; {script}")
    with pytest.raises(Failure) as failure:
        commits(Revisions({}))
    assert str(failure.value) == message
    with pytest.raises(Failure) as failure:
        list(iter_merges(Revisions({}).list_merges()))
    assert str(failure.value) == message


def test_malformed_parent_of_a_merge_is_a_failure(
    fake_git_script: Callable[[str], None],
) -> None:
    fake_git_script(f"cat >/dev/null; echo {'1' * 40} {'2' * 40} abc")
    with pytest.raises(Failure) as failure:
        list(iter_merges(Revisions({}).list_merges()))
    assert str(failure.value) == "git rev-list: its output is malformed"


def test_merge_is_listed_with_each_parent(fake_git_script: Callable[[str], None]) -> None:
    ids = ["1" * 40, "2" * 40, "3" * 40, "4" * 40]
    fake_git_script(f"cat >/dev/null; echo {' '.join(ids)}")
    listed = [line for batch in iter_merges(Revisions({}).list_merges()) for line in batch]
    assert listed == [f"{ids[0]} {parent}".encode() for parent in ids[1:]]
