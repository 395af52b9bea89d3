"""Real pushes to a real bare repository, whose hook is installed as docs/server.md shows."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.repo import BYTECODE, Repo, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run

DOCUMENTED = Path(__file__).parents[2] / "docs" / "server.md"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the hook is a shell script")


class Server:
    """A bare repository that judges, and a work tree that pushes to it."""

    def __init__(self, bare: Repo, repo: Repo) -> None:
        self.bare = bare
        self.repo = repo

    def install(self, *arguments: str) -> None:
        """Install the hook with the command of docs/server.md; add arguments."""
        lines = DOCUMENTED.read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
        (self.bare.path / "hooks").mkdir(exist_ok=True)
        (self.bare.path / "hooks" / "pre-receive").unlink(missing_ok=True)
        subprocess.run(["sh", "-e", "-c", lines], cwd=self.bare.path, check=True)
        hook = self.bare.path / "hooks" / "pre-receive"
        hook.write_text(f"{hook.read_text().rstrip()} {' '.join(arguments)}\n")

    def push(self, *words: str) -> Result:
        """Push; return the exit code and what was said."""
        command = ["git", "push", os.fspath(self.bare.path), *words]
        done = subprocess.run(
            command,
            cwd=self.repo.path,
            env={**os.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))

    def refs(self) -> set[str]:
        """Return the names of the server's refs."""
        return set(self.bare.git("for-each-ref", "--format=%(refname)").split())


@pytest.fixture(params=["sha1", "sha256"])
def server(
    request: pytest.FixtureRequest,
    make_repo: Callable[..., Repo],
    monkeypatch: pytest.MonkeyPatch,
) -> Server:
    form = f"--object-format={request.param}"
    made = Server(make_repo("server.git", "--bare", form), make_repo("client", form))
    monkeypatch.chdir(made.repo.path)
    made.install()
    return made


def test_clean_push_is_received(server: Server) -> None:
    """The first, the next, a new branch, a tag, a force push, a deletion, several at once."""
    repo = server.repo
    for n in range(3):
        repo.add("a.py", str(n))
        repo.commit(str(n))
    repo.git("tag", "-a", "-m", "m", "v1")
    repo.git("tag", "tree", "HEAD^{tree}")
    repo.git("tag", "blob", repo.blob("x"))
    for words in (
        ["HEAD~2:refs/heads/main"],
        ["main"],
        ["HEAD:refs/heads/new", "HEAD~1:refs/heads/other"],
        ["v1", "tree", "blob"],
        ["+HEAD~2:refs/heads/main"],
        [":refs/heads/new", "HEAD~1:refs/heads/main"],
        ["--mirror"],
        ["--mirror"],
    ):
        result = server.push(*words)
        assert (result.code, "remote:" in result.err) == (0, False), result
    assert server.refs() == {"refs/heads/main", *(f"refs/tags/{t}" for t in ("v1", "tree", "blob"))}


def test_bytecode_that_a_later_commit_deletes_is_refused(server: Server) -> None:
    repo = server.repo
    repo.add("a.py", "1")
    repo.commit()
    assert server.push("main").code == 0
    repo.add("a.pyc", "1")
    bad = repo.commit()
    repo.git("rm", "-q", "a.pyc")
    repo.commit()
    result = server.push("main", "HEAD:refs/heads/other")
    assert result.code == 1
    assert f"remote: a.pyc: PYC001 bytecode comes in with commit {bad}" in result.err
    base = repo.git("rev-parse", "HEAD~2")
    assert f"the push is refused; `git rebase -i {base[:12]}` can drop it" in result.err
    assert "filter-repo" not in result.err
    assert "To fix:" not in result.err
    assert server.refs() == {"refs/heads/main"}
    assert server.push("HEAD~2:refs/heads/other").code == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda r: r.git("tag", "t"),
        lambda r: r.git("tag", "-a", "-m", "m", "t"),
        lambda r: r.git("tag", "t", r.git("rev-parse", "HEAD^{tree}")),
        lambda r: r.git("tag", "-a", "-m", "m", "t", r.git("rev-parse", "HEAD^{tree}")),
        lambda r: r.git("tag", "t", r.blob(BYTECODE)),
        lambda r: r.git("tag", "-a", "-m", "m", "t", r.blob(BYTECODE)),
    ],
)
def test_tags_are_checked(server: Server, make: Callable[[Repo], object]) -> None:
    """Also such as name a tree or a blob."""
    server.repo.add("a.pyc", "1")
    server.repo.commit()
    make(server.repo)
    result = server.push("refs/tags/t")
    assert result.code == 1
    assert "PYC00" in result.err
    assert server.refs() == set()


def test_commits_of_the_server_are_not_checked_again(server: Server) -> None:
    """Of a push it is what is new that counts, by commits, and by the trees of refs."""
    hook = server.bare.path / "hooks" / "pre-receive"
    hook.unlink()
    server.repo.add("a.pyc", "1")
    server.repo.commit()
    assert server.push("main").code == 0
    server.install()
    server.repo.add("b.py", "1")
    server.repo.commit()
    server.repo.git("tag", "tree", "HEAD~1^{tree}")
    assert server.push("main~1:refs/heads/again").code == 0
    assert server.push("tree").code == 0
    assert server.push("main").code == 0
    server.repo.add("c/a.pyc", "1")
    server.repo.commit()
    assert "c/a.pyc: PYC001" in server.push("main").err


def test_merge_with_a_change_of_its_own_is_refused(server: Server) -> None:
    repo = server.repo
    repo.commit()
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.commit("main")
    repo.git("merge", "-q", "--no-commit", "side")
    repo.add("evil.pyc", "1")
    evil = repo.commit("merge")
    result = server.push("main")
    assert (
        result.code,
        f"evil.pyc: PYC001 bytecode comes in with commit {evil}" in result.err,
    ) == (
        1,
        True,
    )


def test_push_cannot_grant_itself_an_exception(server: Server) -> None:
    """The configuration is that of the server's own HEAD."""
    repo = server.repo
    repo.add("pyproject.toml", '[tool.pycache-guard]\nallow = [{path = "*.pyc", reason = "r"}]\n')
    repo.add("a.pyc", "1")
    repo.commit()
    assert server.push("main").code == 1
    repo.git("rm", "-q", "--cached", "a.pyc")
    repo.git("commit", "-q", "--amend", "-m", "allowed")
    assert server.push("main").code == 0
    repo.add("a.pyc", "1")
    repo.commit()
    assert server.push("main").code == 0
    repo.add("pyproject.toml", "[tool.pycache-guard]\nno = 1\n")
    repo.commit()
    assert server.push("main").code == 0
    repo.commit()
    result = server.push("main")
    assert (result.code, "remote: error: pyproject.toml: tool.pycache-guard.no" in result.err) == (
        1,
        True,
    )


def test_hook_accepts_options(server: Server) -> None:
    server.install("--content", "none", "--allow", "'*.pyc'")
    server.repo.add("a.pyc", "1")
    server.repo.add("a.png", BYTECODE)
    server.repo.commit()
    assert server.push("main").code == 0
    server.install("--no-such")
    assert server.push("main:refs/heads/other").code == 1


def test_push_from_a_shallow_clone_is_checked(server: Server, tmp_path: Path) -> None:
    """The server has what the clone lacks: nothing is cut off."""
    server.repo.commit("1")
    server.repo.commit("2")
    assert server.push("main").code == 0
    path = os.fspath(tmp_path / "clone")
    server.repo.git("clone", "-q", "--depth=1", server.bare.path.as_uri(), path)
    server.repo = Repo(tmp_path / "clone")
    server.repo.add("a.py", "1")
    server.repo.commit("3")
    result = server.push("HEAD:refs/heads/main")
    assert (result.code, "remote:" in result.err) == (0, False)
    server.repo.add("a.pyc", "1")
    server.repo.commit("4")
    assert "a.pyc: PYC001" in server.push("HEAD:refs/heads/main").err


@pytest.mark.parametrize("said", [b"", b"x\n", b"\n", b"0" * 40 + b" " + b"1" * 40 + b" refs/x"])
def test_malformed_ref_line_ends_with_2(
    run: Run, repo: Repo, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(said)))
    result = run("pre-receive")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")


def test_missing_object_ends_with_2(run: Run, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"{'0' * 40} {'1' * 40} refs/heads/x\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    assert run("pre-receive").code == 2


@pytest.mark.parametrize("is_closed", [False, True])
def test_terminal_or_closed_stdin_ends_with_2(
    run: Run, repo: Repo, monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: not is_closed)
    if is_closed:
        monkeypatch.setattr(sys, "stdin", None)
    result = run("pre-receive")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: no ref lines on stdin; git passes them to its hook")


def test_configuration_is_that_of_head(
    run: Run, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is HEAD's, not the work tree's."""
    repo.commit()
    repo.stage("a.pyc", "1")
    commit = repo.git("commit-tree", "-m", "m", "-p", "HEAD", repo.git("write-tree"))
    repo.write("pyproject.toml", '[tool.pycache-guard]\nallow = [{path = "**", reason = "r"}]\n')
    line = f"{'0' * 40} {commit} refs/heads/x\n".encode()
    for argv, code in [
        ([], 1),
        (["--content", "none"], 1),
        (["--allow", "*.pyc"], 0),
        (["--format", "json"], 1),
        (["x"], 2),
        (["--help"], 0),
    ]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
        assert run("pre-receive", *argv).code == code, argv
