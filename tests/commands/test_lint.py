from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Program
    from conftest import Run
    from repo import Repo

SOURCE = "import os\nos.system('python a.pyc')\n"
TOLD = (
    "a.py:2:1: PYC405 a Python runs bytecode as its script:"
    " no source is looked at, and only one version can\n"
    "\nTo mend:\n    run the source, `python x.py`, or the module, `python -m x`\n"
)


def test_nothing_to_say(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py", "x = 1\n")
    assert run("lint") == (0, "", "")
    assert program("lint") == (0, "", "")


def test_tracked_files(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py", SOURCE)
    repo.write("untracked.py", SOURCE)
    assert run("lint") == (1, TOLD, "")
    assert program("lint") == (1, TOLD, "")


def test_named_paths_need_no_repository(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "b.py").write_text("x = 1\n", encoding="utf-8")
    assert run("lint", "a.py", "b.py") == (1, TOLD, "")
    assert run("lint", ".") == (1, TOLD, "")
    assert run("lint", "b.py") == (0, "", "")
    code, out, err = run("lint")
    assert (code, out) == (2, "")
    assert err.startswith("error: git ")


def test_what_cannot_be_judged_is_told_and_the_rest_is_reported(repo: Repo, run: Run) -> None:
    repo.add("a.py", SOURCE)
    repo.add("b.py", "def f(:\n")
    repo.add("c.py", "x = '\xff'".encode("latin-1"))
    code, out, err = run("lint")
    assert (code, out) == (2, TOLD)
    assert err.splitlines() == [
        "error: b.py:1: cannot be parsed: invalid syntax",
        "error: c.py: cannot be decoded: invalid or missing encoding declaration",
    ]
    assert run("lint", "b.py").code == 2
    assert run("lint", "no.py", "a.py") == (2, TOLD, "error: no.py: No such file or directory\n")


def test_formats(repo: Repo, run: Run, tmp_path: Path) -> None:
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


def test_a_path_that_is_not_text(repo: Repo, run: Run) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    repo.stage(name, SOURCE)
    assert run("lint").out.startswith("caf\\xe9.py:2:1: PYC405 ")


def test_wrong_usage(repo: Repo, run: Run) -> None:
    code, out, err = run("lint", "--nonesuch")
    assert (code, out) == (2, "")
    assert "--nonesuch" in err
    code, out, err = run("lint", "--help")
    assert (code, err) == (0, "")
    assert "PATH" in out
