"""Random histories of attributes and files, against what `git archive` writes of each commit."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import PROGRAM, GitCalls, Run
from helpers.history_strategies import Commit, build, tree
from helpers.make_pyc import foreign_pyc
from helpers.repo import Repo
from pycache_guard.bytecode.sniff import is_bytecode

BARE_LINES = foreign_pyc("cpython-27")[:40].replace(b"\r\n", b"\n")
FILES = ("a.png", "t/a.png", "t/x/b.png")
ATTRIBUTES = (".gitattributes", "t/.gitattributes", "t/x/.gitattributes")
CONTENTS = (BARE_LINES, BARE_LINES + b"\n", b"text\n")
LINES = (
    b"*.png* text eol=crlf\n",
    b"*.png -text\n",
    b"a.png text\n",
    b"x/b.png eol=crlf\n",
    b"*.png !text !eol\n",
    b"* text=auto\n",
    b"[attr]p text\n*.png p\n",
)
CHANGE = st.one_of(
    st.tuples(st.sampled_from(FILES), st.sampled_from((None, *CONTENTS))),
    st.tuples(st.sampled_from(ATTRIBUTES), st.sampled_from((None, *LINES))),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Commit]:
    """Draw commits, many of them merges, that change files and attributes."""
    commits: list[Commit] = []
    for n in range(draw(st.integers(1, 7))):
        parents = draw(
            st.lists(st.integers(0, n - 1), min_size=1, max_size=3, unique=True)
            if n
            else st.just([])
        )
        changes = draw(st.lists(CHANGE, max_size=4))
        commits.append(
            Commit(
                parents, {path: text(data) if data else None for path, data in changes}, b"m", ""
            )
        )
    return commits


def reference(repo: Repo) -> set[tuple[str, str]]:
    """Return each path with the first commit in which a checkout makes bytecode of some blob there."""
    found: dict[tuple[str, str], str] = {}
    order = repo.git("rev-list", "--all", "--date-order", "--reverse").split()
    for commit in order:
        blobs = {path: oid for path, (_, oid) in tree(repo, commit).items()}
        if not blobs:
            continue  # an archive of nothing is none for `tarfile`
        for settings_ in (
            ("core.autocrlf=false", "core.eol=lf"),
            ("core.autocrlf=true", "core.eol=crlf"),
        ):
            words = [word for each in settings_ for word in ("-c", each)]
            tar = subprocess.check_output(["git", *words, "archive", commit], cwd=repo.path)
            with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.isfile() else None
                    if file and is_bytecode(file.read(64)):
                        found.setdefault((member.name, blobs[member.name]), commit)
    return {(path, commit) for (path, _), commit in found.items()}


def reported(repo: Repo) -> set[tuple[str, str]]:
    """Return the paths and commits that the program reports."""
    command = [os.fspath(PROGRAM), "check-history", "--all", "--format", "json"]
    done = subprocess.run(command, cwd=repo.path, capture_output=True, check=False)
    findings = json.loads(done.stdout)["findings"]
    assert (done.returncode, done.stderr) == (1 if findings else 0, b"")
    return {(finding["path"], finding["commit"]) for finding in findings}


def text(data: bytes) -> tuple[str, bytes]:
    return ("100644", data)


SUSPECT = text(BARE_LINES)
#: A file of one parent under the attributes of the other.
CROSSED = [
    Commit([], {"other": text(b"x")}, b"m", ""),
    Commit([0], {"t/.gitattributes": text(LINES[0])}, b"m", ""),
    Commit([0], {"t/a.png": SUSPECT}, b"m", ""),
    Commit([2, 1], {"t/.gitattributes": text(LINES[0])}, b"m", ""),
]
#: The attributes that made a file harmless are deleted, alone and by a merge.
UNCOVERED = [
    Commit(
        [],
        {".gitattributes": text(LINES[0]), "t/.gitattributes": text(LINES[1]), "t/a.png": SUSPECT},
        b"m",
        "",
    ),
    Commit([0], {"t/x/b.png": text(b"x")}, b"m", ""),
    Commit([0], {"t/.gitattributes": None}, b"m", ""),
]
#: The file is deleted and comes back as it was, under other attributes.
BACK = [
    Commit([], {"a.png": SUSPECT}, b"m", ""),
    Commit([0], {"a.png": None}, b"m", ""),
    Commit([1], {".gitattributes": text(LINES[0])}, b"m", ""),
    Commit([2], {"a.png": SUSPECT}, b"m", ""),
]


@settings(max_examples=20)
@given(histories())
@example(CROSSED)
@example(UNCOVERED)
@example(BACK)
def test_whole_history_is_judged_as_each_commit_is_checked_out(commits: list[Commit]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        repo = Repo.init(Path(directory) / "repo", "--bare")
        build(repo, commits)
        assert reported(repo) == reference(repo)


def test_few_suspects_are_looked_up_and_no_tree_is_listed(
    repo: Repo, run: Run, git_calls: GitCalls
) -> None:
    build(repo, CROSSED)
    expected = reference(repo)
    git_calls.reset()
    assert len(expected) == 1
    assert reported_by(run) == expected
    assert "ls-tree" not in git_calls.verbs()


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"a.png": SUSPECT}, 0),
        ({"link": ("120000", BARE_LINES)}, 50),
        ({"t/x/.GitAttributes": text(b"*.png -text\n")}, 50),
        ({"t/new\nline.png": SUSPECT}, 50),
        ({"t/return.png\r": SUSPECT, "t/return.png": text(b"x")}, 50),
    ],
    ids=["many", "link", "case", "newline", "return"],
)
def test_suspects_that_cannot_be_looked_up_are_found_in_listings(
    repo: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, tuple[str, bytes] | None],
    limit: int,
) -> None:
    monkeypatch.setattr("pycache_guard.history.at_checkout.MAX_SUSPECT_PATHS", limit)
    build(
        repo,
        [
            Commit([], changes, b"m", ""),
            *(c._replace(parents=[p + 1 for p in c.parents]) for c in CROSSED),
        ],
    )
    expected = reference(repo)
    assert ("t/a.png", repo.git("rev-parse", "b4")) in expected
    assert reported_by(run) == expected


def reported_by(run: Run) -> set[tuple[str, str]]:
    findings = json.loads(run("check-history", "--all", "--format", "json").out)["findings"]
    return {(finding["path"], finding["commit"]) for finding in findings}
