"""The hook `clean-orphans` after a branch switch, a merge and an amended commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from clean.trees import make_tree
from helpers.runners import SCRIPTS

if TYPE_CHECKING:
    from helpers.repo import Repo
    from helpers.runners import Runner

STAGES = ["post-checkout", "post-merge", "post-rewrite"]
CONFIG = """
repos:
- repo: local
  hooks:
  - id: clean-orphans
    name: remove orphaned Python caches
    entry: {program} clean --orphans
    language: system
    always_run: true
    pass_filenames: false
    require_serial: true
    stages: [{stages}]
"""


@pytest.fixture
def switched(runner: Runner, project: Repo) -> Repo:
    """Make a project whose branch `feature` has one more package, and install the hook."""
    program = SCRIPTS / "pycache-guard"
    project.add(".pre-commit-config.yaml", CONFIG.format(program=program, stages=", ".join(STAGES)))
    project.commit()
    project.git("checkout", "-q", "-b", "feature")
    project.add("more/__init__.py")
    project.commit()
    done = runner(project, "install", *[word for stage in STAGES for word in ("-t", stage)])
    assert done.code == 0, done
    return project


def write_caches(repo: Repo) -> None:
    """Create the caches that imports create."""
    make_tree(repo.path, ["more/__pycache__/__init__.cpython-313.pyc", "more/__init__.pyc"])
    make_tree(repo.path, ["pkg/__pycache__/m.cpython-313.pyc"])


def is_clean(repo: Repo) -> bool:
    """Return whether the orphans are removed, and nothing else."""
    kept = os.path.exists(repo.path / "pkg" / "__pycache__" / "m.cpython-313.pyc")
    return kept and not os.path.exists(repo.path / "more")


def test_checkout_removes_orphans(runner: Runner, switched: Repo) -> None:
    write_caches(switched)
    done = runner.git(switched, "checkout", "-q", "main")
    assert done.code == 0, done
    assert is_clean(switched)
    done = runner.git(switched, "checkout", "-q", "feature")
    assert done.code == 0, done


def test_merge_removes_orphans(runner: Runner, switched: Repo) -> None:
    switched.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "-B", "removal")
    switched.git("rm", "-q", "-r", "more")
    switched.commit()
    switched.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "feature")
    write_caches(switched)
    done = runner.git(switched, "merge", "-q", "removal")
    assert done.code == 0, done
    assert is_clean(switched)


def test_amend_removes_orphans(runner: Runner, switched: Repo) -> None:
    write_caches(switched)
    switched.git("rm", "-q", "-r", "more")
    done = runner.git(switched, "commit", "-q", "--amend", "--allow-empty", "-m", "c")
    assert done.code == 0, done
    assert is_clean(switched)
