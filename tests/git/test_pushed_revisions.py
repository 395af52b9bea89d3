from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.revisions import (
    exclude_remote,
    from_pre_push,
    from_pre_receive,
    from_runner_environment,
    iter_commits,
    unannounced,
)

if TYPE_CHECKING:
    from helpers.repo import Repo
    from pycache_guard.git.revisions import Revisions

A, B, ZERO = "a" * 40, "b" * 40, "0" * 40
LONG, LONG_ZERO = "c" * 64, "0" * 64


def tips(revisions: Revisions | None) -> dict[str, str] | None:
    return None if revisions is None else dict(revisions.tips)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", None),
        (f"(delete) {ZERO} refs/heads/a {A}\n", None),
        (f"refs/heads/a {A} refs/heads/a {ZERO}\n", {A: "refs/heads/a"}),
        (f"HEAD^{{/two words}} {A} refs/heads/a {ZERO}\n", {A: "HEAD^{/two words}"}),
        (f"x {LONG} refs/heads/a {LONG_ZERO}\n", {LONG: "x"}),
        (
            f"x {A} r/x {ZERO}\n(delete) {ZERO} r/y {A}\nz\udcff {B} r/z {ZERO}\n",
            {A: "x", B: "z\udcff"},
        ),
    ],
)
def test_pre_push_lines_give_the_pushed_commits(
    repo: Repo, lines: str, expected: dict[str, str] | None
) -> None:
    assert tips(from_pre_push(lines.encode("utf-8", "surrogateescape"), "origin")) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (f"{A} {ZERO} refs/heads/a\n", None),
        (f"{ZERO} {A} refs/heads/a\n", {A: "refs/heads/a"}),
        (f"{LONG_ZERO} {LONG} refs/heads/a\n", {LONG: "refs/heads/a"}),
        (f"{A} {B} r/a\n{B} {ZERO} r/b\n{ZERO} {A} r/c\n", {B: "r/a", A: "r/c"}),
    ],
)
def test_pre_receive_lines_give_the_received_commits(
    lines: str, expected: dict[str, str] | None
) -> None:
    assert tips(from_pre_receive(lines.encode())) == expected


@pytest.mark.parametrize(
    "line",
    [
        "\n",
        f"{A} {B}\n",
        f"{A} {B} \n",
        f"{A} {B} refs/heads/a b\n",
        f"{A}  {B} refs/heads/a\n",
        f"{A[1:]} {B} refs/heads/a\n",
        f"{A.upper()} {B} refs/heads/a\n",
        f"{'g' * 40} {B} refs/heads/a\n",
        f"{A} {LONG} refs/heads/a\n",
        f"{A} {B} refs/heads/a\n\n",
        f"{A} {B} refs/heads/a",
        f"{A} {B} refs/heads/a\n{A}",
    ],
)
def test_malformed_pre_receive_line_is_a_failure(line: str) -> None:
    with pytest.raises(Failure, match="ref line"):
        from_pre_receive(line.encode())


@pytest.mark.parametrize(
    "line",
    ["x\n", f"x {A} y\n", f"x {A} y {B} z\n", f" {A} y {B}\n", f"x {A} y {LONG}\n", f"x {A} y {B}"],
)
def test_malformed_pre_push_line_is_a_failure(line: str) -> None:
    with pytest.raises(Failure, match="ref line"):
        from_pre_push(line.encode(), "origin")


def test_pre_receive_without_lines_is_a_failure() -> None:
    with pytest.raises(Failure, match="may have read them"):
        from_pre_receive(b"")


def test_commits_that_the_remote_has_are_left_out(repo: Repo) -> None:
    """By what it says it has, and by its branches when last seen."""
    commits = [repo.commit(str(n)) for n in range(4)]
    line = f"main {commits[3]} refs/heads/main "
    for old, remote, expected in [
        (commits[1], "elsewhere", commits[2:]),
        (A, "elsewhere", commits),
        (ZERO, "elsewhere", commits),
        (ZERO, "origin", commits[3:]),
        (A, "origin", commits[3:]),
        (ZERO, "orig*", commits),
    ]:
        repo.git("update-ref", "refs/remotes/origin/main", commits[2])
        revisions = from_pre_push(f"{line}{old}\n".encode(), remote)
        assert revisions is not None
        assert sorted(
            b.decode() for batch in iter_commits(revisions.list_entries()) for b in batch
        ) == sorted(expected)


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("origin", ("--not", "--remotes=origin")),
        ("", ()),
        ("*", ()),
        ("a?", ()),
        ("[a]", ()),
        ("ssh://[::1]/x", ()),
        ("https://example.com/x.git", ("--not", "--remotes=https://example.com/x.git")),
    ],
)
def test_exclude_remote_names_its_tracking_branches(remote: str, expected: tuple[str, ...]) -> None:
    assert exclude_remote(remote) == expected


def test_runner_environment_gives_the_announced_commits(repo: Repo) -> None:
    commits = [repo.commit(str(n)) for n in range(4)]
    repo.git("update-ref", "refs/remotes/origin/main", commits[0])
    for environment, expected in [
        ({"FROM_REF": commits[1], "TO_REF": commits[3]}, commits[2:]),
        ({"FROM_REF": "HEAD~1", "TO_REF": "HEAD"}, commits[3:]),
        ({"FROM_REF": ZERO, "TO_REF": commits[3]}, commits),
        ({"FROM_REF": ZERO, "TO_REF": "main", "REMOTE_NAME": "origin"}, commits[1:]),
        ({"TO_REF": "main", "REMOTE_NAME": "origin"}, commits[1:]),
        ({"LOCAL_BRANCH": "refs/heads/main", "REMOTE_NAME": "origin"}, commits[1:]),
        ({"LOCAL_BRANCH": "HEAD", "REMOTE_NAME": "other"}, commits),
    ]:
        found = from_runner_environment(
            {f"PRE_COMMIT_{name}": value for name, value in environment.items()}
        )
        assert found is not None
        assert sorted(
            b.decode() for batch in iter_commits(found.list_entries()) for b in batch
        ) == sorted(expected)


def test_runner_environment_without_refs_gives_none() -> None:
    assert from_runner_environment({}) is None
    assert from_runner_environment({"PRE_COMMIT": "1", "PRE_COMMIT_REMOTE_NAME": "origin"}) is None


@pytest.mark.parametrize(
    "environment",
    [
        {"PRE_COMMIT_FROM_REF": "HEAD"},
        {"PRE_COMMIT_FROM_REF": A, "PRE_COMMIT_TO_REF": "HEAD"},
        {"PRE_COMMIT_TO_REF": "no"},
        {"PRE_COMMIT_TO_REF": "--all"},
    ],
)
def test_runner_environment_with_unknown_refs_is_a_failure(
    repo: Repo, environment: dict[str, str]
) -> None:
    repo.commit()
    with pytest.raises(Failure):
        list(
            iter_commits(
                (from_runner_environment(environment) or pytest.fail("said nothing")).list_entries()
            )
        )


@pytest.mark.parametrize(
    ("remote", "url", "expected"),
    [
        ("origin", "/srv/x.git", 1),
        ("origin", "", 1),
        ("/srv/x.git", "/srv/x.git", 1),
        ("/srv/x.git", "", 1),
        ("/srv/push.git", "/srv/push.git", 1),
        ("elsewhere", "/srv/y.git", 4),
        ("orig*", "/srv/y.git", 4),
        ("/srv/y.git", "/srv/y.git", 4),
    ],
)
def test_unannounced_commits_are_those_that_the_remote_is_not_known_to_have(
    repo: Repo, remote: str, url: str, expected: int
) -> None:
    commits = [repo.commit(str(n)) for n in range(3)]
    repo.git("branch", "side", repo.git("commit-tree", "-m", "side", "HEAD^{tree}"))
    repo.git("config", "remote.origin.url", "/srv/x.git")
    repo.git("config", "remote.origin.pushurl", "/srv/push.git")
    repo.git("update-ref", "refs/remotes/origin/main", commits[2])
    found = unannounced(remote, url)
    assert len([b for batch in iter_commits(found.list_entries()) for b in batch]) == expected


def test_unannounced_without_a_commit_is_empty(repo: Repo) -> None:
    assert list(iter_commits(unannounced("origin", "").list_entries())) == []
