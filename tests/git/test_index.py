"""The index is written without any program that the repository names."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from pycache_guard.errors import Failure
from pycache_guard.git.index import Index, without_programs

if TYPE_CHECKING:
    from helpers.repo import Repo

#: Always there: the hook may be in a configuration that is not read here.
ALWAYS = ["-c", "hook.post-index-change.enabled=false"]


def test_options_without_configured_programs_are_the_constant_ones(repo: Repo) -> None:
    assert without_programs() == ALWAYS


def test_options_with_configured_programs_empty_each_of_them_once(repo: Repo) -> None:
    repo.git("config", "filter.a.b.clean", "cat")
    repo.git("config", "filter.a.b.process", "cat")
    repo.git("config", "hook.notify.command", "cat")
    options = without_programs()
    assert options == [
        *ALWAYS,
        *(
            "-c",
            "filter.a.b.clean=",
            "-c",
            "filter.a.b.process=",
            "-c",
            "filter.a.b.required=false",
        ),
        *("-c", "hook.notify.enabled=false"),
    ]
    assert repo.git(*options, "config", "--get", "filter.a.b.clean") == ""
    assert repo.git(*options, "config", "--get", "hook.notify.enabled") == "false"


def test_section_without_a_name_is_passed_over(repo: Repo) -> None:
    """Git takes `[filter] clean` for no filter."""
    repo.git("config", "filter.clean", "cat")
    assert without_programs() == ALWAYS


def test_name_with_an_equals_sign_is_refused(repo: Repo) -> None:
    """`-c NAME=VALUE` ends the name at the first one."""
    repo.git("config", "filter.a=b.clean", "cat")
    expected = "filter.a=b: the name contains `=`, so no option of git can disable it"
    with pytest.raises(Failure, match=f"^{re.escape(expected)}$"):
        without_programs()


def test_untracking_beside_a_racily_clean_file_runs_no_filter(repo: Repo) -> None:
    """Git reads again what is as new as the index, and by itself that through the filter."""
    repo.write(".gitattributes", "*.py filter=noting\n")
    for path in ("a.py", "b.pyc", "c.pyc"):
        repo.add(path, "x = 1\n")
    repo.git("config", "filter.noting.clean", "echo ran >> ../ran; cat")
    note = repo.path.parent / "ran"
    index = repo.path / ".git" / "index"
    os.utime(index, (1, 1))
    Index().untrack(["b.pyc"])
    assert repo.tracked() == ["a.py", "c.pyc"]
    assert not note.exists()
    repo.add("a.py", "x = 1\n")
    note.unlink()
    os.utime(index, (1, 1))
    repo.git("update-index", "--force-remove", "c.pyc")
    assert note.exists()
