"""`--config-from REV`: a change does not grant itself an exception."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Run
    from helpers.repo import Repo

ALLOW = '[tool.pycache-guard]\nallow = [{path = "**", reason = "all"}]\n'


@pytest.fixture
def request_(repo: Repo) -> str:
    """Make a base, and a commit that brings in bytecode and allows it; return the base."""
    repo.add(".gitignore", "__pycache__/\n*.py[cod]\n*.pyo\n*.pyc.*\n")
    repo.add("a.py", "1")
    base = repo.commit("base")
    repo.add("a.pyc", BYTECODE)
    repo.add("logo.png", BYTECODE)
    repo.add("pyproject.toml", ALLOW)
    repo.commit("request")
    return base


COMMANDS: list[list[str]] = [
    ["forbid-bytecode"],
    ["forbid-bytecode", "--content", "all"],
    ["forbid-bytecode", "--tree", "HEAD"],
    ["check-history", "HEAD"],
    ["check-history", "--all"],
    ["check-history", "HEAD~1..HEAD", "--content", "none"],
]


@pytest.mark.parametrize("argv", COMMANDS, ids=" ".join)
def test_allowance_of_the_change_itself_does_not_count(
    repo: Repo, run: Run, request_: str, argv: list[str]
) -> None:
    assert run(*argv).code == 0
    for revision in (request_, "HEAD~1", f"{request_[:12]}^{{tree}}"):
        result = run(*argv, "--config-from", revision)
        assert result.code == 1
        assert "PYC001" in result.out
    assert run(*argv, "--config-from", "HEAD").code == 0


@pytest.mark.parametrize("revision", ["", " ", "no", "--all", "HEAD..HEAD", "1" * 40, "HEAD:a.py"])
@pytest.mark.parametrize(
    "argv",
    [
        *COMMANDS,
        ["check-gitignore"],
        ["check-dockerignore"],
        ["verify-bytecode", "--tracked"],
        ["pre-push", "origin", "url"],
        ["pre-receive"],
    ],
    ids=" ".join,
)
def test_revision_that_is_not_there_is_refused(
    repo: Repo,
    run: Run,
    request_: str,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    revision: str,
) -> None:
    line = f"{'0' * 40} {'0' * 40} refs/heads/x\n" if argv == ["pre-receive"] else ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line.encode())))
    result = run(*argv, f"--config-from={revision}")
    assert (result.code, result.out) == (2, ""), result
    assert result.err.startswith("error: ")


def test_broken_configuration_of_the_base_is_a_failure(repo: Repo, run: Run) -> None:
    repo.add("pyproject.toml", "[tool.pycache-guard]\nno = 1\n")
    base = repo.commit()
    repo.add("pyproject.toml", "")
    repo.commit()
    for argv in COMMANDS[:4]:
        assert run(*argv, "--config-from", base).code == 2, argv


def test_allowance_that_a_change_makes_needless_is_no_finding(repo: Repo, run: Run) -> None:
    repo.add("a.pyc", BYTECODE)
    repo.add("pyproject.toml", ALLOW)
    base = repo.commit("base")
    repo.git("rm", "-q", "a.pyc", "pyproject.toml")
    repo.commit("clean")
    assert run("forbid-bytecode", "--config-from", base) == CLEAN
    result = run("forbid-bytecode", "--config-from", base, "--allow", "no*")
    assert (result.code, "PYC003" in result.out) == (1, True)


def settings(repo: Repo, text: str) -> str:
    repo.add("pyproject.toml", f"[tool.pycache-guard]\n{text}\n")
    return repo.commit("settings")


def test_probes_are_those_of_the_revision(repo: Repo, run: Run) -> None:
    repo.add("a.py", "1")
    repo.add("Dockerfile", "FROM x\nCOPY . .\n")
    repo.add(".gitignore", "__pycache__/\n")
    repo.add(".dockerignore", "**/__pycache__\n")
    base = settings(repo, 'probes = ["cache", "legacy"]')
    settings(repo, 'probes = ["cache"]')
    for command in ("check-gitignore", "check-dockerignore"):
        assert run(command).code == 0, command
        assert run(command, "--config-from", base).code == 1, command


def test_ignored_codes_of_verify_bytecode_are_those_of_the_revision(repo: Repo, run: Run) -> None:
    repo.add("m.pyc", BYTECODE)
    base = settings(repo, 'ignore = ["PYC205"]')
    settings(repo, 'ignore = ["PYC204", "PYC205"]')
    assert run("verify-bytecode", "--tracked").code == 0
    assert run("verify-bytecode", "--tracked", "--config-from", base).code == 1


def pushed(*names: str, oid: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what puts ref lines of new refs on stdin."""
    lines = "".join(f"{'0' * len(oid)} {oid} {name}\n" for name in names)

    def put(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))

    return put


#: Refs that are there, where HEAD leads, refs that a push creates, and the exit code: L2 of the audit.
HEADS = [
    ([], "refs/heads/main", ["refs/heads/main"], 0),
    ([], "refs/heads/main", ["refs/heads/main", "refs/heads/other"], 0),
    (["refs/heads/other"], "refs/heads/main", ["refs/heads/main"], 2),
    (["refs/heads/other"], "refs/heads/main", ["refs/heads/x", "refs/heads/main"], 2),
    (["refs/heads/other"], "refs/heads/main", ["refs/heads/x"], 0),
    (["refs/heads/other"], "refs/pull/1/head", ["refs/pull/1/head"], 2),
    (["refs/heads/other"], "refs/heads/other", ["refs/heads/main"], 0),
    (["refs/tags/v1"], "refs/heads/main", ["refs/heads/main"], 0),
]


@pytest.mark.parametrize(("there", "head", "created", "code"), HEADS)
def test_branch_of_an_unborn_head_is_created_beside_others(
    repo: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    there: list[str],
    head: str,
    created: list[str],
    code: int,
) -> None:
    commit = repo.git("commit-tree", "-m", "m", repo.git("mktree"))
    for name in there:
        repo.git("update-ref", name, commit)
    repo.write(".git/HEAD", f"ref: {head}\n")
    new = repo.git("commit-tree", "-m", "new", repo.git("mktree"))
    pushed(*created, oid=new)(monkeypatch)
    result = run("pre-receive")
    assert result == CLEAN if code == 0 else (result.code, result.out) == (code, "")
    assert ("git symbolic-ref HEAD" in result.err) == (code == 2)
    if there:
        pushed(*created, oid=new)(monkeypatch)
        assert run("pre-receive", "--config-from", there[0]).code == 0


def test_detached_head_of_a_server_has_a_configuration(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit()
    repo.git("checkout", "-q", "--detach")
    repo.git("branch", "-D", "main")
    pushed("refs/heads/main", oid=repo.git("commit-tree", "-m", "n", "HEAD^{tree}"))(monkeypatch)
    assert run("pre-receive") == CLEAN


def test_bytecode_is_allowed_by_the_protected_ref_alone(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can push to HEAD's branch allows nothing then."""
    repo.commit("protected")
    repo.git("branch", "release")
    repo.add("pyproject.toml", ALLOW)
    repo.commit("first push")
    repo.stage("a.pyc", BYTECODE)
    bad = repo.git("commit-tree", "-m", "second push", "-p", "HEAD", repo.git("write-tree"))
    for options, code in ([], 0), (["--config-from", "refs/heads/release"], 1):
        pushed("refs/heads/x", oid=bad)(monkeypatch)
        assert run("pre-receive", *options).code == code
