"""The repository that faults are tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.fault_env import Sandbox, build, copied

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the repository once per process."""
    path = tmp_path_factory.getbasetemp() / "faults-template"
    if not path.exists():
        build(path)
    return path


@pytest.fixture
def scene(template: Path, tmp_path: Path) -> Sandbox:
    """Return a copy of the repository that a test may change."""
    return copied(template, tmp_path / "scene")
