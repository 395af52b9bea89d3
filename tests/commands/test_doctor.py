"""`pycache-guard doctor` on the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree, make_tree
from helpers.git_version import require_ownership_check
from pycache_guard.doctor import state
from pycache_guard.doctor.report import MAX_LINE_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo, Result

GOOD = "__pycache__/\n*.py[co]\n"
HOOK = "#!/bin/sh\nexec pycache-guard forbid-bytecode\n"


@pytest.fixture
def healthy(repo: Repo) -> Repo:
    """Make a repository without problems."""
    repo.add(".gitignore", GOOD)
    repo.add("pkg/__init__.py")
    repo.commit()
    hook = repo.write(".git/hooks/pre-commit", HOOK)
    hook.chmod(0o755)
    return repo


def test_healthy(healthy: Repo, run: Run) -> None:
    before = list_tree(healthy.path)
    result = run("doctor")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("\nPROBLEMS\n  none\n")
    lines = result.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "INTERPRETER",
        "WRITING",
        "CACHES",
        "REPOSITORY",
        "HOOKS",
        "PROBLEMS",
    ]
    assert all(len(line) <= MAX_LINE_CHARS for line in lines if sys.executable not in line)
    assert f"  cache tag: {sys.implementation.cache_tag}" in lines
    assert list_tree(healthy.path) == before


def test_each_problem_with_its_command(repo: Repo, run: Run) -> None:
    repo.add("pkg/m.py")
    repo.add("pkg/__pycache__/m.cpython-39.pyc")
    make_tree(repo.path, ["old/__pycache__/x.cpython-39.pyc"])
    result = run("doctor")
    assert result.code == 1
    problems = result.out.partition("\nPROBLEMS\n")[2]
    for words in (
        ".gitignore: PYC101 ",
        "old/: PYC603 3 paths left over",
        "pkg/__pycache__/m.cpython-39.pyc: PYC001 bytecode is tracked",
        "PYC604 no hook keeps bytecode out of the next commit",
        "    git rm -r -f --cached -- pkg/__pycache__",
        "    pycache-guard clean --orphans",
    ):
        assert words in problems, words
    assert "  bytecode is tracked: 1 path\n" in result.out
    assert "  bytecode is ignored: not everywhere\n" in result.out


def test_json(healthy: Repo, run: Run) -> None:
    make_tree(healthy.path, ["old/__pycache__/x.cpython-39.pyc"])
    result = run("doctor", "--format", "json")
    report = json.loads(result.out)
    assert result.code == 1
    assert (report["version"], report["command"]) == (1, "doctor")
    assert [finding["code"] for finding in report["findings"]] == ["PYC603"]
    assert all(set(f) == {"topic", "name", "value", "lesson", "data"} for f in report["facts"])
    data = {fact["name"]: fact["data"] for fact in report["facts"]}
    assert data["here"] == {"files": 1, "bytes": 1}
    assert data["bytecode is ignored"] is True
    assert data["bytecode is tracked"] == 0
    assert data["installed"] == ["pre-commit"]
    assert data["python"]["executable"] == sys.executable


@pytest.mark.parametrize("format_name", ["github", "gitlab", "sarif"])
def test_other_voices_have_findings_only(healthy: Repo, run: Run, format_name: str) -> None:
    result = run("doctor", "--format", format_name)
    assert result.code == 0
    assert "cache tag" not in result.out


def test_configuration_determines_required_probes(healthy: Repo, run: Run) -> None:
    healthy.add(".gitignore", "__pycache__/\n")
    assert run("doctor", "--quiet") == (0, "", "")
    healthy.add("pyproject.toml", '[tool.pycache-guard]\nprobes = ["cache", "legacy"]\n')
    result = run("doctor", "--quiet")
    assert (result.code, result.out.count("PYC101")) == (1, 1)
    assert "INTERPRETER" not in result.out


def test_optional_pattern_is_a_note_and_no_problem(healthy: Repo, run: Run) -> None:
    healthy.add(".gitignore", "__pycache__/\n")
    out = run("doctor").out
    assert "*.py[co]" in out.partition("bytecode is ignored: yes")[2].partition("tracked")[0]
    assert out.endswith("\nPROBLEMS\n  none\n")


def test_outside_of_a_repository(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("doctor")
    assert result.code == 0
    assert "REPOSITORY\n  git: not in a work tree\n" in result.out
    assert "HOOKS" not in result.out


def test_in_a_bare_repository(
    make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_repo("b.git", "--bare").path)
    result = run("doctor")
    assert_all_but_git(result)
    assert result.err == (
        "error: not inside a work tree; there are no sources and no index to examine\n"
    )


def test_in_the_root_of_a_bare_repository(healthy: Repo, run: Run) -> None:
    healthy.git("clone", "-q", "--bare", ".", ".bare")
    shutil.rmtree(healthy.path / ".git")
    (healthy.path / ".git").write_text("gitdir: ./.bare\n")
    assert_all_but_git(run("doctor"))


def test_configuration_that_cannot_be_read(healthy: Repo, run: Run) -> None:
    """Everything else is reported."""
    healthy.add("pyproject.toml", "[tool.pycache-guard]\nallow = 3\n")
    result = run("doctor")
    assert result.code == 2
    assert result.err.startswith("error: pyproject.toml")
    assert "installed: pre-commit" in result.out


def assert_all_but_git(result: Result) -> None:
    """Interpreter, writing and problems are reported, and that git does not answer, in one line."""
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    for words in ("INTERPRETER", "WRITING", "git: does not answer for this directory", "PROBLEMS"):
        assert words in result.out, words


posix = pytest.mark.skipif(sys.platform == "win32", reason="owners, modes and links")


@posix
@pytest.mark.parametrize("place", [".", "pkg"])
@pytest.mark.parametrize("why", ["no git", "owner", "HEAD", "config", "index", "gitdir"])
def test_all_is_reported_where_git_does_not_answer(
    why: str, place: str, healthy: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = f"pkg/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    healthy.write(cache, b"")
    git = healthy.path / ".git"
    if why == "no git":
        monkeypatch.setenv("PATH", "/nonexistent")
    elif why == "owner":
        require_ownership_check()
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    elif why == "HEAD":
        (git / "HEAD").write_text("garbage\n")
    elif why == "config":
        (git / "config").write_text("[[[\n")
    elif why == "index":
        (git / "index").write_bytes(b"DIRCgarbage")
    else:
        git.rename(healthy.path / "moved")
        git.write_text("gitdir: nowhere\n")
    monkeypatch.chdir(healthy.path / place)
    result = run("doctor")
    assert (result.code, "CACHES" in result.out, "PYC206" in result.out) == (2, True, True)
    assert_all_but_git(result)
    # What is printed works without git, too.
    (command,) = [
        line.strip() for line in result.out.splitlines() if "__init__" in line and "rm " in line
    ]
    subprocess.run(["/bin/sh", "-c", command], check=True, env={"PATH": "/bin:/usr/bin"})
    assert not (healthy.path / cache).exists()


def test_brief_has_problems_first(healthy: Repo, run: Run) -> None:
    result = run("doctor", "--brief")
    assert (result.code, result.err) == (0, "")
    first, second, *facts = result.out.splitlines()
    assert (first, second) == ("No problems found.", "")
    assert f"interpreter: cache tag: {sys.implementation.cache_tag}" in facts
    assert "hooks: installed: pre-commit" in facts
    assert len(facts) < 20
    make_tree(healthy.path, ["old/__pycache__/x.cpython-39.pyc"])
    result = run("doctor", "--brief")
    assert result.code == 1
    assert result.out.startswith("old/: PYC603 ")
    assert "    pycache-guard clean --orphans\n\ninterpreter: python: " in result.out


def test_healthy_report_is_short(healthy: Repo, run: Run) -> None:
    assert len(run("doctor").out.splitlines()) < 40


@posix
def test_prefix_fixes_unwritable_directories(
    healthy: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy of PYC601 on a read-only file system is a prefix."""
    monkeypatch.setattr(state, "is_read_only", lambda path: True)
    monkeypatch.setattr(os, "access", lambda path, mode: "pkg" not in path)
    assert "PYC601" in run("doctor").out
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "prefix"))
    assert run("doctor").code == 0
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert run("doctor").code == 0


SENTENCES = [
    (["m.py", "__pycache__/m.cpython-39.pyc"], "here: 1 file of 1 interpreter, 1 byte"),
    (["a.py", "a.pyc", "b.py", "b.pyc"], "here: 2 files of no known interpreter, 2 bytes"),
    (
        ["a.py", "a.pyc", "lib.pyc"],
        "keeps 1 without a source, because Python cannot create it again.",
    ),
    (["a.py", "a.pyc"], "`pycache-guard clean` removes them; the next import creates them again."),
]


@pytest.mark.parametrize(("paths", "sentence"), SENTENCES)
def test_sentence_about_caches_is_true(
    paths: list[str], sentence: str, healthy: Repo, run: Run
) -> None:
    make_tree(healthy.path, paths)
    assert sentence in " ".join(run("doctor").out.split())


def test_subdirectory_reports_whole_repository(
    healthy: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(healthy.path, ["old/__pycache__/x.cpython-39.pyc"])
    monkeypatch.chdir(healthy.path / "pkg")
    result = run("doctor")
    assert f"    pycache-guard clean --orphans -- {healthy.path}\n" in result.out


def test_a_repository_that_only_the_environment_names(
    tmp_path: Path, healthy: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", os.fspath(healthy.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", os.fspath(healthy.path))
    monkeypatch.chdir(tmp_path)
    assert "bytecode is tracked: no" in run("doctor").out


def test_another_interpreter_and_a_measurement(
    healthy: Repo, program: Program, tmp_path: Path
) -> None:
    env = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(tmp_path / "prefix")}
    result = program(
        "doctor", "--python", sys.executable, "--time", "pkg", cwd=healthy.path, env=env
    )
    assert (result.code, result.err) == (0, "")
    assert "  bytecode is written: no: PYTHONDONTWRITEBYTECODE is set\n" in result.out
    assert "\nIMPORT\n  pkg: " in result.out
    assert not (tmp_path / "prefix").exists()
    assert "pkg/__pycache__/" not in list_tree(healthy.path)


WRONG = [
    (["--python", "python-that-nobody-has"], "python-that-nobody-has: cannot be run: "),
    (["PATH"], "unrecognized arguments: PATH (see `pycache-guard doctor --help`)"),
]


@pytest.mark.parametrize(("argv", "says"), WRONG)
def test_wrong(healthy: Repo, run: Run, argv: list[str], says: str) -> None:
    result = run("doctor", *argv)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {says}")


def test_a_module_that_cannot_be_imported(healthy: Repo, run: Run) -> None:
    """Everything else is reported."""
    result = run("doctor", "--time", "module_that_nobody_has")
    assert result.code == 2
    assert result.err.startswith("error: module_that_nobody_has: cannot be imported: ")
    assert result.out.endswith("\nPROBLEMS\n  none\n")


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs a file system that accepts any bytes in names"
)
def test_odd_names_are_shown(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", prefix)
    where = {f["name"]: f for f in json.loads(run("doctor", "--format", "json").out)["facts"]}
    assert where["where to"]["data"] == f"{tmp_path}/caf\\xe9"
    assert "caf\\xe9" in run("doctor").out


def test_docker(healthy: Repo, run: Run) -> None:
    assert "  bytecode in a Docker context: no Docker build found\n" in run("doctor").out
    healthy.add("Dockerfile", "FROM scratch\nCOPY . /\n")
    result = run("doctor")
    assert result.code == 1
    assert "  bytecode in a Docker context: yes (1 build checked)\n" in result.out
    assert "PYC301" in result.out
    healthy.add(".dockerignore", "**/__pycache__\n**/*.py[co]\n")
    result = run("doctor")
    assert result.code == 0
    assert "  bytecode in a Docker context: no (1 build checked)\n" in result.out


def test_build_that_cannot_be_checked_is_an_error(healthy: Repo, run: Run) -> None:
    """Everything else is reported; the exit code shows that something is missing."""
    healthy.add("Dockerfile", "FROM scratch\nCOPY . /\n")
    healthy.add("compose.yaml", "services:\n  a:\n    build: ${WHERE}\n")
    healthy.add(".dockerignore", "a[\n")
    result = run("doctor")
    assert (result.code, result.err) == (
        2,
        (
            "error: compose.yaml:3: `${WHERE}` depends on the environment; pass the contexts to check as"
            " arguments\n"
            "error: .dockerignore:1: Docker rejects this line, so the build fails: its `[` does not begin"
            " a character class\n"
        ),
    )
    assert "CACHES" in result.out
