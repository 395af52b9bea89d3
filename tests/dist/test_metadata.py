from __future__ import annotations

import compileall
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.metadata import (
    EXCLUDE_SETTINGS,
    backend,
    exclude_hint,
    is_metadata,
    keep_metadata,
)
from pycache_guard.dist.scan import scan_archive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.findings import Finding

LONG = b"# a comment\n" * 500
WHEEL, PROJECT = "d-1.dist-info/WHEEL", "d-1/pyproject.toml"


def project(name: str) -> dict[str, bytes]:
    """Return the metadata of an sdist."""
    return {PROJECT: f"[build-system]\nbuild-backend = '{name}'\n".encode()}


@pytest.mark.parametrize(
    ("metadata", "name", "setting"),
    [
        ({WHEEL: b"Wheel-Version: 1.0\r\nGenerator: setuptools (80.1.0)\r\n"}, "setuptools (80.1.0)", "setuptools"),
        ({WHEEL: b"Generator: bdist_wheel (0.43.0)\n"}, "bdist_wheel (0.43.0)", "setuptools"),
        ({WHEEL: b"generator: hatchling 1.27.0"}, "hatchling 1.27.0", "hatchling"),
        ({WHEEL: b"Generator: flit 3.12.0\n"}, "flit 3.12.0", "flit"),
        ({WHEEL: b"Generator: poetry-core 2.1.3\n"}, "poetry-core 2.1.3", "poetry"),
        ({WHEEL: b"Generator: uv 0.8.0\n"}, "uv 0.8.0", "uv"),
        ({WHEEL: b"Generator: pdm-backend (2.4.5)\n"}, "pdm-backend (2.4.5)", "pdm"),
        ({WHEEL: b"Generator: maturin (1.9.0)\n"}, "maturin (1.9.0)", "maturin"),
        ({WHEEL: b"Generator: skbuild 1\n"}, "skbuild 1", ""),
        ({WHEEL: b"Wheel-Version: 1.0\n"}, "", ""),
        ({**project("setuptools.build_meta"), WHEEL: b"Generator: uv 1\n"}, "uv 1", "uv"),
        (project("setuptools.build_meta:__legacy__"), "setuptools.build_meta:__legacy__", "setuptools"),
        (project("hatchling.build"), "hatchling.build", "hatchling"),
        (project("flit_core.buildapi"), "flit_core.buildapi", "flit"),
        (project("poetry.core.masonry.api"), "poetry.core.masonry.api", "poetry"),
        (project("uv_build"), "uv_build", "uv"),
        (project("maturin"), "maturin", "maturin"),
        ({PROJECT: b"[project]\n"}, "setuptools", "setuptools"),
        ({PROJECT: b"[build-system]\nbuild-backend = 1\n"}, "setuptools", "setuptools"),
        ({PROJECT: b"not toml"}, "", ""),
        ({PROJECT: LONG + b'[build-system]\nbuild-backend = "uv_build"\n[tool.x]\n'}, "uv_build", "uv"),
        ({PROJECT: b'[build-system]\nbuild-backend = "uv_build"\n[tool.x]\n' + LONG}, "uv_build", "uv"),
        ({PROJECT: LONG}, "setuptools", "setuptools"),
        ({PROJECT: b"build-system.requires = []\n" + LONG}, "", ""),
        ({PROJECT: b"[build-system]\n" + LONG}, "", ""),
        ({"d-1/setup.py": b""}, "setuptools", "setuptools"),
        ({"d-1/setup.py": b"", **project("hatchling.build")}, "hatchling.build", "hatchling"),
        ({**project("hatchling.build"), "d-1/setup.py": b""}, "hatchling.build", "hatchling"),
        ({"EGG-INFO/PKG-INFO": b""}, "setuptools", "setuptools"),
        ({}, "", ""),
    ],
)  # fmt: skip
def test_backend_is_named_with_its_setting(
    metadata: dict[str, bytes], name: str, setting: str
) -> None:
    assert all(map(is_metadata, metadata))
    assert backend(metadata) == name
    assert exclude_hint(metadata) == EXCLUDE_SETTINGS.get(
        setting, "run `pycache-guard clean` before you build the archive"
    )


def test_metadata_keeps_the_first_file_of_each_kind() -> None:
    metadata: dict[str, bytes] = {}
    for name, data in ((PROJECT, b"a"), ("e-1/pyproject.toml", b"b"), ("d-1/setup.py", b"c")):
        keep_metadata(metadata, name, data)
    assert metadata == {PROJECT: b"a", "d-1/setup.py": b""}


@pytest.mark.parametrize("name", ["WHEEL", "a/b/pyproject.toml", "a/b.dist-info/WHEEL", "setup.py"])
def test_other_file_is_not_metadata(name: str) -> None:
    assert not is_metadata(name)


BACKENDS = {
    "setuptools": "setuptools.build_meta",
    "hatchling": "hatchling.build",
    "flit": "flit_core.buildapi",
    "poetry": "poetry.core.masonry.api",
    "uv": "uv_build",
}
PROJECT_FILE = """\
[build-system]
requires = []
build-backend = "{backend}"
[project]
name = "demo"
version = "1.0"
description = "d"
"""
GRAFT = "graft src\n"
DATA = '[tool.setuptools.package-data]\n"*" = ["*", "__pycache__/*"]\n'
NO_DATA = '[tool.setuptools.exclude-package-data]\n"*" = ["*.py[co]", "__pycache__/*"]\n'
MANIFEST = "global-exclude *.py[co] *.pyc.*\nglobal-exclude __pycache__/*\n"
FORCED = '[tool.hatch.build]\nartifacts = ["*.pyc"]\n'
TAKEN = '[tool.poetry]\ninclude = [{path = "src/**/*", format = ["sdist", "wheel"]}]\n'
SDIST = '[tool.flit.sdist]\ninclude = ["src/**/*.pyc"]\n'
NOT_DEFAULT = "[tool.uv.build-backend]\ndefault-excludes = false\n"
EXCLUDED = '{0}-exclude = ["__pycache__", "*.pyc", "*.pyo"]\n'

#: Backend, what is added to its pyproject.toml and MANIFEST.in, and what ships bytecode then.
#: docs/dist.md has the same table.
MEASURED: list[tuple[str, str, str, set[str]]] = [
    *((name, "", "", set[str]()) for name in BACKENDS),
    ("setuptools", "", GRAFT, {"wheel", "sdist"}),
    ("setuptools", "", GRAFT + MANIFEST, set()),
    ("setuptools", DATA, "", {"wheel", "sdist"}),
    ("setuptools", DATA + NO_DATA, "", set()),
    ("hatchling", FORCED, "", {"wheel", "sdist"}),
    ("hatchling", FORCED + 'exclude = ["*.py[co]"]\n', "", {"wheel", "sdist"}),
    ("flit", SDIST, "", {"sdist"}),
    ("flit", SDIST + 'exclude = ["**/*.py[co]", "**/__pycache__"]\n', "", set()),
    ("poetry", TAKEN, "", {"wheel", "sdist"}),
    ("poetry", TAKEN + 'exclude = ["**/*.py[co]"]\n', "", {"wheel", "sdist"}),
    ("uv", NOT_DEFAULT, "", {"wheel", "sdist"}),
    (
        "uv",
        NOT_DEFAULT + EXCLUDED.format("source") + EXCLUDED.format("wheel"),
        "",
        set(),
    ),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with caches, a legacy file and a leftover in it."""
    top = tmp_path_factory.mktemp("tree")
    package = top / "src" / "demo"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Demo."""\n__version__ = "1.0"\n')
    assert compileall.compile_dir(top, quiet=2)
    (cache,) = (package / "__pycache__").iterdir()
    shutil.copy(cache, package / "legacy.pyc")
    shutil.copy(cache, cache.with_name(f"{cache.name}.140162621172480"))
    return top


def built(top: Path, backend: str, kind: str, env: Mapping[str, str]) -> Path:
    """Build with the backend's own hook (PEP 517), without a frontend."""
    (top / "dist").mkdir(exist_ok=True)
    program = f"import {backend} as backend; print(backend.build_{kind}('dist'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=top,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return top / "dist" / done.stdout.splitlines()[-1]


@pytest.mark.parametrize(("name", "settings", "manifest", "ships"), MEASURED)
def test_real_backend_with_its_setting_ships_no_bytecode(
    tree: Path, tmp_path: Path, name: str, settings: str, manifest: str, ships: set[str]
) -> None:
    if importlib.util.find_spec(BACKENDS[name].partition(".")[0]) is None:
        pytest.skip("this backend is not installed")
    top = tmp_path / "demo"
    shutil.copytree(tree, top)
    (top / "pyproject.toml").write_text(PROJECT_FILE.format(backend=BACKENDS[name]) + settings)
    if manifest:
        (top / "MANIFEST.in").write_text(manifest)
    # uv_build runs a program of its own, which pip has put beside this Python.
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    found: dict[str, list[Finding]] = {}
    comparison = ArchiveComparer()
    for kind in ("wheel", "sdist"):
        findings, failures = scan_archive(
            str(built(top, BACKENDS[name], kind, {**os.environ, "PATH": path})), comparison
        )
        assert failures == []
        found[kind] = findings
    comparison.close()
    assert {kind for kind, findings in found.items() if findings} == ships
    assert {finding.hint for kind in found.values() for finding in kind} <= {EXCLUDE_SETTINGS[name]}
