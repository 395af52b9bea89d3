"""States of an index, and what each command does in them: M3 and M9 of the audit among them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from helpers.git_version import needs_git
from helpers.make_pyc import cache_path
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

#: Every command that reads an index.
READERS = [
    ("forbid-bytecode",),
    ("forbid-bytecode", "--staged"),
    ("forbid-bytecode", "--content", "all"),
    ("forbid-bytecode", "--content", "none"),
    ("forbid-bytecode", "--format", "json"),
    ("verify-bytecode", "--tracked"),
    ("verify-bytecode", "--tracked", "."),
    ("check-gitignore",),
    ("check-gitignore", "--fix"),
    ("check-dockerignore",),
    ("fix",),
    ("fix", "--dry-run"),
]


def without_checkout(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("clone", "-q", "--no-checkout", ".", "../clone")
    monkeypatch.chdir("../clone")


def variable(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", "/no/such/file")


def relative(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.path / "pkg").mkdir(exist_ok=True)
    monkeypatch.chdir(repo.path / "pkg")
    monkeypatch.setenv("GIT_INDEX_FILE", "nothing")


def removed(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.path / ".git" / "index").unlink()


def removed_below(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    removed(repo, monkeypatch)
    (repo.path / "pkg").mkdir(exist_ok=True)
    monkeypatch.chdir(repo.path / "pkg")


def worktree(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("worktree", "add", "-q", "--no-checkout", "../linked")
    monkeypatch.chdir("../linked")


MISSING = [without_checkout, variable, relative, removed, removed_below, worktree]


@pytest.mark.parametrize("argv", READERS, ids=" ".join)
@pytest.mark.parametrize("state", MISSING, ids=lambda state: state.__name__)
def test_missing_index_ends_with_2(
    repo: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    state: Callable[[Repo, pytest.MonkeyPatch], None],
) -> None:
    repo.add("a.pyc", BYTECODE)
    repo.add("pkg/m.py", "x = 1\n")
    repo.add("Dockerfile", "FROM scratch\n")
    repo.commit()
    state(repo, monkeypatch)
    result = run(*argv)
    assert result.code == 2
    assert result.err.count("error: ") == 1


def test_missing_index_message_has_the_command_that_restores_it(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    without_checkout(repo, monkeypatch)
    error = run("forbid-bytecode").err
    assert error.startswith("error: the index is missing (.git/index), although HEAD has files")
    clone = type(repo)(tmp_path / "clone")
    clone.git("reset", "-q")
    assert run("forbid-bytecode").code == 1


@pytest.mark.parametrize("argv", READERS, ids=" ".join)
def test_missing_index_without_files_in_head_is_empty(
    repo: Repo, run: Run, argv: tuple[str, ...]
) -> None:
    """Before the first commit there is none; and HEAD may have no files."""
    assert not (repo.path / ".git" / "index").exists()
    expected = (0, 2) if argv[0] in ("check-dockerignore",) or "." in argv else (0, 1)
    assert run(*argv).code in expected
    repo.commit()
    (repo.path / ".git" / "index").unlink(missing_ok=True)
    assert run(*argv).code in expected


def test_empty_index_of_removed_files_has_no_findings(repo: Repo, run: Run) -> None:
    """That is what `git rm -r .` leaves: the next commit has no files."""
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    repo.git("read-tree", "--empty")
    assert run("forbid-bytecode") == CLEAN


def found(run: Run, *argv: str) -> list[str]:
    """Return the paths that `forbid-bytecode` finds."""
    code, out, err = run("forbid-bytecode", "--format", "json", *argv)
    findings = json.loads(out)["findings"]
    assert (code, err) == (1 if findings else 0, "")
    return [item["path"] for item in findings]


def assume_unchanged(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "a.pyc", "logo.png")


def skip_worktree(repo: Repo) -> None:
    repo.git("update-index", "--skip-worktree", "a.pyc", "logo.png")


def not_on_disk(repo: Repo) -> None:
    (repo.path / "a.pyc").unlink()
    (repo.path / "logo.png").unlink()


def changed_on_disk(repo: Repo) -> None:
    repo.write("logo.png", "text")


def split_index(repo: Repo) -> None:
    repo.git("update-index", "--split-index")


def version_4(repo: Repo) -> None:
    repo.git("update-index", "--index-version", "4")


def untracked_cache(repo: Repo) -> None:
    repo.git("update-index", "--force-untracked-cache")


def sparse_index(repo: Repo) -> None:
    repo.add("kept/x", "1")
    repo.add("out/b/x", "1")
    repo.commit("a", "--only", "kept/x", "out/b/x")
    repo.git("sparse-checkout", "init", "--cone", "--sparse-index")
    repo.git("sparse-checkout", "set", "kept")


def conflict(repo: Repo) -> None:
    for stage in (1, 2, 3):
        repo.stage("a.pyc", BYTECODE + b"%d" % stage, stage=stage)
        repo.stage("logo.png", BYTECODE + b"%d" % stage, stage=stage)


STATES = [
    *(assume_unchanged, skip_worktree, not_on_disk, changed_on_disk, split_index, version_4),
    pytest.param(sparse_index, marks=needs_git(32, "a sparse index"), id="sparse_index"),
    *(untracked_cache, conflict),
]


@pytest.mark.parametrize("argv", [(), ("--staged",), ("--content", "all")], ids=" ".join)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_states_of_the_index_hide_nothing(
    repo: Repo, run: Run, state: Callable[[Repo], None], argv: tuple[str, ...]
) -> None:
    repo.add("x", "1")
    repo.commit()
    repo.add("a.pyc", BYTECODE)
    repo.add("logo.png", BYTECODE)
    state(repo)
    assert found(run, *argv) == ["a.pyc", "logo.png"]


def deleted(repo: Repo) -> None:
    repo.git("rm", "-q", "--cached", "a.pyc", "logo.png")


def intended(repo: Repo) -> None:
    deleted(repo)
    repo.git("add", "-f", "-N", "a.pyc", "logo.png")


def intended_and_more(repo: Repo) -> None:
    intended(repo)
    repo.add("y", "1")


@pytest.mark.parametrize("state", [deleted, intended, intended_and_more], ids=lambda s: s.__name__)
@pytest.mark.parametrize("argv", [(), ("--staged",), ("--content", "all")], ids=" ".join)
@pytest.mark.parametrize("is_committed", [False, True])
def test_entry_that_the_next_commit_does_not_contain_is_not_reported(
    repo: Repo, run: Run, state: Callable[[Repo], None], argv: tuple[str, ...], is_committed: bool
) -> None:
    repo.add("x", "1")
    repo.commit()
    repo.add("a.pyc", BYTECODE)
    repo.add("logo.png", BYTECODE)
    if is_committed:
        repo.commit()
    state(repo)
    names = repo.git("ls-tree", "-r", "--name-only", repo.git("write-tree"))
    assert ".pyc" not in names
    assert found(run, *argv) == []
    assert run("verify-bytecode", "--tracked")[0] == 0
    assert run("fix")[0] in (0, 1)


def test_intent_to_add_file_is_reported_once_it_is_added(repo: Repo, run: Run) -> None:
    repo.write("a.pyc", BYTECODE)
    repo.git("add", "-f", "-N", "a.pyc")
    assert found(run) == []
    repo.git("add", "-f", "a.pyc")
    assert found(run) == ["a.pyc"]


def test_empty_file_next_to_an_intent_to_add_file_is_reported(repo: Repo, run: Run) -> None:
    repo.write("a.pyc", BYTECODE)
    repo.git("add", "-f", "-N", "a.pyc")
    repo.add("b.pyc")
    repo.add(cache_path("c"))
    assert found(run) == [cache_path("c"), "b.pyc"]


def test_index_with_intent_to_add_entries_only_has_no_findings(repo: Repo, run: Run) -> None:
    repo.add("x", "1")
    repo.commit()
    assert run("forbid-bytecode") == CLEAN
    assert run("forbid-bytecode", "--staged") == CLEAN


@needs_git(36, "`git fetch --refetch`")
@pytest.mark.parametrize("command", ["forbid-bytecode --content all", "verify-bytecode --tracked"])
def test_missing_blob_is_named_by_its_path(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    """And the command that is named gets it."""
    repo.add("x", "1")
    repo.add("pkg/größe.pyc", BYTECODE)
    repo.commit()
    repo.git("config", "uploadpack.allowFilter", "true")
    url = repo.path.as_uri()
    repo.git("clone", "-q", "--no-checkout", "--filter=blob:none", url, "../partial")
    partial = type(repo)(tmp_path / "partial")
    partial.git("read-tree", "HEAD")
    monkeypatch.chdir(partial.path)
    code, _, err = run(*command.split())
    assert code == 2
    blob = partial.git("rev-parse", "HEAD:" + ("pkg/größe.pyc" if "verify" in command else "x"))
    name = os.fsdecode("pkg/größe.pyc".encode()) if "verify" in command else "x"
    assert f"error: {name}: blob {blob} cannot be read here: it is missing" in err or "größe" in err
    assert "`git fetch --refetch --no-filter`" in err
    partial.git("fetch", "-q", "--refetch", "--no-filter")
    assert run(*command.split()).code == 1


@pytest.mark.parametrize("path", ["pkg/.gitignore", "run", ".gitattributes"])
def test_a_missing_blob_is_named_by_its_path_where_ignore_files_are_read(
    repo: Repo, run: Run, path: str
) -> None:
    oid = repo.stage(path, f"* text {path}\n", mode="100755")
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    code, _, err = run("check-gitignore")
    assert code == 2
    assert err.startswith(f"error: {path}: blob {oid} cannot be read here: it is missing")
