"""A reader's machine: the address of the documentation leads to this very checkout."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import IDENTITY
from documentation.sandbox import Sandbox
from helpers.git_version import needs_git
from helpers.runners import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import BuildOnce
    from helpers.runners import Checkout

ADDRESS = "https://github.com/pycache-guard/pycache-guard"

#: The one seam: what is printed as the address of the project is a clone of this checkout.
CONFIGURATION = """\
[url "{clone}"]
    insteadOf = {address}
[user]
    name = A. Reader
    email = reader@example.com
[init]
    defaultBranch = main
[advice]
    detachedHead = false
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Commands are for a POSIX shell, and many for the runners of hooks."""
    here = Path(__file__).parent
    needs = (
        pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell"),
        needs_git(31, "the runners of hooks"),
    )
    for item in items:
        if item.path.parent == here:
            for mark in needs:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def reader(
    tmp_path_factory: pytest.TempPathFactory,
    build_once: BuildOnce,
    inherited: dict[str, str],
    checkout: Checkout,
) -> Mapping[str, str]:
    """Return the environment of somebody who has Python, git and the runners, and a home."""
    home = tmp_path_factory.mktemp("reader")
    caches = build_once("caches", lambda _: None)
    text = CONFIGURATION.format(clone=checkout.path.as_uri(), address=ADDRESS)
    (home / ".gitconfig").write_text(text, "utf-8")
    git = Path(shutil.which("git") or "git").parent
    kept = {name: value for name, value in inherited.items() if name not in IDENTITY}
    own = Path(inherited.get("HOME", home), ".config", "pip", "pip.conf")
    pip = {"PIP_CONFIG_FILE": os.fspath(own)} if own.exists() else {}
    return {
        **kept,
        **pip,
        "HOME": os.fspath(home),
        "USERPROFILE": os.fspath(home),
        "PATH": os.pathsep.join([os.fspath(SCRIPTS), os.fspath(git), "/usr/bin", "/bin"]),
        "LC_ALL": "C.UTF-8",
        "PRE_COMMIT_COLOR": "never",
        "PREK_COLOR": "never",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PIP_CACHE_DIR": os.fspath(caches / "pip"),
        "PRE_COMMIT_HOME": os.fspath(caches / "pre-commit"),
        "PREK_HOME": os.fspath(caches / "prek"),
    }


@pytest.fixture
def stage(tmp_path: Path, reader: Mapping[str, str]) -> Sandbox:
    """Return the machine, in an empty directory."""
    place = tmp_path / "stage"
    place.mkdir()
    return Sandbox(place, {**reader, "GIT_CEILING_DIRECTORIES": os.fspath(tmp_path)})
