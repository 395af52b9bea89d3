"""The plugin, by itself and through a real flake8."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lint.tables import TABLES, of
from pycache_guard import __version__
from pycache_guard.flake8_plugin import Plugin
from pycache_guard.lint import lint_source

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "import marshal\ns = 'größe'; marshal.loads(d[16:])\n"


def flake8(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flake8", "--isolated", "--select", "PYC,E9", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False, encoding="utf-8")


def test_plugin_yields_place_text_and_type() -> None:
    lines = SOURCE.splitlines(keepends=True)
    ((line, column, text, kind),) = Plugin(ast.parse(SOURCE), "a.py", lines).run()
    assert (line, column, kind) == (2, 13, Plugin)
    assert text.startswith("PYC401 16 bytes are skipped as a header")
    assert text.endswith(
        "; compare the first 4 bytes with importlib.util.MAGIC_NUMBER before the rest is read"
    )
    assert (Plugin.name, Plugin.version) == ("pycache-guard", __version__)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, int, int, str]]:
    """Run flake8 once, over every source of the tables."""
    directory = tmp_path_factory.mktemp("flake8")
    for name, source in sources().items():
        (directory / name).write_bytes(source)
    done = flake8("--format", "%(path)s\t%(row)d\t%(col)d\t%(code)s", "-j1", ".", cwd=directory)
    assert done.stderr == ""
    rows = (line.removeprefix(f".{os.sep}").split("\t") for line in done.stdout.splitlines())
    return {(path, int(row), int(column), code) for path, row, column, code in rows}


def sources() -> dict[str, bytes]:
    """Return the sources of the tables whose path does not matter, and some odd ones."""
    plain = [of(source) for table in TABLES.values() for source, _ in table]
    named = {f"m{n}.py": text for n, (text, path) in enumerate(plain) if path == "pkg/mod.py"}
    odd = {
        "bom.py": "\ufeff" + SOURCE,
        "noqa.py": SOURCE.rstrip() + "  # noqa: PYC401\n",
        "noqa_all.py": SOURCE.rstrip() + "  # noqa\n",
        "noqa_other.py": SOURCE.rstrip() + "  # noqa: PYC402\n",
        "noqa_file.py": "# flake8: noqa\n" + SOURCE,
        "empty.py": "",
    }
    found = {name: text.encode() for name, text in {**named, **odd}.items()}
    return {**found, "latin.py": b"# coding: latin-1\n" + SOURCE.encode("latin-1")}


def test_flake8_reports_the_findings_of_lint(reported: set[tuple[str, int, int, str]]) -> None:
    """The same codes at the same places, noqa, encodings and all."""
    ours = {
        (name, found.line, found.column, found.rule.name)
        for name, source in sources().items()
        for found in lint_source(source, name)
    }
    assert reported == ours
    assert ("latin.py", 3, 14, "PYC401") in reported
    assert {path for path, *_ in reported if path.startswith("noqa")} == {"noqa_other.py"}


def test_syntax_error_is_reported_by_flake8_itself(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import marshal\ndef f(:\n", encoding="utf-8")
    done = flake8(".", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "E999" in done.stdout
    assert "PYC" not in done.stdout


def test_plugin_is_enabled_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    command = [sys.executable, "-m", "flake8", "--isolated", "a.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert "a.py:2:14: PYC401 " in done.stdout
