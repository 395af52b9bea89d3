"""What is refused by path: every entry, mode and spelling, wherever it is looked at from."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import PROGRAM
from helpers.git_version import needs_git
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN
from pycache_guard import compat
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.misplaced import may_be_misplaced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

COMMAND = "forbid-bytecode"


def paths(run: Run, *argv: str) -> list[str]:
    """Run, and return the paths that are found, in the order of the report."""
    code, out, err = run(COMMAND, "--format", "json", *argv)
    assert err == ""
    found = json.loads(out)["findings"]
    assert code == (1 if found else 0)
    assert all(item["code"] == "PYC001" for item in found)
    return [item["path"] for item in found]


def test_clean_index_has_no_findings(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py", "x = 1\n")
    assert run(COMMAND) == program(COMMAND) == CLEAN


def test_bytecode_paths_are_reported(repo: Repo, run: Run, program: Program) -> None:
    repo.add("b.pyc")
    repo.add("a/__pycache__/b.cpython-313.pyc")
    repo.add("a/__pycache__/c/d.txt")
    expected = (
        "a/__pycache__/b.cpython-313.pyc: PYC001 bytecode is tracked\n"
        "a/__pycache__/c/d.txt: PYC001 a file in `__pycache__` that is not bytecode is tracked\n"
        "b.pyc: PYC001 bytecode is tracked\n"
        "\n"
        "To fix:\n"
        "    git rm -r -f --cached -- a/__pycache__/b.cpython-313.pyc\n"
        "    git mv -- a/__pycache__/c/d.txt a/d.txt\n"
        "    git rm -r -f --cached -- b.pyc\n"
    )
    assert run(COMMAND, "--quiet") == program(COMMAND, "--quiet") == (1, expected, "")


def test_python_dash_m_works(repo: Repo) -> None:
    repo.add("b.pyc")
    done = subprocess.run(
        [sys.executable, "-m", "pycache_guard", COMMAND], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"b.pyc: PYC001 ")


ODD = [
    b"\xff.pyc",
    b"caf\xc3\xa9/x.pyc",
    b"caf\xe9/__pycache__/x",
    b"new\nline.pyc",
    b"car\rriage.pyc",
    b"ta\tb.pyc",
    b'quo"te.pyc',
    b"quo'te.pyc",
    b"back\\slash.pyc",
    b"-rf.pyc",
    b"--cached/__pycache__/x",
    b":(exclude)x.pyc",
    b":/x.pyc",
    b":!x.pyc",
    b"*.pyc",
    b"[a-z]?.pyc",
    b" .pyc",
    b"trailing .pyc ",
    b"$(touch x).pyc",
    b"`x`;x&x|x.pyc",
    b"\x01\x1b[31m.pyc",
    b"\xe2\x80\xae.pyc",
    b"~x.pyc",
    b"#x.pyc",
    b"!x.pyc",
    b"X.PYC",
    b"__PyCache__",
    b"A$Py.Class",
    b"a.pyc.140162621172480",
    b"a/b/c/d/__pycache__/e/f/__pycache__/g",
]


@pytest.mark.parametrize("content", ["new", "all", "none"])
@pytest.mark.parametrize("scope", [(), ("--staged",), ("--tree", "HEAD")])
def test_paths_of_any_bytes_are_reported(
    repo: Repo, run: Run, scope: tuple[str, ...], content: str
) -> None:
    """None is missed, none is invented, none is spelled wrongly, whatever is asked."""
    names = [os.fsdecode(name) for name in ODD]
    repo.stage_all([*names, "x.py", "pyc", "a.pyc.d/x"])
    if "--tree" in scope:
        repo.commit()
    expected = sorted(name for name in names if is_bytecode_path(os.fsencode(name)))
    assert expected == sorted(set(names) - {"trailing .pyc "})
    code, out, err = run(COMMAND, "--format", "json", "--content", content, *scope)
    findings = json.loads(out)["findings"]
    paths = [
        os.fsdecode(base64.b64decode(f["path_base64"])) if f["path_base64"] else f["path"]
        for f in findings
    ]
    assert (code, err, paths) == (1, "", expected)
    assert {f["code"] for f in findings} == {"PYC001"}


#: Names that git takes and that are bytecode's.
NAMES = (
    st.lists(
        st.binary(min_size=1, max_size=6)
        | st.sampled_from([b":", b"*", b"[a]", b"-f", b"'", b"\n", b"\\", b"__pycache__", b"..a"]),
        min_size=1,
        max_size=3,
    )
    .map(lambda parts: b"/".join(part.translate(None, b"\0/") for part in parts) + b".pyc")
    .filter(lambda path: all(p not in (b"", b".", b"..") for p in path.split(b"/")))
    .filter(lambda path: b".git" not in path.lower() and b"git~1" not in path.lower())
)


@pytest.mark.skipif(sys.platform == "win32", reason="the remedies are for a POSIX shell")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, min_size=1, max_size=4), below=st.booleans())
@example(names=set(ODD) - {b"trailing .pyc ", b"__PyCache__"}, below=True)
@example(names=set(ODD) - {b"trailing .pyc ", b"__PyCache__"}, below=False)
def test_printed_commands_fix_every_finding(
    make_repo: Callable[..., Repo],
    run: Run,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    names: set[bytes],
    below: bool,
) -> None:
    """Run what the report prints through bash: nothing is left but what it does not name.

    Files that are not bytecode are moved, and stay tracked.
    """
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    repo = make_repo(tmp_path_factory.mktemp("r").name)
    where = repo.path / "below"
    where.mkdir()
    monkeypatch.chdir(where if below else repo.path)
    clash = {name for name in names if any(other.startswith(name + b"/") for other in names)}
    repo.stage_all(["a.py", *map(os.fsdecode, names - clash)])
    misplaced = [name for name in map(os.fsdecode, names - clash) if may_be_misplaced(name)]
    for name in misplaced:
        repo.write(name, "")
    code, out, _ = run(COMMAND, "--quiet")
    assert code == 1
    commands = out.partition("To fix:\n")[2]
    # It ends with 1 where moves are left.
    commands = commands.replace("pycache-guard fix\n", "pycache-guard fix || test $? = 1\n")
    subprocess.run(["bash", "-e", "-c", commands], check=True, capture_output=True)
    assert len(repo.tracked()) == 1 + len(misplaced)
    assert not any(is_bytecode_path(os.fsencode(path)) for path in repo.tracked())


def test_links_and_submodules_are_reported(repo: Repo, run: Run) -> None:
    commit = repo.commit()
    repo.stage("link.pyc", "target", mode="120000")
    repo.stage("sub.pyc", commit, mode="160000")
    repo.stage("__pycache__", "target", mode="120000")
    repo.stage("run.pyc", mode="100755")
    expected = (
        "__pycache__: PYC001 a symbolic link with a bytecode path is tracked\n"
        "link.pyc: PYC001 a symbolic link with a bytecode path is tracked\n"
        "run.pyc: PYC001 bytecode is tracked\n"
        "sub.pyc: PYC001 a submodule with a bytecode path is tracked\n"
    )
    for argv in ((), ("--staged",), ("--content", "all")):
        code, out, err = run(COMMAND, *argv)
        assert (code, out.partition("\n\n")[0] + "\n", err) == (1, expected, "")
    repo.commit()
    lines = run(COMMAND, "--tree", "HEAD").out.partition("\n\n")[0].splitlines()
    assert [line.partition("; ")[0] for line in lines] == expected.splitlines()


@pytest.mark.parametrize("hidden", ["all", "dirty"])
def test_submodule_settings_hide_nothing(repo: Repo, run: Run, hidden: str) -> None:
    first = repo.commit()
    repo.add(".gitmodules", f'[submodule "x"]\n\tpath = x.pyc\n\turl = u\n\tignore = {hidden}\n')
    repo.git("config", "diff.ignoreSubmodules", hidden)
    repo.stage("x.pyc", first, mode="160000")
    assert paths(run, "--staged") == paths(run) == ["x.pyc"]


def test_file_that_is_not_on_disk_is_reported(repo: Repo, run: Run) -> None:
    repo.add("a/b.pyc").unlink()
    assert paths(run) == ["a/b.pyc"]


@needs_git(34, "`git rm --sparse`")
@pytest.mark.parametrize("options", [(), ("--sparse-index",)])
def test_sparse_checkout_is_checked_whole(repo: Repo, run: Run, options: tuple[str, ...]) -> None:
    """Also with a sparse index, which holds `out/` in one entry."""
    repo.add("out/__pycache__/a.cpython-313.pyc")
    repo.add("in/a.py")
    repo.commit()
    repo.git("sparse-checkout", "set", "--cone", *options, "in")
    assert not (repo.path / "out").exists()
    code, out, err = run(COMMAND, "--quiet")
    command = "git rm -r -f --cached --sparse -- out/__pycache__"
    assert (code, err) == (1, "")
    assert out == (
        f"out/__pycache__/a.cpython-313.pyc: PYC001 bytecode is tracked\n\nTo fix:\n    {command}\n"
    )
    repo.git(*command.split(" ")[1:])
    assert run(COMMAND) == CLEAN


@needs_git(36, "`ls-files --sparse`")
def test_new_directory_in_a_sparse_index_is_checked(repo: Repo, run: Run) -> None:
    """In the index, one entry stands for a directory that HEAD does not have."""
    repo.add("in/a.py")
    repo.commit()
    repo.add("out/deep/logo.png", BYTECODE)
    repo.add("out/__pycache__/empty.cpython-313.pyc")
    repo.add("out/__init__.py")
    repo.commit()
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    repo.git("reset", "-q", "--soft", "HEAD~1")
    assert "out/" in repo.git("ls-files", "--sparse").splitlines()
    for argv in ((), ("--staged",), ("--content", "all")):
        code, out, err = run(COMMAND, "--quiet", *argv)
        assert (code, err) == (1, "")
        assert "out/__pycache__/empty.cpython-313.pyc: PYC001" in out
        assert "out/deep/logo.png: PYC002" in out
    assert "out/" in repo.git("ls-files", "--sparse").splitlines()


@pytest.mark.parametrize("argv", [(), ("--staged",), ("--content", "all")])
def test_conflict_stages_are_reported_once(repo: Repo, run: Run, argv: tuple[str, ...]) -> None:
    repo.commit()
    for stage in (1, 2, 3):
        repo.stage("a.pyc", f"{stage}", stage=stage)
    repo.stage("b.pyc", "theirs alone", stage=3)
    assert paths(run, *argv) == ["a.pyc", "b.pyc"]


@pytest.mark.parametrize("argv", [(), ("--staged",), ("--content", "all")])
def test_intent_to_add_entry_is_not_reported(repo: Repo, run: Run, argv: tuple[str, ...]) -> None:
    """The next commit does not contain such an entry; an empty file that was added, it does."""
    repo.write("a.pyc", BYTECODE)
    repo.write("b.py")
    repo.git("add", "-f", "-N", "a.pyc", "b.py")
    assert paths(run, *argv) == []
    repo.add("empty.pyc")
    assert paths(run, *argv) == ["empty.pyc"]
    repo.commit("first")
    assert repo.git("ls-tree", "-r", "--name-only", "HEAD") == "empty.pyc"
    repo.add("a.pyc", BYTECODE)
    assert "a.pyc" in paths(run, *argv)


def test_deletion_of_bytecode_is_not_reported(repo: Repo, run: Run) -> None:
    for name in ("a.pyc", "b/__pycache__/c.pyc", "d.pyc"):
        repo.add(name)
    repo.commit()
    repo.git("rm", "-q", "-r", "--cached", ".")
    assert run(COMMAND) == CLEAN
    assert run(COMMAND, "--staged") == CLEAN
    repo.git("reset", "-q")
    repo.git("rm", "-q", "--cached", "a.pyc")
    assert paths(run, "--staged") == []
    assert paths(run) == ["b/__pycache__/c.pyc", "d.pyc"]


def test_staged_reports_only_differences_from_head(repo: Repo, run: Run) -> None:
    repo.add("old.pyc", "1")
    repo.add("changed.pyc", "1")
    repo.commit()
    repo.add("changed.pyc", "2")
    repo.add("new.pyc", "2")
    repo.git("mv", "old.pyc", "moved.pyc")
    assert paths(run, "--staged") == ["changed.pyc", "moved.pyc", "new.pyc"]


def test_index_of_git_index_file_is_checked(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.pyc")
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(repo.path / ".git" / "other"))
    repo.add("b.pyc")
    assert paths(run) == ["b.pyc"]


@pytest.mark.parametrize("argv", [(), ("--staged",), ("--tree", "HEAD"), ("--content", "all")])
def test_subdirectory_checks_everything_with_paths_from_the_top(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """Paths are from the top, configuration is the top's, commands hold where one stands."""
    repo.git("config", "diff.relative", "true")
    repo.add("a.pyc")
    repo.add("sub/b.pyc")
    repo.add("sub/ok.pyc")
    repo.add("pyproject.toml", CONFIG.format("sub/ok.pyc"))
    if "--tree" in argv:
        repo.commit()
    monkeypatch.chdir(repo.path / "sub")
    code, out, err = run(COMMAND, "--quiet", *argv)
    assert (code, err) == (1, "")
    if "--tree" in argv:
        hint = "remove it with a new commit; this one cannot change"
        assert out == (
            f"a.pyc: PYC001 bytecode is tracked; {hint}\n"
            f"sub/b.pyc: PYC001 bytecode is tracked; {hint}\n"
        )
        return
    assert out == (
        "a.pyc: PYC001 bytecode is tracked\n"
        "sub/b.pyc: PYC001 bytecode is tracked\n\n"
        "To fix:\n"
        "    git rm -r -f --cached -- ':(top)a.pyc'\n"
        "    git rm -r -f --cached -- ':(top)sub/b.pyc'\n"
    )


CONFIG = "[tool.pycache-guard]\nallow = [{{ path = '{}', reason = 'r' }}]\n"


def test_linked_work_tree_is_checked(repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit()
    repo.add("main.pyc")
    repo.git("worktree", "add", "-q", "../linked")
    monkeypatch.chdir("../linked")
    assert run(COMMAND) == CLEAN
    (repo.path.parent / "linked" / "x.pyc").write_bytes(b"")
    subprocess.run(["git", "add", "-f", "x.pyc"], check=True)
    assert paths(run) == ["x.pyc"]


def test_submodule_is_checked_by_itself(
    repo: Repo, make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = make_repo("inner")
    inner.add("i.pyc")
    inner.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "../inner", "sub")
    assert run(COMMAND) == CLEAN
    monkeypatch.chdir("sub")
    assert paths(run) == ["i.pyc"]


def test_sha256_repository_is_checked(
    make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("sha256", "--object-format=sha256")
    monkeypatch.chdir(repo.path)
    blob = repo.stage("a.pyc", "x")
    repo.stage("b.pyc", "y")
    repo.write("pyproject.toml", CONFIG.format("b.pyc"))
    for argv in ((), ("--staged",), ("--content", "all")):
        assert paths(run, *argv) == ["a.pyc"]
    assert len(blob) == 64
    assert json.loads(run(COMMAND, "--format", "json").out)["findings"][0]["blob"] == blob
    repo.commit()
    assert paths(run, "--tree", "HEAD", "--allow", "b.pyc") == ["a.pyc"]


class TestTree:
    def test_tree_of_a_bare_repository_is_checked(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        repo.add("a.pyc")
        repo.add("ok.pyc")
        repo.add("pyproject.toml", CONFIG.format("ok.pyc"))
        repo.commit()
        repo.git("clone", "-q", "--bare", ".", "../bare")
        monkeypatch.chdir(tmp_path / "bare")
        assert paths(run, "--tree", "HEAD") == paths(run, "--tree", "main^{tree}") == ["a.pyc"]
        refused = (2, "", "error: not inside a work tree; there is no index to check\n")
        for argv in ((), ("--staged",), ("--fix",), ("--content", "none")):
            assert run(COMMAND, *argv) == refused

    def test_tree_is_checked_from_the_git_directory(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo.add("a.pyc")
        repo.commit()
        monkeypatch.chdir(repo.path / ".git")
        assert paths(run, "--tree", "HEAD") == ["a.pyc"]

    def test_tree_is_checked_without_the_index(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.commit()
        repo.git("rm", "-q", "--cached", "a.pyc")
        repo.add("b.pyc")
        assert paths(run, "--tree", "HEAD") == ["a.pyc"]

    def test_tree_has_its_own_configuration(self, repo: Repo, run: Run) -> None:
        """Nothing that is on disk or staged speaks for it."""
        repo.add("a.pyc")
        repo.commit()
        repo.add("pyproject.toml", CONFIG.format("a.pyc"))
        assert run(COMMAND) == CLEAN
        assert paths(run, "--tree", "HEAD") == ["a.pyc"]
        repo.commit()
        (repo.path / "pyproject.toml").unlink()
        assert run(COMMAND, "--tree", "HEAD") == CLEAN

    def test_tree_ignores_replacements(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        bad = repo.commit()
        repo.git("rm", "-q", "--cached", "a.pyc")
        good = repo.commit()
        repo.git("replace", bad, good)
        assert paths(run, "--tree", bad) == ["a.pyc"]

    def test_submodule_in_a_tree_is_reported(self, repo: Repo, run: Run) -> None:
        repo.stage("x.pyc", repo.commit(), mode="160000")
        repo.commit()
        assert paths(run, "--tree", "HEAD") == ["x.pyc"]


def test_findings_without_posix_spawn_are_the_same(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no posix_spawn, the answer is the same."""
    monkeypatch.setattr(compat, "HAS_FORK", False)
    repo.add("pyproject.toml", CONFIG.format("ok.pyc"))
    repo.stage("a.pyc")
    repo.stage("ok.pyc")
    repo.stage("data", b"\0" * 100)
    assert paths(run) == paths(run, "--content", "all") == ["a.pyc"]
    assert run(COMMAND, "--fix").code == 1
    assert run(COMMAND) == CLEAN
