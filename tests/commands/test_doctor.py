"""`pycache-guard doctor`, as a person meets it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from cleaning.trees import plant
from cleaning.trees import standing
from pycache_guard.doctor.layout import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program
    from conftest import Run
    from repo import Repo

GOOD = "__pycache__/\n*.py[co]\n"
HOOK = "#!/bin/sh\nexec pycache-guard forbid-bytecode\n"


@pytest.fixture
def healthy(repo: Repo) -> Repo:
    """Make a repository that has nothing to be mended."""
    repo.add(".gitignore", GOOD)
    repo.add("pkg/__init__.py")
    repo.commit()
    hook = repo.write(".git/hooks/pre-commit", HOOK)
    hook.chmod(0o755)
    return repo


def test_healthy(healthy: Repo, run: Run) -> None:
    before = standing(healthy.path)
    told = run("doctor")
    assert (told.code, told.err) == (0, "")
    assert told.out.endswith("\nPROBLEMS\n  none\n")
    lines = told.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "INTERPRETER",
        "WRITING",
        "CACHES",
        "REPOSITORY",
        "HOOKS",
        "PROBLEMS",
    ]
    assert all(len(line) <= WIDTH for line in lines if sys.executable not in line)
    assert f"  cache tag: {sys.implementation.cache_tag}" in lines
    assert standing(healthy.path) == before


def test_each_problem_with_its_command(repo: Repo, run: Run) -> None:
    repo.add("pkg/m.py")
    repo.add("pkg/__pycache__/m.cpython-39.pyc")
    plant(repo.path, ["old/__pycache__/x.cpython-39.pyc"])
    told = run("doctor")
    assert told.code == 1
    problems = told.out.partition("\nPROBLEMS\n")[2]
    for words in (
        ".gitignore: PYC101 ",
        "old/: PYC603 3 paths left over",
        "pkg/__pycache__/m.cpython-39.pyc: PYC001 bytecode is tracked",
        "PYC604 no hook keeps bytecode out of the next commit",
        "    git rm -r -f --cached -- pkg/__pycache__",
        "    pycache-guard clean --orphans",
    ):
        assert words in problems, words
    assert "  bytecode is tracked: 1 path\n" in told.out
    assert "  bytecode is ignored: not everywhere\n" in told.out


def test_json(healthy: Repo, run: Run) -> None:
    plant(healthy.path, ["old/__pycache__/x.cpython-39.pyc"])
    told = run("doctor", "--format", "json")
    report = json.loads(told.out)
    assert told.code == 1
    assert (report["version"], report["command"]) == (1, "doctor")
    assert [finding["code"] for finding in report["findings"]] == ["PYC603"]
    assert all(set(f) == {"topic", "name", "value", "lesson", "data"} for f in report["facts"])
    data = {fact["name"]: fact["data"] for fact in report["facts"]}
    assert data["here"] == {"files": 1, "bytes": 1}
    assert data["bytecode is ignored"] is True
    assert data["bytecode is tracked"] == 0
    assert data["installed"] == ["pre-commit"]
    assert data["python"]["executable"] == sys.executable


@pytest.mark.parametrize("voice", ["github", "gitlab", "sarif"])
def test_other_voices_have_findings_only(healthy: Repo, run: Run, voice: str) -> None:
    told = run("doctor", "--format", voice)
    assert told.code == 0
    assert "cache tag" not in told.out


def test_the_configuration_says_what_must_be_ignored(healthy: Repo, run: Run) -> None:
    healthy.add(".gitignore", "__pycache__/\n")
    assert run("doctor").code == 1
    healthy.add("pyproject.toml", '[tool.pycache-guard]\nprobes = ["cache"]\n')
    assert run("doctor").code == 0


def test_outside_of_a_repository(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = run("doctor")
    assert told.code == 0
    assert "REPOSITORY\n  git: not in a work tree\n" in told.out
    assert "HOOKS" not in told.out


def test_in_a_bare_repository(
    make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_repo("b.git", "--bare").path)
    assert run("doctor") == (
        2,
        "",
        "error: .: is among a repository's own files, which are left alone\n",
    )


def test_a_subdirectory_speaks_of_the_whole(
    healthy: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(healthy.path, ["old/__pycache__/x.cpython-39.pyc"])
    monkeypatch.chdir(healthy.path / "pkg")
    told = run("doctor")
    assert f"    pycache-guard clean --orphans -- {healthy.path}\n" in told.out


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
    told = program("doctor", "--python", sys.executable, "--time", "pkg", cwd=healthy.path, env=env)
    assert (told.code, told.err) == (0, "")
    assert "  bytecode is written: no: PYTHONDONTWRITEBYTECODE is set\n" in told.out
    assert "\nIMPORT\n  pkg: " in told.out
    assert not (tmp_path / "prefix").exists()
    assert "pkg/__pycache__/" not in standing(healthy.path)


WRONG = [
    (["--python", "python-that-nobody-has"], "python-that-nobody-has: cannot be run: "),
    (["PATH"], "unrecognized arguments: PATH (see `pycache-guard doctor --help`)"),
]


@pytest.mark.parametrize(("argv", "says"), WRONG)
def test_wrong(healthy: Repo, run: Run, argv: list[str], says: str) -> None:
    told = run("doctor", *argv)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"error: {says}")


def test_a_module_that_cannot_be_imported(healthy: Repo, run: Run) -> None:
    """All else is told."""
    told = run("doctor", "--time", "module_that_nobody_has")
    assert told.code == 2
    assert told.err.startswith("error: module_that_nobody_has: cannot be imported: ")
    assert told.out.endswith("\nPROBLEMS\n  none\n")


@pytest.mark.skipif(sys.platform != "linux", reason="a file system that takes any bytes")
def test_odd_names_are_shown(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", prefix)
    where = {f["name"]: f for f in json.loads(run("doctor", "--format", "json").out)["facts"]}
    assert where["where to"]["data"] == f"{tmp_path}/caf\\xe9"
    assert "caf\\xe9" in run("doctor").out


def test_docker(healthy: Repo, run: Run) -> None:
    assert "  bytecode in a Docker context: nothing is built\n" in run("doctor").out
    healthy.add("Dockerfile", "FROM scratch\nCOPY . /\n")
    told = run("doctor")
    assert told.code == 1
    assert "  bytecode in a Docker context: yes, of 1 build\n" in told.out
    assert "PYC301" in told.out
    healthy.add(".dockerignore", "**/__pycache__\n**/*.py[co]\n")
    told = run("doctor")
    assert told.code == 0
    assert "  bytecode in a Docker context: in none of 1 build\n" in told.out


def test_a_build_that_cannot_be_judged(healthy: Repo, run: Run) -> None:
    """All else is told; the exit code says that something is missing."""
    healthy.add("Dockerfile", "FROM scratch\nCOPY . /\n")
    healthy.add("compose.yaml", "services:\n  a:\n    build: ${WHERE}\n")
    healthy.add(".dockerignore", "a[\n")
    told = run("doctor")
    assert (told.code, told.err) == (
        2,
        (
            "error: compose.yaml:3: `${WHERE}` depends on the environment; name the contexts that are to"
            " be judged\n"
            "error: .dockerignore:1: Docker builds nothing with this line: its `[` is no class of"
            " characters\n"
        ),
    )
    assert "CACHES" in told.out
