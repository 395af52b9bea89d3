"""The oldest supported versions are the same wherever they are written."""

from __future__ import annotations

import ast
import re

import pytest
from scripts import docs, release

from helpers.runners import ROOT
from pycache_guard.git.process import OLDEST_GIT

OLDEST = docs.read_oldest_versions()
#: The programs that a text can name with a version, and the versions that it can name.
STATEMENTS = [
    (r"Python (\d+\.\d+) or later", {OLDEST["Python"]}),
    (r"PyPy (\d+\.\d+)\b(?!\.)", {OLDEST["PyPy"]}),
    (r"[Gg]it (\d+\.\d+) or later", {OLDEST["git"], OLDEST["git of the hooks"]}),
    (r"pre-commit (?:must be )?(\d+(?:\.\d+)+) or later", {OLDEST["pre-commit"]}),
    (r"prek (\d+(?:\.\d+)+) or later", {OLDEST["prek"]}),
]
#: Pages that say what is needed to run the program.
PAGES = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/README.md", "docs/hooks.md"),
    *("docs/ci.md", "docs/server.md", "docs/migrating.md", "docs/troubleshooting.md"),
    *("docs/commands.md", "docs/internals/systems.md"),
]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}


@pytest.mark.parametrize(("pattern", "allowed"), STATEMENTS)
def test_pages_state_the_oldest_versions(pattern: str, allowed: set[str]) -> None:
    stated = {
        (page, version) for page, text in TEXTS.items() for version in re.findall(pattern, text)
    }
    assert {(page, version) for page, version in stated if version not in allowed} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_python_and_git(page: str) -> None:
    assert f"Python {OLDEST['Python']} or later" in TEXTS[page]
    assert re.search(rf"[Gg]it {re.escape(OLDEST_GIT)} or later", TEXTS[page])


def test_table_of_versions_has_each_program() -> None:
    table = docs.format_requirements()
    assert all(version in table for version in OLDEST.values())


def test_workflows_test_the_oldest_versions() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    tested = set(re.findall(r"\bname: git (\d+\.\d+)", text))
    assert OLDEST_GIT in tested
    assert tested <= {OLDEST_GIT, OLDEST["git of the hooks"]}
    assert release.pythons()[0] == OLDEST["Python"]


def test_classifiers_name_pypy() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "Implementation :: PyPy" in project
    assert f"Python :: {OLDEST['PyPy']}" in project


def test_no_named_tuple_has_another_base() -> None:
    """A generic one cannot be made in Python 3.10, and no type checker says so."""
    for path in sorted((ROOT / "hooks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef) and len(node.bases) > 1:
                bases = {ast.unparse(base) for base in node.bases}
                assert "NamedTuple" not in bases, (path, node.name)
