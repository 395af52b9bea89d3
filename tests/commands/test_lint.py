from __future__ import annotations

import gc
import json
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.posix_names import decode_posix_name
from helpers.report_parser import CLEAN
from helpers.windows import words_of_missing_file
from pycache_guard import compat
from pycache_guard.commands import lint
from pycache_guard.python_files import SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

SOURCE = "import os\nos.system('python a.pyc')\n"
TOLD = (
    "a.py:2:1: PYC405 bytecode is run as a script: the source is not checked,"
    " and only one Python version can run it;"
    " run the source, `python x.py`, or the module, `python -m x`\n"
)


def test_clean_sources_have_no_findings(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py", "x = 1\n")
    assert run("lint") == CLEAN
    assert program("lint") == CLEAN


def test_tracked_files_are_linted_by_default(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py", SOURCE)
    repo.write("untracked.py", SOURCE)
    assert run("lint", "--quiet") == (1, TOLD, "")
    assert program("lint", "--quiet") == (1, TOLD, "")


def test_named_paths_need_no_repository(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "b.py").write_text("x = 1\n", encoding="utf-8")
    assert run("lint", "--quiet", "a.py", "b.py") == (1, TOLD, "")
    assert run("lint", "--quiet", ".") == (1, TOLD, "")
    assert run("lint", "b.py") == CLEAN
    code, out, err = run("lint", "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("error: git ")


PYTHON = "Python {}.{}".format(*sys.version_info)
NEWER = "newer code needs a newer Python (pre-commit: `language_version`)"
#: PyPy sees it before CPython does.
SYNTAX = "'(' was never closed" if sys.implementation.name == "pypy" else "invalid syntax"
BROKEN = f"b.py:1: cannot be parsed by {PYTHON}: {SYNTAX}; {NEWER}"
ENCODED = "c.py: cannot be decoded: invalid or missing encoding declaration"


def test_unparsable_file_is_a_warning_and_the_rest_is_reported(repo: Repo, run: Run) -> None:
    repo.add("a.py", SOURCE)
    repo.add("b.py", "def f(:\n")
    repo.add("c.py", "x = '\xff'".encode("latin-1"))
    code, out, err = run("lint", "--quiet")
    assert (code, out) == (1, TOLD)
    assert err.splitlines() == [f"warning: {BROKEN}", f"warning: {ENCODED}"]
    repo.add("a.py", "x = 1\n")
    code, out, err = run("lint", "--quiet")
    assert (code, out) == (0, "")
    assert err.splitlines() == [f"warning: {BROKEN}", f"warning: {ENCODED}"]


def test_unparsable_file_with_trigger_words_is_a_warning_too(repo: Repo, run: Run) -> None:
    repo.add("a.py", SOURCE)
    repo.add("b.py", "def f(:  # marshal\n")
    assert run("lint", "--quiet") == (1, TOLD, f"warning: {BROKEN}\n")


def test_only_unparsable_files_are_an_error(repo: Repo, run: Run) -> None:
    repo.add("b.py", "def f(:\n")
    repo.add("c.py", "x = '\xff'".encode("latin-1"))
    assert run("lint", "b.py") == (2, "", f"error: {BROKEN}\n")
    assert run("lint") == (2, "", f"error: {BROKEN}\nerror: {ENCODED}\n")


def test_unreadable_file_is_an_error_and_the_rest_is_reported(repo: Repo, run: Run) -> None:
    repo.add("a.py", SOURCE)
    repo.add("b.py", "def f(:\n")
    gone = f"error: no.py: {words_of_missing_file()}\n"
    assert run("lint", "--quiet", "no.py", "a.py") == (2, TOLD, gone)
    assert run("lint", "--quiet", "no.py", "b.py", "a.py") == (2, TOLD, f"error: {BROKEN}\n{gone}")


def test_templates_of_sources_need_not_parse(repo: Repo, run: Run) -> None:
    """One that parses is checked, as other sources are."""
    repo.add("{{cookiecutter.name}}/a.py", "from {{ cookiecutter.name }} import x\n")
    assert run("lint") == CLEAN
    repo.add("{{cookiecutter.name}}/b.py", SOURCE)
    assert run("lint").code == 1


@pytest.mark.parametrize("source", ["nonlocal x\n", "def f(x):\n    global x\n"])
def test_source_that_only_the_compiler_refuses_is_linted(repo: Repo, run: Run, source: str) -> None:
    repo.add("a.py", source)
    assert run("lint") == CLEAN


def test_rules_are_ignored_by_option_and_configuration(repo: Repo, run: Run) -> None:
    repo.add("a.py", SOURCE)
    repo.add("b.py", "import shutil\nshutil.rmtree('__pycache__')\n")
    assert run("lint", "--ignore", "PYC405", "--ignore", "PYC432") == CLEAN
    code, out, _ = run("lint", "--quiet", "--ignore", "PYC405")
    assert (code, out.count("PYC405"), out.count("PYC432")) == (1, 0, 1)
    repo.write("pyproject.toml", '[tool.pycache-guard]\nignore = ["PYC432"]\n')
    assert run("lint", "--quiet") == (1, TOLD, "")
    assert run("lint", "a.py", "b.py", "--ignore=PYC405") == CLEAN


@pytest.mark.parametrize(
    ("code", "words"), [("PYC001", "cannot be ignored"), ("PYC4", "is not a rule"), ("", "empty")]
)
def test_code_that_cannot_be_ignored_is_an_error(
    repo: Repo, run: Run, code: str, words: str
) -> None:
    exit_code, out, err = run("lint", "--ignore", code)
    assert (exit_code, out) == (2, "")
    assert "--ignore" in err
    assert words in err


def test_wrong_configuration_is_an_error(repo: Repo, run: Run) -> None:
    repo.add("a.py", SOURCE)
    repo.write("pyproject.toml", "[tool.pycache-guard]\nnonesuch = 1\n")
    assert run("lint").code == 2


def test_json_report_has_line_and_columns(repo: Repo, run: Run, tmp_path: Path) -> None:
    repo.add("a.py", SOURCE)
    (found,) = json.loads(run("lint", "--format", "json").out)["findings"]
    assert (found["code"], found["rule"], found["path"]) == ("PYC405", "bytecode-process", "a.py")
    assert (found["line"], found["column"], found["end_column"]) == (2, 1, 26)
    report = tmp_path / "report"
    assert run("lint", "--format", "sarif", "--output", str(report)) == (1, "", "")
    (result,) = json.loads(report.read_bytes())["runs"][0]["results"]
    assert result["ruleId"] == "PYC405"
    assert "col=1,endLine=2,endColumn=26" in run("lint", "--format", "github").out
    assert json.loads(run("lint", "--format", "gitlab").out)[0]["check_name"] == "PYC405"


def test_path_that_is_not_utf8_is_escaped(repo: Repo, run: Run) -> None:
    name = decode_posix_name(b"caf\xe9.py")
    repo.stage(name, SOURCE)
    assert run("lint").out.startswith("caf\\xe9.py:2:1: PYC405 ")


def test_wrong_usage_is_an_error(repo: Repo, run: Run) -> None:
    code, out, err = run("lint", "--nonesuch")
    assert (code, out) == (2, "")
    assert "--nonesuch" in err
    code, out, err = run("lint", "--help")
    assert (code, err) == (0, "")
    assert "PATH" in out


#: In three of 12 files each: a finding, one that does not parse, one that cannot be read, a template.
MANY = [
    ("clean.py", "x = 1\n"),
    ("found.py", SOURCE),
    ("broken.py", "def f(:\n"),
    ("{{x}}.py", "def f(:\n"),
]


@pytest.mark.parametrize("batch", [4096, 5])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_many_files_have_the_same_report_from_several_processes(
    batch: int, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for n in range(3):
        (tmp_path / f"d{n}").mkdir()
        for name, source in MANY:
            (tmp_path / f"d{n}" / name).write_text(source, encoding="utf-8")
    monkeypatch.setattr(lint, "BATCH_FILES", batch)
    usual = run("lint", ".", "missing.py")
    assert usual.code == 2
    assert (usual.out.count("PYC405"), usual.err.count("broken.py")) == (3, 3)
    monkeypatch.setattr(lint, "MIN_FILES_PER_PROCESS", 2)
    monkeypatch.setattr(compat, "count_processors", lambda: 3)
    assert run("lint", ".", "missing.py") == usual
    monkeypatch.setattr(compat, "HAS_FORK", False)
    assert run("lint", ".", "missing.py") == usual


@pytest.mark.parametrize("is_enabled", [True, False])
def test_garbage_collection_stays_as_it_was(is_enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        assert lint.check_files([SourceFile("a.py", __file__)]).parsed == 1
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if before else gc.disable)()
