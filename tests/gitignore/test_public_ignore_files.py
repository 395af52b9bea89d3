"""`check-gitignore` has no false alarm in public repositories and with public templates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gitignore.public_ignore_files import REPOSITORIES, TEMPLATES, PublicFile
from helpers.report_parser import CLEAN, fix_commands, parse_report, run_shell

if TYPE_CHECKING:
    from conftest import Run
    from helpers.repo import Repo

FILES = [*REPOSITORIES, *TEMPLATES]
COMMAND = "check-gitignore"


def test_table_has_forty_repositories_and_all_templates() -> None:
    assert len({file.name for file in REPOSITORIES}) >= 40
    assert len(TEMPLATES) == 13


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.name}@{file.commit}")
def test_public_ignore_file_has_its_verdict(repo: Repo, run: Run, file: PublicFile) -> None:
    modules = ("m.py", "pkg/m.py", "tests/data/pkg/test_m.py", "setup.py")
    rules = "".join(f"{line}\n" for line in file.lines)
    repo.add_files({".gitignore": rules, **dict.fromkeys(modules, "")})
    result = run(COMMAND)
    if file.passes:
        assert result == CLEAN
        assert run(COMMAND, "--fix") == CLEAN
        assert repo.git("status", "--porcelain", "--", ".gitignore") == "A  .gitignore"
    else:
        assert [(f.place, f.code) for f in parse_report(result.out)] == [(".gitignore", "PYC101")]
        run_shell(*fix_commands(result.out), cwd=repo.path)
        assert run(COMMAND) == CLEAN


ADVICE = [
    ("__pycache__/\n*.py[co]\n", ""),
    ("__pycache__/\n*.pyc\n", ""),
    (
        "__pycache__/\n",
        (
            "Advice: .gitignore could also have `*.py[co]` (`compileall -b` and Python 2 write"
            " NAME.pyc); `--strict` requires it.\n"
        ),
    ),
    (
        "*.pyc\n",
        (
            "Advice: .gitignore could also have `__pycache__/` (an interrupted write leaves"
            " NAME.pyc.NUMBER there, numba writes .nbi and .nbc); `--strict` requires it.\n"
        ),
    ),
]


@pytest.mark.parametrize(("content", "advice"), ADVICE)
def test_advice_is_one_line_and_changes_neither_exit_code_nor_file(
    repo: Repo, run: Run, content: str, advice: str
) -> None:
    repo.add(".gitignore", content)
    repo.add("pkg/m.py")
    result = run(COMMAND)
    first = "OK: 3 directories checked, bytecode is ignored in each.\n"
    assert (result.code, result.out) == (0, first + advice)
    assert run(COMMAND, "--quiet") == (0, "", "")
    assert run(COMMAND, "--fix").code == 0
    assert (repo.path / ".gitignore").read_text() == content


@pytest.mark.parametrize(("content", "advice"), ADVICE)
def test_strict_requires_what_is_advice_and_completes_it(
    repo: Repo, run: Run, content: str, advice: str
) -> None:
    repo.add(".gitignore", content)
    repo.add("pkg/m.py")
    result = run(COMMAND, "--strict")
    assert result.code == (1 if advice else 0)
    assert "module_that_nobody_has" not in result.out
    assert "directory_that_nobody_has" not in result.out
    if advice:
        assert "1 line is missing: " in result.out
        fixed = run(COMMAND, "--strict", "--fix")
        assert fixed.code == 1
        run_shell(*fix_commands(fixed.out), cwd=repo.path)
    assert run(COMMAND, "--strict") == CLEAN


MISSING = [
    ([], "1 line is missing: `__pycache__/` (Python 3 writes its caches there)"),
    (["--strict"], "2 lines are missing: `__pycache__/` (Python 3 writes its caches there), `*.py"),
    (["--probe", "python2"], "1 line is missing: `*.py[co]` (Python 2 writes NAME.pyo with -O)"),
]


@pytest.mark.parametrize(("options", "words"), MISSING)
@pytest.mark.parametrize("modules", [0, 1, 40])
def test_number_of_missing_lines_does_not_depend_on_the_number_of_modules(
    repo: Repo, run: Run, options: list[str], words: str, modules: int
) -> None:
    repo.stage_all([f"pkg{n}/m{n}.py" for n in range(modules)] or ["main.rs"])
    result = run(COMMAND, *options)
    (finding,) = parse_report(result.out)
    assert (finding.place, finding.code) == (".gitignore", "PYC101")
    assert words in finding.words
    assert "that_nobody_has" not in result.out


#: Ignore files of a repository with Python files in `a`, `b` and `c`; the end of the message.
PARTLY_COVERED = [
    ({"a/.gitignore": "*.pyc\n", "b/.gitignore": "*.pyc\n", "c/.gitignore": "*.pyc\n"},
     "; every directory with Python files has it, new ones would not"),
    ({"a/.gitignore": "*.pyc\n"},
     "; of 3 directories with Python files, b and 1 more have no such line"),
    ({"a/.gitignore": "*.pyc\n", "b/.gitignore": "*.pyc\n"},
     "; of 3 directories with Python files, c has no such line"),
    ({}, "(Python 3 writes its caches there)"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "end"), PARTLY_COVERED)
def test_message_names_the_directories_that_nested_files_leave_out(
    repo: Repo, run: Run, files: dict[str, str], end: str
) -> None:
    repo.add_files({**files, **{f"{name}/m.py": "" for name in "abc"}})
    (finding,) = parse_report(run(COMMAND).out)
    assert finding.place == ".gitignore"
    assert finding.words.endswith(end)


EXPLAINED = [
    (
        "pkg/__pycache__/m.cpython-313.pyc",
        0,
        "ignored for everybody by .gitignore:1: `__pycache__/`",
    ),
    ("pkg/__pycache__/", 0, "ignored for everybody by .gitignore:1: `__pycache__/`"),
    ("pkg/a.pyo", 1, "not ignored; no rule matches it"),
    ("keep/a.pyc", 1, "not ignored; keep/.gitignore:1: `!*.pyc` re-includes it"),
    ("b.log", 1, "ignored only here, by {}.git/info/exclude:1: `*.log`, which others do not have"),
]


@pytest.mark.parametrize(("path", "code", "words"), EXPLAINED)
@pytest.mark.parametrize("below", [False, True])
def test_explain_names_the_line_that_decides(
    repo: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    code: int,
    words: str,
    below: bool,
) -> None:
    repo.add(".gitignore", "__pycache__/\n*.pyc\n")
    repo.add("keep/.gitignore", "!*.pyc\n")
    repo.add("pkg/m.py")
    repo.write(".git/info/exclude", "*.log\n")
    if below:
        monkeypatch.chdir(repo.path / "pkg")
    result = run(COMMAND, "--explain", f"../{path}" if below else path)
    words = words.replace("{}", f"{repo.path}/" if below else "")
    assert result == (code, f"{path}: {words}\n", "")


def test_explain_reads_rules_from_the_index(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "x\n")
    repo.write(".gitignore", "*.pyc\n")
    result = run(COMMAND, "--explain", "a.pyc")
    assert result.code == 1
    assert result.out.startswith("a.pyc: ignored only here, by .gitignore:1: `*.pyc`")


#: Text of the committed `.gitignore`; files that only this work tree has; exit code and words.
DIFFERENT_HERE = [
    (
        "*.pyc\n",
        {"pkg/.gitignore": "!a.pyc\n"},
        0,
        (
            "ignored for everybody by .gitignore:1: `*.pyc`; not ignored here, because of"
            " pkg/.gitignore:1: `!a.pyc`"
        ),
    ),
    (
        "*.pyc\n",
        {".gitignore": ""},
        0,
        "ignored for everybody by .gitignore:1: `*.pyc`; not ignored here",
    ),
    (
        "",
        {".git/info/exclude": "!*.pyc\n"},
        1,
        "not ignored; .git/info/exclude:1: `!*.pyc`, which others do not have, re-includes it",
    ),
    (
        "!*.pyc\n",
        {"pkg/.gitignore": "a.pyc\n"},
        1,
        "ignored only here, by pkg/.gitignore:1: `a.pyc`, which others do not have",
    ),
    (
        "*.pyc\n!a.pyc\n",
        {".gitignore": ""},
        1,
        "not ignored; .gitignore:2: `!a.pyc` re-includes it",
    ),
]


@pytest.mark.parametrize(("committed", "own", "code", "words"), DIFFERENT_HERE)
def test_explain_where_rules_here_differ_names_both(
    repo: Repo, run: Run, committed: str, own: dict[str, str], code: int, words: str
) -> None:
    """The rules of everybody decide the exit code; the text also tells what happens here."""
    repo.add(".gitignore", committed)
    for path, text in own.items():
        repo.write(path, text)
    assert run(COMMAND, "--explain", "pkg/a.pyc") == (code, f"pkg/a.pyc: {words}\n", "")


@pytest.mark.parametrize("path", ["..", ".", "../x", "/"])
def test_explain_refuses_a_path_outside_the_work_tree(repo: Repo, run: Run, path: str) -> None:
    result = run(COMMAND, "--explain", path)
    assert (result.code, result.out) == (2, "")
    assert result.err == f"error: {path}: is not below the top of the work tree\n"


@pytest.mark.parametrize(("path", "code", "words"), EXPLAINED)
def test_explain_as_json_has_the_rules(
    repo: Repo, run: Run, path: str, code: int, words: str
) -> None:
    repo.add(".gitignore", "__pycache__/\n*.pyc\n")
    repo.add("keep/.gitignore", "!*.pyc\n")
    repo.write(".git/info/exclude", "*.log\n")
    result = run(COMMAND, "--explain", path, "--format", "json")
    report = json.loads(result.out)
    explanation = report["explanation"]
    assert (result.code, report["checked"], report["findings"]) == (code, 1, [])
    assert (explanation["path"], explanation["path_base64"]) == (path, None)
    assert explanation["ignored_for_all"] is (code == 0)
    for rule in (explanation["rule_for_all"], explanation["rule_here"]):
        assert rule is None or "{file}:{line}: `{pattern}`".format(**rule) in words.replace(
            "{}", ""
        )
    assert (explanation["rule_here"] is None) is ("no rule matches" in words)


def test_explain_as_json_shows_both_rules_where_they_differ(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "*.pyc\n")
    repo.write("pkg/.gitignore", "!a.pyc\n")
    report = json.loads(run(COMMAND, "--explain", "pkg/a.pyc", "--format=json").out)
    assert report["explanation"] == {
        "path": "pkg/a.pyc",
        "path_base64": None,
        "ignored_for_all": True,
        "ignored_here": False,
        "rule_for_all": {"file": ".gitignore", "line": 1, "pattern": "*.pyc"},
        "rule_here": {"file": "pkg/.gitignore", "line": 1, "pattern": "!a.pyc"},
    }


@pytest.mark.parametrize("format_name", ["github", "gitlab", "sarif", "rdjson", "junit"])
def test_explain_refuses_formats_of_findings(repo: Repo, run: Run, format_name: str) -> None:
    result = run(COMMAND, "--explain", "a.pyc", "--format", format_name)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: --explain answers as text or json, not as {format_name} ")
