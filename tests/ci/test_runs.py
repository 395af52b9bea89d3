"""Runs of every system: which commits are checked, in which format, and what is refused."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from helpers.ci_runs import ROWS, Clones, Row, fill, formats_of, make_clones
from pycache_guard.ci.ranges import run_commits
from pycache_guard.ci.systems import detect_system

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

every_run = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, inherited: dict[str, str]) -> Clones:
    """Return a server with a change that is clean."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in inherited.items():
            patch.setenv(name, value)
        return make_clones(tmp_path_factory.mktemp("ci") / "good", is_bad=False)


@pytest.fixture(scope="session")
def bad(tmp_path_factory: pytest.TempPathFactory, inherited: dict[str, str]) -> Clones:
    """Return a server with a change that adds bytecode and deletes it again."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in inherited.items():
            patch.setenv(name, value)
        return make_clones(tmp_path_factory.mktemp("ci") / "bad", is_bad=True)


def enter(
    row: Row, clones: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, depth: int = 0
) -> Repo:
    """Stand in a clone as the system makes it, with its variables; return the clone."""
    repo = clones.clone(row.kind, depth=depth)
    for name, value in row.variables(clones.ids, tmp_path / "event.json").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(repo.path)
    return repo


def commits_of(repo: Repo, row: Row, ids: dict[str, str]) -> list[str]:
    """Return the commits that a run must check, as git lists them."""
    if row.commits == "none":
        return []
    start = [] if row.commits == "all" else [f"^{ids['base']}"]
    end = ids["merge" if row.commits == "merge" else "head"]
    return sorted(repo.git("rev-list", end, *start).split())


@every_run
def test_commits_of_a_run(
    row: Row, good: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repo = enter(row, good, monkeypatch, tmp_path)
    system = detect_system(os.environ)
    assert system is not None
    event = fill(row.event or {}, good.ids)
    assert isinstance(event, dict)
    found = run_commits(system.read(os.environ, event), system)
    listed = found.revisions.list_entries().output().decode("ascii") if found.revisions else ""
    commits = sorted(line for line in listed.split() if line[0] != "-")
    assert commits == commits_of(repo, row, good.ids)
    assert found.base == (good.ids["base"] if row.commits in ("change", "merge") else None)
    assert (system.log_format, system.file_format) == formats_of(row)


@every_run
def test_good_run_passes(
    row: Row, good: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    enter(row, good, monkeypatch, tmp_path)
    result = run("ci")
    assert (result.code, result.err) == (0, "")
    if formats_of(row)[0] == "gitlab":
        assert json.loads(result.out) == []
    else:
        assert result.out.startswith("OK: 3 tracked files checked, 3 read, 2 directories checked, ")


@every_run
def test_bytecode_that_is_added_and_deleted_again_is_refused(
    row: Row, bad: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    enter(row, bad, monkeypatch, tmp_path)
    result = run("ci")
    assert (result.code, result.err) == (row.commits != "none", "")
    if result.code:
        start = {"github": "::error file=c.pyc,", "gitlab": "[\n"}.get(formats_of(row)[0])
        assert result.out.startswith(start or "c.pyc: PYC001 bytecode comes in with commit ")
        assert result.out.count("comes in with commit") == 1


@every_run
def test_shallow_clone_is_refused_with_the_line_to_add(
    row: Row, good: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    enter(row, good, monkeypatch, tmp_path, depth=1)
    result = run("ci")
    if row.commits == "none":
        assert (result.code, result.err) == (0, "")
        return
    assert result.code == 2
    system = detect_system(os.environ)
    assert system is not None
    assert result.err.startswith("error: ")
    assert system.full_clone in result.err


def test_default_branch_is_that_of_the_clone(
    good: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    """`git clone` records it; its name is not guessed then."""
    row = next(row for row in ROWS if row.name == "bitbucket branch")
    repo = enter(row, good, monkeypatch, tmp_path)
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/topic")
    try:
        result = run("ci", "--format", "json")
        assert json.loads(result.out)["commits"] == 4  # the default branch itself, as a whole
        assert "does not say which commits are new" in result.out
    finally:
        repo.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")


def test_branch_without_a_default_branch_is_checked_as_a_whole(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    repo.add(".gitignore", "__pycache__/\n")
    repo.commit()
    for name in ("main", "master"):  # neither is the only one
        repo.git("update-ref", f"refs/remotes/origin/{name}", "HEAD")
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.setenv("BUILD_SOURCEBRANCH", "refs/heads/topic")
    assert json.loads(run("ci", "--format", "json").out)["commits"] == 1


#: A request whose base the clone lacks, or that names none.
UNKNOWN_BASES = [
    ({"TF_BUILD": "1", "SYSTEM_PULLREQUEST_TARGETBRANCH": "other"}, "branch other is not in this"),
    (
        {"BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "1"},
        "Buildkite names no base of this request",
    ),
    (
        {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_PR_ID": "1", "BITBUCKET_COMMIT": "f" * 40},
        f"commit {'f' * 40} is not in this clone; fetch it: git fetch origin {'f' * 40}",
    ),
    (
        {
            "BITBUCKET_BUILD_NUMBER": "1",
            "BITBUCKET_PR_ID": "1",
            "BITBUCKET_PR_DESTINATION_COMMIT": "abcdef123456",
        },
        "commit abcdef123456 is not in this clone",
    ),
]


@pytest.mark.parametrize(("env", "message"), UNKNOWN_BASES, ids=range(len(UNKNOWN_BASES)))
def test_request_without_its_base_is_refused(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], message: str
) -> None:
    repo.commit()
    # The name of a tag is not a shortened commit id.
    repo.git("tag", "abcdef123456")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    result = run("ci")
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_work_tree_that_does_not_contain_the_run_is_named(
    good: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    row = next(row for row in ROWS if row.name == "github pull_request_target")
    enter(row, good, monkeypatch, tmp_path)
    assert f"The work tree does not contain commit {good.ids['head']}" in run("ci").out


def test_force_push_is_named(
    good: Clones, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run
) -> None:
    row = next(row for row in ROWS if row.name == "github force push to main")
    enter(row, good, monkeypatch, tmp_path)
    assert "is not in this clone (a force push)" in run("ci").out
