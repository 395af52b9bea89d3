from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import PROGRAM
from helpers.git_version import needs_any_git, needs_git
from helpers.history_strategies import Commit, build, histories, reference_bytecode
from helpers.make_pyc import WRITER
from helpers.repo import BYTECODE, Repo, Result
from helpers.report_parser import CLEAN
from pycache_guard import cli, compat
from pycache_guard.bytecode.sniff import LFS_POINTER
from pycache_guard.git import packs
from pycache_guard.history import contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls, Program, Run

#: What is printed where HEAD alone brings in `a.pyc`, and is a root.
LEAKED = "others may have it: treat any secrets in it as leaked and rotate them"
GUARD = "git --no-pager diff --cached --stat --exit-code"


def found(result: Result) -> list[dict[str, Any]]:
    """Return the findings of a JSON report."""
    listed: list[dict[str, Any]] = json.loads(result.out)["findings"]
    return listed


def test_clean_history_has_no_findings(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py")
    repo.commit()
    assert run("check-history", "HEAD") == CLEAN
    assert run("check-history", "--all") == CLEAN
    assert program("check-history", "--all", "--content", "none") == CLEAN


def test_file_that_a_later_commit_deletes_is_reported(
    repo: Repo, run: Run, program: Program
) -> None:
    """What no end point shows: the reason for this command."""
    first = repo.commit()
    repo.add("a.pyc", "12345")
    second = repo.commit()
    blob = repo.git("rev-parse", "HEAD:a.pyc")
    repo.git("rm", "-q", "a.pyc")
    repo.commit()
    result = run("check-history", "--quiet", f"{first}..HEAD")
    last = repo.git("rev-parse", "HEAD")
    assert result == (
        1,
        (
            f"a.pyc: PYC001 bytecode comes in with commit {second}: blob {blob}, 5 bytes; it is not"
            f" pushed: `git rebase -i {first[:12]}` can drop it, or the command below\n"
            f"\nTo fix:\n    {GUARD} && git reset -q --soft {first}"
            " && git rm -q -r -f --cached --ignore-unmatch -- ':(top)a.pyc'"
            f" && git commit -q --allow-empty -C {last}\n"
        ),
        "",
    )
    assert program("check-history", "--quiet", f"{first}..HEAD") == result
    assert run("check-history", "HEAD~1..HEAD") == CLEAN


def test_json_report_has_commit_blob_and_size(repo: Repo, run: Run) -> None:
    repo.add("a.pyc", "12345")
    commit = repo.commit()
    (one,) = found(run("check-history", "HEAD", "--format", "json"))
    assert one["message"].endswith(
        "5 bytes; it is not pushed: `git rebase -i --root` can drop it, or the command below"
    )
    assert one["remedy"].startswith(f"{GUARD} && git rm ")
    assert {key: one[key] for key in ("code", "path", "commit", "blob", "size", "count")} == {
        "code": "PYC001",
        "path": "a.pyc",
        "commit": commit,
        "blob": repo.git("rev-parse", "HEAD:a.pyc"),
        "size": 5,
        "count": 1,
    }


def test_same_file_in_many_commits_is_reported_once(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the commit that came first, whatever the dates say."""
    repo.add("a.pyc", "1")
    first = repo.commit()
    for date in ("2001-01-01T00:00:00Z", "1999-01-01T00:00:00Z"):
        repo.git("rm", "-q", "--cached", "a.pyc")
        repo.commit()
        repo.add("a.pyc", "1")
        monkeypatch.setenv("GIT_COMMITTER_DATE", date)
        repo.commit()
    (one,) = found(run("check-history", "--all", "--format", "json"))
    assert (one["commit"], one["count"]) == (first, 3)
    assert f"comes in with commit {first} and 2 more: " in one["message"]


@pytest.mark.parametrize("content", ["new", "none"])
def test_merge_is_not_reported_for_files_of_its_side(repo: Repo, run: Run, content: str) -> None:
    commits = [
        Commit([], {"a": ("100644", b"1")}, b"", ""),
        Commit([0], {"a": ("100644", b"1"), "b.pyc": ("100644", b"2")}, b"", ""),
        Commit([0, 1], {"b.pyc": ("100644", b"2")}, b"", ""),
    ]
    ids = build(repo, commits)
    options = ("--content", content, "--format", "json")
    (one,) = found(run("check-history", ids[2], *options))
    assert (one["commit"], one["count"]) == (ids[1], 1)
    assert found(run("check-history", f"{ids[1]}..{ids[2]}", *options)) == []


@pytest.mark.parametrize("content", ["new", "none"])
@settings(max_examples=30)
@given(history=histories(), data=st.data())
def test_findings_of_any_history_agree_with_ls_tree(
    content: str, history: list[Commit], data: st.DataObject
) -> None:
    """Of any range, the same as by `ls-tree` of every commit and every parent."""
    with tempfile.TemporaryDirectory() as directory:
        repo = Repo.init(Path(directory) / "repo")
        ids = build(repo, history)
        tips = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=2))
        words = [
            *tips,
            *(f"^{oid}" for oid in data.draw(st.lists(st.sampled_from(ids), max_size=1))),
        ]
        meant = repo.git("rev-list", *words).split()
        truth = reference_bytecode(repo, meant)
        if content == "none":
            truth = {key: value for key, value in truth.items() if key[0] == "PYC001"}
        report = Path(directory) / "report"
        options = ["--content", content, "--format", "json", "--output", os.fspath(report)]
        before = os.getcwd()
        os.chdir(repo.path)
        try:
            code = cli.main(["check-history", *words, *options])
        finally:
            os.chdir(before)
        reported = found(Result(code, report.read_text(), ""))
    assert code == (1 if truth else 0)
    assert {(f["code"], path_of(f), f["blob"]): f["count"] for f in reported} == {
        key: len(commits) for key, commits in truth.items()
    }
    assert len(reported) == len(truth)
    assert all(f["commit"] in truth[f["code"], path_of(f), f["blob"]] for f in reported)


def path_of(finding: dict[str, Any]) -> str:
    """Return the path of a finding in JSON, undecodable bytes included."""
    encoded = finding["path_base64"]
    if encoded:
        import base64

        return os.fsdecode(base64.b64decode(encoded))
    return str(finding["path"])


def test_rename_to_a_bytecode_name_is_reported(repo: Repo, run: Run) -> None:
    repo.add("a.txt", "text, a good deal of it" * 100)
    repo.commit()
    repo.git("config", "diff.renames", "copies")
    repo.git("mv", "a.txt", "a.pyc")
    repo.commit()
    assert [f["path"] for f in found(run("check-history", "HEAD^!", "--format", "json"))] == [
        "a.pyc"
    ]


def test_bytecode_of_another_name_is_reported(repo: Repo, run: Run) -> None:
    repo.add("logo.png", BYTECODE)
    repo.add("b.png", b"\x89PNG\r\n\x1a\n" * 9)
    commit = repo.commit()
    result = run("check-history", "HEAD")
    assert result.code == 1
    assert result.out.startswith(
        f"logo.png: PYC002 {WRITER} bytecode under another name comes in with commit {commit}"
    )
    assert run("check-history", "HEAD", "--content", "none") == CLEAN


def test_bytecode_among_many_files_is_reported(repo: Repo, run: Run) -> None:
    for n in range(300):
        repo.write(f"{n}.bin", BYTECODE + b"%d" % n if n % 3 == 0 else b"%d" % n)
    repo.git("add", ".")
    repo.commit()
    reported = found(run("check-history", "HEAD", "--format", "json"))
    assert {f["path"] for f in reported} == {f"{n}.bin" for n in range(0, 300, 3)}


def test_links_and_submodules_are_reported_by_path(repo: Repo, run: Run) -> None:
    repo.stage("__pycache__", "elsewhere", mode="120000")
    repo.stage("x.pyc", "1" * 40, mode="160000")
    commit = repo.commit()
    drop = "it is not pushed: `git rebase -i --root` can drop it, or the command below"
    link, module = found(run("check-history", "HEAD", "--format", "json"))
    assert (link["path"], link["size"]) == ("__pycache__", 9)
    start = f"a symbolic link with a bytecode path comes in with commit {commit}: blob "
    assert link["message"] == f"{start}{repo.git('rev-parse', 'HEAD:__pycache__')}, 9 bytes; {drop}"
    assert (module["path"], module["size"]) == ("x.pyc", None)
    start = f"a submodule with a bytecode path comes in with commit {commit}: commit "
    assert module["message"] == f"{start}{'1' * 40} of another repository"


def test_allow_entries_cover_by_glob_and_blob(repo: Repo, run: Run) -> None:
    """By glob and by blob; an unused one is no finding here: the range may not reach it."""
    repo.add("data/a.pyc", "1")
    repo.add("b.pyc", "2")
    repo.commit()
    repo.add("b.pyc", "3")
    repo.add("c.pyc", "4")
    repo.commit()
    first, second = repo.git("rev-parse", "HEAD~1:b.pyc", "HEAD:b.pyc").split()
    repo.write(
        "pyproject.toml",
        "[tool.pycache-guard]\nallow = [\n"
        '  { path = "data/**", reason = "fixtures" },\n'
        f'  {{ path = "*.pyc", reason = "once", blob = "{first}" }},\n'
        '  { path = "nowhere/**", reason = "unused" },\n]\n',
    )
    reported = found(run("check-history", "HEAD", "--format", "json"))
    assert [(f["path"], f["blob"]) for f in reported] == [
        ("b.pyc", second),
        ("c.pyc", repo.git("rev-parse", "HEAD:c.pyc")),
    ]
    reported = found(
        run("check-history", "HEAD", "--format", "json", "--allow", "c.*", "--allow", "x")
    )
    assert [(f["path"], f["blob"]) for f in reported] == [("b.pyc", second)]
    repo.write("pyproject.toml", "[tool.pycache-guard]\nno = 1\n")
    assert run("check-history", "HEAD").code == 2


def test_bare_repository_reads_the_configuration_of_head(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repo.add("a.pyc", "1")
    repo.add("pyproject.toml", '[tool.pycache-guard]\nallow = [{path = "a.pyc", reason = "r"}]\n')
    repo.commit()
    repo.git("clone", "-q", "--bare", ".", os.fspath(tmp_path / "bare"))
    monkeypatch.chdir(tmp_path / "bare")
    assert run("check-history", "--all") == CLEAN
    Repo(tmp_path / "bare").git("symbolic-ref", "HEAD", "refs/heads/none")
    assert run("check-history", "--all").code == 1


def test_default_range_is_of_the_runner_or_the_upstream(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner's environment, else the upstream branch, else words to type."""
    repo.add("a.pyc", "1")
    first = repo.commit()
    repo.git("rm", "-q", "a.pyc")
    repo.commit()
    result = run("check-history")
    assert (result.code, result.out) == (2, "")
    assert "`pycache-guard check-history origin/main..HEAD`" in result.err
    repo.git("branch", "up")
    repo.git("branch", "-u", "up")
    assert run("check-history") == CLEAN
    repo.git("branch", "-f", "up", first)
    assert run("check-history") == CLEAN
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "0" * 40)
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert run("check-history").code == 1
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
    assert run("check-history") == CLEAN
    assert run("check-history", "HEAD").code == 1


def test_tags_of_trees_and_blobs_are_checked(repo: Repo, run: Run) -> None:
    repo.commit()
    repo.stage("d/a.pyc", "1")
    repo.stage("ok", "2")
    repo.git("tag", "-a", "-m", "m", "tree", repo.git("write-tree"))
    repo.git("tag", "inner", repo.blob(BYTECODE))
    repo.git("tag", "-a", "-m", "m", "outer", "inner")
    repo.git("tag", "text", repo.blob("text"))
    for words in (["--all"], ["tree", "outer", "text"]):
        reported = found(run("check-history", *words, "--format", "json"))
        names = [f["message"].split(":")[0] for f in reported]
        assert [(f["code"], f["path"], f["commit"]) for f in reported][-1] == (
            "PYC001",
            "d/a.pyc",
            None,
        )
        assert names[-1].startswith("bytecode is in the tree that ")
        assert " bytecode under another name is what " in names[0]
        assert reported[0]["blob"] == repo.git("rev-parse", "inner")
    tree = repo.git("rev-parse", "tree^{}")
    for finding, oid in ((reported[0], reported[0]["blob"]), (reported[-1], tree)):
        command = f"git for-each-ref --points-at {oid}"
        assert finding["remedy"] is None
        assert finding["message"].endswith(f"; delete each ref that `{command}` lists")
        assert len(repo.git(*command.split()[1:]).splitlines()) >= 1
    reported = found(run("check-history", "--all", "--format", "json"))
    assert reported[-1]["remedy"] == "git update-ref -d refs/tags/tree"
    blob = repo.git("rev-parse", "inner")
    repo.write(
        "pyproject.toml",
        "[tool.pycache-guard]\n"
        f'allow = [{{path = "**", reason = "r", blob = "{blob}"}}, {{path = "d/*", reason = "r"}}]\n',
    )
    assert run("check-history", "--all") == CLEAN


@pytest.mark.parametrize("content", ["new", "none"])
def test_range_beyond_a_shallow_boundary_ends_with_2(
    repo: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Told, and 2, but only if the range leads to where history is cut off."""
    repo.add("old.pyc", "1")
    repo.commit()
    for n in range(3):
        repo.add(f"{n}.pyc", "x")
        repo.commit()
    repo.git("clone", "-q", "--depth=3", repo.path.as_uri(), os.fspath(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    options = ("--format", "json", "--content", content)
    inside = run("check-history", "HEAD~1..HEAD", *options)
    assert (inside.code, inside.err, [f["path"] for f in found(inside)]) == (1, "", ["2.pyc"])
    through = run("check-history", "HEAD", *options)
    assert through.code == 2
    cut = repo.git("rev-parse", "HEAD~2")
    assert through.err.startswith(f"error: this clone is shallow: the parents of commit {cut} ")
    assert "`fetch-depth: 0`" in through.err
    assert "`GIT_DEPTH: 0`" in through.err
    assert {f["path"] for f in found(through)} == {"old.pyc", "0.pyc", "1.pyc", "2.pyc"}


@pytest.mark.parametrize("word", ["HEAD~1..HEAD", "1" * 40])
def test_missing_base_of_a_shallow_clone_ends_with_2(
    repo: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """CI systems name the base of a request, and fetch one commit."""
    repo.commit()
    repo.commit()
    repo.git("clone", "-q", "--depth=1", repo.path.as_uri(), os.fspath(tmp_path / "clone"))
    whole = run("check-history", "1" * 40 + "..HEAD")
    assert (whole.code, whole.out, "shallow" in whole.err) == (2, "", False)
    monkeypatch.chdir(tmp_path / "clone")
    result = run("check-history", f"{word}..HEAD" if ".." not in word else word)
    assert (result.code, result.out) == (2, "")
    assert "this clone is shallow: fetch it (`git fetch --unshallow`" in result.err


@needs_any_git
def test_command_outside_a_repository_names_that_first(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is the first thing to say, and not that there is no upstream branch."""
    monkeypatch.chdir(tmp_path)
    result = run("check-history")
    assert (result.code, result.out) == (2, "")
    assert "not a git repository" in result.err


@pytest.fixture
def partial(repo: Repo, tmp_path: Path) -> Repo:
    """Make a clone that lacks some blobs: those of its second commit."""
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.add("here.png", BYTECODE)
    repo.add("here.pyc", "1")
    repo.commit()
    repo.git("clone", "-q", repo.path.as_uri(), os.fspath(tmp_path / "clone"))
    clone = Repo(tmp_path / "clone")
    repo.add("gone.png", BYTECODE + b"2")
    repo.add("gone.pyc", "2")
    repo.add("later.pyc", "1")
    repo.commit()
    clone.git("config", "remote.origin.promisor", "true")
    # From 2.47 on, maintenance goes on in the background after `git fetch`, with a lock file.
    clone.git("config", "maintenance.auto", "false")
    clone.git("config", "remote.origin.partialclonefilter", "blob:none")
    clone.git("fetch", "-q", "--filter=blob:none")
    return clone


@needs_git(27, "`git diff-tree` that compares trees without their blobs")
def test_partial_clone_fetches_nothing_and_ends_with_2(
    partial: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is fetched; what is here is checked; the rest is reported, with 2."""
    monkeypatch.chdir(partial.path)
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    result = run("check-history", "--all", "--format", "json")
    assert sorted(tmp_path.rglob("*")) == before
    assert result.code == 2
    assert re.match(
        r"error: 1 blobs are missing, the first is [0-9a-f]{40} \(gone.png\), ", result.err
    )
    reported = found(result)
    assert [(f["path"], f["size"]) for f in reported] == [
        ("here.png", len(BYTECODE)),
        ("here.pyc", 1),
        ("gone.pyc", None),
        ("later.pyc", 1),
    ]
    assert "which is missing" in reported[2]["message"]
    paths = run("check-history", "--all", "--format", "json", "--content", "none")
    assert (paths.code, paths.err) == (1, "")
    assert [f["path"] for f in found(paths)] == ["here.pyc", "gone.pyc", "later.pyc"]


def test_missing_blob_ends_with_2(repo: Repo, run: Run) -> None:
    blob = repo.stage("a.png", "1")
    repo.commit()
    os.unlink(repo.path / ".git" / "objects" / blob[:2] / blob[2:])
    result = run("check-history", "HEAD")
    assert (result.code, result.out) == (2, "")
    assert blob in result.err


def test_missing_tree_ends_with_2(repo: Repo, run: Run) -> None:
    repo.stage("d/a.png", "1")
    repo.commit()
    tree = repo.git("rev-parse", "HEAD:d")
    os.unlink(repo.path / ".git" / "objects" / tree[:2] / tree[2:])
    assert run("check-history", "HEAD").code == 2


def test_sha256_repository_is_checked(
    make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("long", "--object-format=sha256")
    monkeypatch.chdir(repo.path)
    ids = []
    for n in range(150):
        repo.stage("a.py", str(n))
        ids.append(repo.commit())
    repo.stage("a.pyc", "1")
    ids.append(repo.commit())
    (one,) = found(run("check-history", "--all", "--format", "json"))
    assert (one["commit"], len(one["blob"])) == (ids[-1], 64)


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_packed_history_is_judged_as_git_reads_it(
    make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Files of all kinds whose starts change, most of them stored as deltas."""
    repo = make_repo("packed", f"--object-format={kind}")
    monkeypatch.chdir(repo.path)
    tar = b"n" * 100 + b"0000644\0" + bytes(149) + b"ustar"
    starts = [b"", b"text ", BYTECODE, b"PK\3\4", tar, b"\n\0", LFS_POINTER[0], b"#!/bin/sh\n"]
    tails = [b"".join(b"%d, %d\n" % (n, m) for m in range(60)) for n in range(20)]
    for turn in range(len(starts)):
        files = {
            f"f{n}": starts[(n // 3 + turn) % len(starts)] + tail + b"%d" % turn
            for n, tail in enumerate(tails)
        }
        repo.stage_files(files)
        repo.commit()
    repo.git("repack", "-adfq")
    monkeypatch.setattr(contents, "MIN_ASKED_COUNT", 1)
    options = ("--all", "--format", "json")
    packed = run("check-history", *options)
    monkeypatch.setattr(packs, "MAX_PACKS", 0)
    assert packed == run("check-history", *options)
    assert len(found(packed)) == len(tails)
    notes = json.loads(packed.out)["notes"]
    assert any("40 archives" in note for note in notes), notes


def test_subdirectory_checks_everything_with_paths_from_the_top(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is judged, and paths and globs are from the top."""
    repo.git("config", "diff.relative", "true")
    repo.add("a.pyc", "1")
    repo.add("d/b.pyc", "1")
    repo.commit()
    monkeypatch.chdir(repo.path / "d")
    reported = found(run("check-history", "HEAD", "--format", "json"))
    assert [f["path"] for f in reported] == ["a.pyc", "d/b.pyc"]
    reported = found(run("check-history", "HEAD", "--format", "json", "--allow", "d/b.pyc"))
    assert [f["path"] for f in reported] == ["a.pyc"]


@pytest.mark.parametrize(
    "argv",
    [
        ["--all", "HEAD"],
        ["--content", "all"],
        [""],
        ["no"],
        ["--format", "x"],
        ["--allow", ""],
        ["-n"],
    ],
)
def test_wrong_usage_is_an_error(repo: Repo, run: Run, argv: list[str]) -> None:
    repo.commit()
    result = run("check-history", *argv)
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch("error: .*\n", result.err)


@pytest.mark.parametrize(
    "word", ["..HEAD", "HEAD..", "..", "...HEAD", "^", "", "refs/heads/..HEAD"]
)
def test_range_with_an_empty_side_is_refused(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """M11 of the audit: on the command line, and in what a runner hands over."""
    repo.add("a.pyc", "1")
    repo.commit()
    for argv in (
        ["check-history", word],
        ["check-history", "HEAD", word],
        ["forbid-bytecode", "--tree", word],
    ):
        result = run(*argv)
        assert (result.code, result.out) == (2, ""), argv
        assert re.fullmatch("error: .*\n", result.err), argv
    if word:
        monkeypatch.setenv("PRE_COMMIT_TO_REF", word)
        assert run("check-history").code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="the range contains variables of a POSIX shell")
def test_range_of_unset_variables_is_refused_and_the_side_is_named(repo: Repo) -> None:
    repo.commit()
    for words, side in (
        ('"$BASE..$HEAD"', "left and the right"),
        ('"$BASE...HEAD"', "left"),
        ('"HEAD..$B"', "right"),
    ):
        done = subprocess.run(
            ["sh", "-c", f"'{PROGRAM}' check-history {words}"],
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 2
        assert f"the {side} side" in done.stderr


def forge_commit_graph(repo: Repo, commit: str, parent: str) -> None:
    """Write a commit graph that names another parent of `commit` (gitformat-commit-graph(5))."""
    repo.git("commit-graph", "write", "--reachable")
    path = repo.path / ".git" / "objects" / "info" / "commit-graph"
    data = bytearray(path.read_bytes())
    chunks = {
        bytes(data[at : at + 4]): int.from_bytes(data[at + 4 : at + 12], "big")
        for at in range(8, 8 + 12 * (data[6] + 1), 12)
    }
    count = (chunks[b"CDAT"] - chunks[b"OIDL"]) // 20
    ids = [data[chunks[b"OIDL"] + 20 * n :][:20].hex() for n in range(count)]
    at = chunks[b"CDAT"] + 36 * ids.index(commit) + 20
    data[at : at + 4] = ids.index(parent).to_bytes(4, "big")
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "argv",
    [["--all"], ["HEAD"], ["HEAD~1..HEAD"], ["main~1...HEAD"], ["--all", "--content", "none"]],
    ids=" ".join,
)
def test_commit_graph_that_is_forged_hides_nothing(repo: Repo, run: Run, argv: list[str]) -> None:
    """L7 of the audit: HEAD's parent is said to be the root, and the bytecode is between them."""
    root = repo.commit("root")
    repo.add("logo.pyc", BYTECODE)
    repo.commit("bad")
    repo.git("rm", "-q", "logo.pyc")
    repo.commit("gone")
    before = run("check-history", *argv)
    forge_commit_graph(repo, repo.git("rev-parse", "HEAD"), root)
    assert run("check-history", *argv) == before
    assert before.code == (1 if "~1" not in argv[0] else 0)


@pytest.mark.parametrize("how", ["replace", "graft"])
def test_replacement_and_graft_hide_nothing(repo: Repo, run: Run, how: str) -> None:
    """L7 of the audit, by the siblings of a commit graph."""
    root = repo.commit("root")
    repo.add("a.pyc", "1")
    repo.commit("bad")
    repo.git("rm", "-q", "a.pyc")
    last = repo.commit("gone")
    if how == "replace":
        repo.git("replace", "--graft", last, root)
    else:
        repo.write(".git/info/grafts", f"{last} {root}\n")
    assert run("check-history", "HEAD").code == 1


def test_all_outside_a_repository_ends_with_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("check-history", "--all").code == 2


def test_help_names_the_options(run: Run) -> None:
    result = run("check-history", "--help")
    assert (result.code, result.err) == (0, "")
    assert "--all" in result.out


@pytest.mark.parametrize("format_name", ["github", "gitlab", "sarif"])
def test_every_format_reports_the_finding(repo: Repo, run: Run, format_name: str) -> None:
    repo.add("a.pyc", "1")
    commit = repo.commit()
    result = run("check-history", "HEAD", "--format", format_name)
    assert (result.code, result.err) == (1, "")
    assert commit in result.out


def test_few_processes_are_started_and_none_is_left_behind(
    repo: Repo, git_calls: GitCalls, run: Run
) -> None:
    """A push waits for them."""
    repo.add("a.py")
    repo.commit()
    git_calls.reset()
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text() if children.exists() else ""
    assert run("check-history", "HEAD", "--format", "json").code == 0
    assert sorted(git_calls.verbs()) == ["cat-file", "diff-tree", "rev-list", "rev-parse"]
    assert (children.read_text() if children.exists() else "") == before


@pytest.mark.parametrize(
    ("names", "allowed", "times"),
    [
        pytest.param(["a.pyc", "b.pyc"], ["--allow", "*.pyc"], 0, id="all are allowed"),
        pytest.param(["a.pyc", "b.pyc"], [], 1, id="findings"),
        pytest.param(["a.pyc", "b.pyc", "a.pyc"], [], 1, id="a finding in two commits"),
    ],
)
def test_order_of_commits_is_asked_for_once_and_only_for_findings(
    repo: Repo, git_calls: GitCalls, run: Run, names: list[str], allowed: list[str], times: int
) -> None:
    """Git lists all of history for it."""
    for name in names:
        repo.git("rm", "-rfq", "--ignore-unmatch", ".")
        repo.add(name, "1")
        repo.commit()
    git_calls.reset()
    assert run("check-history", "HEAD", *allowed).code == (not allowed)
    listings = git_calls.log.read_text().splitlines()
    assert (
        sum(line.endswith("rev-list --stdin --date-order --reverse") for line in listings) == times
    )


def test_findings_without_posix_spawn_are_the_same(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: the same, by `subprocess`."""
    ids = []
    for n in range(200):
        repo.stage("a.py", str(n))
        repo.stage(f"{n}.pyc" if n % 50 == 0 else f"{n}.bin", BYTECODE + b"%d" % n)
        ids.append(repo.commit())
    expected = run("check-history", "HEAD", "--format", "json")
    monkeypatch.setattr(compat, "HAS_FORK", False)
    assert run("check-history", "HEAD", "--format", "json") == expected
    assert len(found(expected)) == 200


@pytest.mark.usefixtures("default_signal_handlers")
def test_interrupted_git_ends_with_130(fake_git_script: Callable[[str], None], run: Run) -> None:
    """It may get Ctrl-C before we do: 130, and not a word."""
    fake_git_script('trap - INT; case "$*" in *rev-list*) kill -INT $$;; esac')
    assert run("check-history", "--all") == (130, "", "")


@pytest.mark.usefixtures("default_signal_handlers")
def test_interrupted_run_ends_with_130(
    fake_git_script: Callable[[str], None], tmp_path: Path
) -> None:
    """Ctrl-C goes to all processes of the terminal."""
    fake_git_script(
        f'case "$*" in *diff-tree*) touch {tmp_path}/asked; exec sleep 60;; esac; exec cat'
    )
    process = subprocess.Popen(
        [PROGRAM, "check-history", "--all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while not (tmp_path / "asked").exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
