from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pycache_guard.doctor import guards
from pycache_guard.git import hooks
from pycache_guard.git.hooks import installed

if TYPE_CHECKING:
    from pathlib import Path

    from repo import Repo

CONFIG = "repos:\n- repo: x\n  rev: y\n  hooks:\n  - id: forbid-bytecode\n"
OTHER = "repos:\n- repo: x\n  hooks:\n  - id: flake8  # id: forbid-bytecode\n"
RUNNER = b"#!/bin/sh\nexec pre-commit hook-impl\n"

INSTALL = "pre-commit install -t pre-commit"
CASES = [
    ({}, {}, "no", guards.NATIVE),
    ({}, {"pre-commit": b"#!/bin/sh\nexec pycache-guard forbid-bytecode\n"}, "yes", None),
    ({}, {"pre-commit": b"#!/bin/sh\npython -m pycache_guard forbid-bytecode\n"}, "yes", None),
    (
        {},
        {"pre-commit": b"#!/bin/sh\nmake lint\n"},
        "no",
        "add to the hook pre-commit that is there: pycache-guard forbid-bytecode || exit 1",
    ),
    ({".pre-commit-config.yaml": CONFIG}, {}, "no", INSTALL),
    ({".pre-commit-config.yaml": CONFIG}, {"pre-push": RUNNER}, "no", INSTALL),
    ({".pre-commit-config.yaml": CONFIG}, {"pre-commit": RUNNER}, "yes", None),
    ({".pre-commit-config.yaml": CONFIG}, {"pre-commit": b"make"}, "no", INSTALL),
    (
        {".pre-commit-config.yaml": OTHER},
        {"pre-commit": RUNNER},
        "no",
        f"add the hook forbid-bytecode to .pre-commit-config.yaml; then: {INSTALL}",
    ),
    ({".pre-commit-config.yaml": "- {id: 'forbid-bytecode'}"}, {"pre-commit": RUNNER}, "yes", None),
    ({"prek.toml": 'hooks = [{ id = "check-history" }]'}, {"pre-commit": b"prek"}, "yes", None),
]


@pytest.mark.parametrize(("files", "scripts", "guarded", "remedy"), CASES)
def test_guarded(
    files: dict[str, str],
    scripts: dict[str, bytes],
    guarded: str,
    remedy: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name)
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    told = guards.guards(scripts, str(tmp_path))
    assert (guarded == "yes") is ("pre-commit" in told.facts[1].value)
    assert [finding.remedy for finding in told.findings] == ([] if remedy is None else [remedy])
    assert all(f.rule.name == "PYC604" and f.path in (None, *files) for f in told.findings)


def test_the_runner_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name == "prek" or None)
    assert guards.install(("a", "b")) == "prek install -t a -t b"
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert guards.install(("a",)) == "pre-commit install -t a"


STAGES = ("pre-commit", "pre-push")


def script(path: Path, content: str = "#!/bin/sh\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)


def test_installed(repo: Repo) -> None:
    assert installed(STAGES) == {}
    script(repo.path / ".git" / "hooks" / "pre-commit")
    script(repo.path / ".git" / "hooks" / "commit-msg")
    script(repo.path / ".git" / "hooks" / "pre-push")
    assert installed(STAGES) == {"pre-commit": b"#!/bin/sh\n", "pre-push": b"#!/bin/sh\n"}


@pytest.mark.skipif(sys.platform == "win32", reason="every file is executable")
def test_one_that_git_does_not_run(repo: Repo) -> None:
    script(repo.path / ".git" / "hooks" / "pre-commit")
    (repo.path / ".git" / "hooks" / "pre-commit").chmod(0o644)
    assert installed(STAGES) == {}


def test_another_directory(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    script(repo.path / ".git" / "hooks" / "pre-commit")
    script(repo.path / ".githooks" / "pre-push")
    (repo.path / "sub").mkdir()
    repo.git("config", "core.hooksPath", ".githooks")
    for place in (repo.path, repo.path / "sub"):
        monkeypatch.chdir(place)
        assert [*installed(STAGES)] == ["pre-push"]
    repo.git("config", "--add", "core.hooksPath", "~/hooks")  # of several the last one counts
    assert hooks.directory() == os.path.join(str(home), "hooks")


def test_a_linked_work_tree(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hooks are those of the repository."""
    repo.commit()
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    script(repo.path / ".git" / "hooks" / "pre-commit")
    monkeypatch.chdir(tmp_path / "linked")
    assert [*installed(STAGES)] == ["pre-commit"]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell runs the command")
def test_the_native_remedy_mends(repo: Repo) -> None:
    (finding,) = guards.guards(installed(STAGES), ".").findings
    assert finding.remedy is not None
    (repo.path / ".git" / "hooks").mkdir(exist_ok=True)
    subprocess.run(["sh", "-c", finding.remedy], check=True)
    assert guards.guards(installed(STAGES), ".").findings == []
