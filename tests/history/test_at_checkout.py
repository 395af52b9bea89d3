"""M2 of the audit in commits: the attributes of the tree of each commit decide."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from conftest import PROGRAM
from helpers.make_pyc import foreign_pyc
from helpers.posix_names import decode_posix_name
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import GitCalls, Run
    from helpers.repo import Repo

# The magic number of 2.7 is not ASCII; those of 3.14 and 3.15 are, and so are the same in any encoding.
RECODED = foreign_pyc("cpython-27").decode("latin-1").encode("utf-8")
RECODES = "*.png -text working-tree-encoding=ISO-8859-1\n"
BARE_LINES = foreign_pyc("cpython-27").replace(b"\r\n", b"\n")
ENDS_LINES = "*.png text eol=crlf\n"
KINDS = [(RECODES, RECODED), (ENDS_LINES, BARE_LINES)]


class Found(NamedTuple):
    path: str
    commit: str | None


def found(run: Run, *argv: str) -> list[Found]:
    code, out, err = run("check-history", "--format", "json", *argv)
    assert err == ""
    findings = json.loads(out)["findings"]
    assert code == (1 if findings else 0)
    assert all(item["code"] == "PYC002" for item in findings)
    assert all("bytecode at checkout (`" in item["message"] for item in findings)
    return [Found(item["path"], item["commit"]) for item in findings]


def commit(repo: Repo, files: dict[str, str | bytes | None]) -> str:
    """Commit files, those that are `None` deleted."""
    repo.stage_files({path: data for path, data in files.items() if data is not None})
    gone = [path for path, data in files.items() if data is None]
    if gone:
        repo.git("update-index", "--force-remove", "--", *gone)
    return repo.commit()


@pytest.mark.parametrize(("line", "data"), KINDS, ids=["encoding", "eol"])
@pytest.mark.parametrize("argv", [("HEAD",), ("base..HEAD",), ("--all",)])
class TestRanges:
    def test_attributes_and_file_in_one_commit_are_reported(
        self, repo: Repo, run: Run, line: str, data: bytes, argv: tuple[str]
    ) -> None:
        commit(repo, {"x": "1"})
        repo.git("tag", "base")
        bad = commit(repo, {".gitattributes": line, "logo.png": data})
        commit(repo, {".gitattributes": None, "logo.png": None})
        assert found(run, *argv) == [Found("logo.png", bad)]

    def test_file_under_older_attributes_is_reported(
        self, repo: Repo, run: Run, line: str, data: bytes, argv: tuple[str]
    ) -> None:
        commit(repo, {"pkg/.gitattributes": line, "x": "1"})
        repo.git("tag", "base")
        bad = commit(repo, {"pkg/deep/logo.png": data, "logo.png": data})
        assert found(run, *argv) == [Found("pkg/deep/logo.png", bad)]

    def test_attributes_for_an_older_file_are_reported(
        self, repo: Repo, run: Run, line: str, data: bytes, argv: tuple[str]
    ) -> None:
        commit(repo, {"logo.png": data})
        repo.git("tag", "base")
        bad = commit(repo, {".gitattributes": "* text=auto\n" + line})
        commit(repo, {"x": "1"})
        assert found(run, *argv) == [Found("logo.png", bad)]

    def test_deleted_attributes_for_an_older_file_are_reported(
        self, repo: Repo, run: Run, line: str, data: bytes, argv: tuple[str]
    ) -> None:
        own = "*.png !eol !working-tree-encoding -text\n"
        commit(repo, {".gitattributes": line, "pkg/.gitattributes": own, "pkg/logo.png": data})
        repo.git("tag", "base")
        bad = commit(repo, {"pkg/.gitattributes": None})
        assert found(run, *argv) == [Found("pkg/logo.png", bad)]

    def test_attributes_of_another_branch_do_not_count(
        self, repo: Repo, run: Run, line: str, data: bytes, argv: tuple[str]
    ) -> None:
        commit(repo, {"x": "1"})
        repo.git("tag", "base")
        repo.git("checkout", "-q", "-b", "other")
        commit(repo, {".gitattributes": line})
        repo.git("checkout", "-q", "main")
        repo.git("read-tree", "HEAD")
        commit(repo, {"logo.png": data})
        assert found(run, *argv) == []

    def test_merge_of_attributes_and_file_is_reported(
        self, repo: Repo, run: Run, line: str, data: bytes, argv: tuple[str]
    ) -> None:
        """Neither parent is bytecode at checkout, and the merge has nothing of its own."""
        commit(repo, {"x": "1"})
        repo.git("tag", "base")
        first = commit(repo, {".gitattributes": line})
        repo.git("read-tree", "base")
        second = repo.git("commit-tree", "-p", "base", "-m", "c", repo.git("write-tree"))
        repo.stage("logo.png", data)
        second = repo.git("commit-tree", "-p", "base", "-m", "c", repo.git("write-tree"))
        repo.stage(".gitattributes", line)
        tree = repo.git("write-tree")
        merge = repo.git("commit-tree", "-p", first, "-p", second, "-m", "m", tree)
        repo.git("update-ref", "HEAD", merge)
        assert found(run, *argv) == [Found("logo.png", merge)]


@pytest.mark.parametrize(("line", "data"), KINDS, ids=["encoding", "eol"])
def test_pre_receive_refuses_bytecode_at_checkout(
    repo: Repo,
    run: Run,
    make_repo: Callable[..., Repo],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    data: bytes,
) -> None:
    """Neither the server's configuration nor its `info/attributes` is that of a clone."""
    server = make_repo("server.git", "--bare")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    base = commit(repo, {".gitattributes": line})
    bad = commit(repo, {"logo.png": data})
    server.git("fetch", "-q", os.fspath(repo.path), f"{base}:refs/heads/main")
    server.git("fetch", "-q", os.fspath(repo.path), bad)
    server.write("info/attributes", "* -text !eol !working-tree-encoding\n")
    lines = f"{base} {bad} refs/heads/main\n"
    done = subprocess.run(
        [PROGRAM, "pre-receive"],
        cwd=server.path,
        input=lines.encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"logo.png: PYC002 " in done.stdout


@pytest.mark.parametrize(("line", "data"), KINDS, ids=["encoding", "eol"])
def test_tag_of_a_tree_uses_the_attributes_of_the_tree(
    repo: Repo, run: Run, line: str, data: bytes
) -> None:
    repo.stage(".gitattributes", line)
    repo.stage("logo.png", data)
    repo.git("tag", "tree", repo.git("write-tree"))
    assert found(run, "--all") == [Found("logo.png", None)]


@pytest.mark.parametrize(("line", "data"), KINDS, ids=["encoding", "eol"])
def test_allow_entry_covers_bytecode_at_checkout(
    repo: Repo, run: Run, line: str, data: bytes
) -> None:
    commit(repo, {"logo.png": data})
    commit(repo, {".gitattributes": line})
    assert found(run, "HEAD", "--allow", "*.png") == []


def test_attributes_of_many_directories_are_found(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of directories the trees at the edge are listed."""
    monkeypatch.setattr("pycache_guard.history.contents.MAX_DIRECTORY_COUNT", 3)
    commit(repo, {".gitattributes": RECODES})
    repo.git("tag", "base")
    bad = commit(repo, {f"d{n}/logo.png": RECODED for n in range(5)})
    assert found(run, "base..HEAD") == [Found(f"d{n}/logo.png", bad) for n in range(5)]


def test_attributes_in_directories_with_odd_names_are_found(repo: Repo, run: Run) -> None:
    names = ["a b", "größe", "new\nline", decode_posix_name(b"\xff")]
    commit(repo, {f"{name}/.gitattributes": RECODES for name in names})
    repo.git("tag", "base")
    commit(repo, {f"{name}/deep/logo.png": RECODED for name in names})
    assert len(found(run, "base..HEAD")) == len(names)
    assert len(found(run, "HEAD")) == len(names)


def test_files_beyond_one_batch_are_found(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pycache_guard.history.at_checkout.MAX_WAITING_COUNT", 2)
    commit(repo, {".gitattributes": RECODES})
    for n in range(3):
        commit(repo, {f"{n}/{m}.png": RECODED + b"%d" % m for m in range(3)})
    assert len(found(run, "HEAD")) == 9


def test_usual_attributes_cost_no_git_process(repo: Repo, run: Run, git_calls: GitCalls) -> None:
    """Nothing more is asked of git where no attribute could matter."""
    lines = "* text=auto\n*.png binary\n*.sh text eol=lf\n*.bin filter=lfs -text\n"
    commit(repo, {".gitattributes": lines, "a.py": "x = 1\n"})
    repo.git("tag", "base")
    commit(repo, {"a.py": "x = 2\n", "a.png": b"\x89PNG\r\n\x1a\n\0"})
    git_calls.reset()
    assert found(run, "base..HEAD") == []
    assert "check-attr" not in git_calls.verbs()
    commit(
        repo, {".gitattributes": lines + "*.bat text eol=crlf\n*.rc working-tree-encoding=UTF-16\n"}
    )
    commit(repo, {"a.bat": "echo\n", "a.rc": "größe\n"})
    assert found(run, "base..HEAD") == []
    assert found(run, "HEAD") == []


def test_files_that_are_not_examined_are_counted(repo: Repo, run: Run) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    commit(repo, {"a.bin": pointer, "b.zip": b"PK\3\4", "c": "text"})
    words = "ot looked into: 1 Git LFS pointer (a.bin), 1 archive (b.zip); see PYC002.\n"
    result = run("check-history", "HEAD")
    assert result == CLEAN
    assert words in result.out
    report = json.loads(run("check-history", "HEAD", "--format", "json").out)
    assert report["not_looked_into"] == {"git_lfs_pointers": 1, "archives": 1, "filtered_files": 0}


def test_unknown_encoding_is_reported_after_the_findings(repo: Repo, run: Run) -> None:
    commit(repo, {".gitattributes": "*.txt working-tree-encoding=nobodys-code\n", "a.txt": "x\n"})
    commit(repo, {"a.pyc": BYTECODE})
    code, out, err = run("check-history", "HEAD")
    assert (code, out.startswith("a.pyc: PYC001 ")) == (2, True)
    assert "cannot be written here" in err


def test_attributes_in_a_tree_without_files_give_no_finding(repo: Repo, run: Run) -> None:
    commit(repo, {".gitattributes": RECODES})
    repo.stage("link", "target", mode="120000")
    commit(repo, {".gitattributes": None, "sub/.gitattributes": RECODES})
    assert found(run, "HEAD") == []


def test_line_ends_that_matter_to_no_file_list_no_tree(
    repo: Repo, run: Run, git_calls: GitCalls
) -> None:
    commit(repo, {".gitattributes": ENDS_LINES, "a.png": b"\x89PNG\r\n\x1a\n\0"})
    git_calls.reset()
    assert found(run, "HEAD") == []
    assert "ls-tree" not in git_calls.verbs()


def test_known_blob_below_other_attributes_is_found(repo: Repo, run: Run) -> None:
    """The blob is known, and was harmless where it was first."""
    commit(repo, {"harmless": BARE_LINES})
    commit(repo, {f"x{n}": b"%d" % n for n in range(200)})
    bad = commit(repo, {"sub/.gitattributes": ENDS_LINES, "sub/logo.png": BARE_LINES})
    assert found(run, "HEAD") == [Found("sub/logo.png", bad)]


@pytest.mark.parametrize("limit", ["MAX_EDGE_COUNT", "MAX_CHANGE_COUNT"])
def test_line_ends_of_older_files_in_large_ranges_are_not_searched(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """They are not searched there; an encoding is, in any range."""
    commit(repo, {"logo.png": BARE_LINES, "other.png": RECODED})
    repo.git("tag", "base")
    commit(repo, {".gitattributes": ENDS_LINES})
    monkeypatch.setattr(f"pycache_guard.history.at_checkout.{limit}", 0)
    assert found(run, "base..HEAD") == []
    bad = commit(repo, {".gitattributes": RECODES.replace("*", "other")})
    assert found(run, "base..HEAD")[-1] == Found("other.png", bad)


def test_file_that_is_bytecode_by_name_and_at_checkout_is_found_once(repo: Repo, run: Run) -> None:
    """The name is reason enough; the attributes add no second finding."""
    lines = "*.pyc -text working-tree-encoding=ISO-8859-1\n"
    bad = commit(repo, {".gitattributes": lines, "logo.pyc": RECODED})
    code, out, _ = run("check-history", "--format", "json", "HEAD")
    (finding,) = json.loads(out)["findings"]
    assert code == 1
    assert (finding["code"], finding["path"], finding["commit"]) == ("PYC001", "logo.pyc", bad)
