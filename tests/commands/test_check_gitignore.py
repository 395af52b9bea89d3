"""Findings, and that the command each names does mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helpers.report_parser import CLEAN, EVERY_PROBE, fix_commands, parse_report, run_shell

if TYPE_CHECKING:
    from conftest import Program, Run
    from helpers.repo import Repo

GOOD = "__pycache__/\n*.py[co]\n"
CACHE = "printf '%s\\n' __pycache__/ >> .gitignore && git add -f -- .gitignore"
BOTH = "printf '%s\\n' __pycache__/ '*.py[co]' >> .gitignore && git add -f -- .gitignore"


def stage(repo: Repo, files: dict[str, bytes | str]) -> None:
    """Write and stage files."""
    for path, content in files.items():
        repo.add(path, content)


def test_complete_gitignore_has_no_findings(repo: Repo, run: Run, program: Program) -> None:
    stage(repo, {".gitignore": GOOD, "a.py": "", "pkg/m.py": ""})
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert program("check-gitignore", *EVERY_PROBE) == CLEAN


def test_repository_without_python_is_checked_too(repo: Repo, run: Run) -> None:
    repo.add("main.rs")
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    assert result.out == (
        ".gitignore: PYC101 2 lines are missing: `__pycache__/` (Python 3 writes its caches there),"
        " `*.py[co]` (`compileall -b` and Python 2 write NAME.pyc); no Python file is tracked, but"
        " any tool that runs Python here writes caches\n"
        f"\nTo fix:\n    {BOTH}\n"
        "\nFound 1 problem (2 directories checked).\n"
    )
    assert result.err == ""


#: Content of the top file, and each line that PYC104 names with the words it says of it.
INERT: list[tuple[bytes, dict[int, str]]] = [
    (b".pyc\n", {1: "one file"}),
    (b"*.c\n.pyo\n.py[co]\n", {2: "one file", 3: "one file"}),
    (b"__pycache__/ # caches\n", {1: "line of its own"}),
    (b"__pycache__/# caches\n*.pyc #x\n", {1: "line of its own", 2: "line of its own"}),
    (b" __pycache__/\n\t*.pyc\n", {1: "leading space", 2: "leading space"}),
    (b"__pycache__/\t\n*.pyc \t \n", {1: "trailing tab", 2: "trailing tab"}),
    (b"\"__pycache__/\"\n'*.pyc'\n`*.pyo`\n", {1: "quotes", 2: "quotes", 3: "quotes"}),
    (b"./__pycache__/\n../*.pyc\n", {1: "`./` never", 2: "`./` never"}),
    (b"pkg\\__pycache__\\\n__pycache__\\\n", {1: "`/` separates", 2: "`/` separates"}),
    (b"__pycache__\\ \n", {1: "escaped space"}),
    (b"*.pyc/\n*.py[co]/\n", {1: "directories only", 2: "directories only"}),
    (b"__pycache__ *.pyc\n*.pyc,*.pyo\n", {1: "one pattern", 2: "one pattern"}),
    (b"__pycache__/,\n*.pyc;\n", {1: "punctuation", 2: "punctuation"}),
    (b"*.{pyc,pyo}\n*.py{c,o}\n*.py(c|o)\n", dict.fromkeys((1, 2, 3), "no alternatives")),
    (b"^__pycache__$\n.*\\.pyc\n", {1: "regular", 2: "regular"}),
    (b"*.py[co\n", {1: "never closed"}),
    (b"\\*.pyc\n*.py\\[co\\]\n", {1: "plain character", 2: "plain character"}),
    (b"__PYCACHE__/\n*.PYC\n", {1: "case-sensitive", 2: "case-sensitive"}),
    (b"pycache/\n.pycache\n_pycache_/\n", dict.fromkeys((1, 2, 3), "`__pycache__`")),
    (b"__pycache__\xe2\x80\x8b/\n\xc2\xa0__pycache__\n", {1: "unusual", 2: "unusual"}),
    (b"__pycache__/\r*.pyc\r", {1: "one pattern"}),
    (b"__pycache__ /\n", {1: "a space"}),
    (b"\xef\xbb\xbf.pyc\r\n", {1: "one file"}),
    # Each of these is as it should be, or about something else.
    (b"# __pycache__/\n!*.pyc\n", {}),
    (b"pyo3/\n.pycharm/\npycodestyle.cfg\npycache-guard/\npycache_guard.egg-info/\n", {}),
    (b"Lib/__pycache__/\nC#/__pycache__/\nGr\xc3\xb6\xc3\x9fe/*.pyc\nmy\\ dir/*.pyc\n", {}),
    (b"{{cookiecutter.name}}/__pycache__/\n/tests/data/*.pyc\n", {}),
    (b"*$py.class\n*\\$py.class\n", {}),
    (b"/__pycache__/\n__pycache__/\n*.pyc\n*.pyo.1\n", {}),
]


@pytest.mark.parametrize(("content", "expected"), INERT, ids=[repr(c) for c, _ in INERT])
def test_line_that_cannot_match_is_reported_with_the_reason(
    content: bytes, expected: dict[int, str], repo: Repo, run: Run
) -> None:
    stage(repo, {".gitignore": content, "a.py": ""})
    result = run("check-gitignore", *EVERY_PROBE)
    inert = {f.place: f.words for f in parse_report(result.out) if f.code == "PYC104"}
    assert inert.keys() == {f".gitignore:{n}" for n in expected}
    for number, words in expected.items():
        assert words in inert[f".gitignore:{number}"]
    assert {f.code for f in parse_report(result.out)} >= {"PYC101"} or "!" in str(content)
    assert (result.code, result.err) == (1, "")
    for remedy in fix_commands(result.out):
        run_shell(remedy, cwd=repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert (repo.path / ".gitignore").read_bytes().startswith(content)


def test_line_that_cannot_match_is_not_reported_if_everything_is_ignored(
    repo: Repo, run: Run
) -> None:
    stage(repo, {".gitignore": ".pyc\n" + GOOD, "pkg/.gitignore": '"*.pyc"\n', "pkg/a.py": ""})
    repo.stage("b/.gitignore", ".gitignore", mode="120000")
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_line_that_could_not_have_helped_is_not_reported(repo: Repo, run: Run) -> None:
    """What is re-included in `pkg` is no fault of a file above or beside it."""
    stage(repo, {".gitignore": ".pyc\n" + GOOD, "pkg/.gitignore": "!*\n", "pkg/a.py": ""})
    stage(repo, {"beside/.gitignore": ".pyc\n"})
    assert {f.code for f in parse_report(run("check-gitignore", *EVERY_PROBE).out)} == {"PYC102"}
    stage(repo, {"pkg/sub/.gitignore": ".pyc\n", "pkg/sub/a.py": ""})
    found = run("check-gitignore", *EVERY_PROBE).out
    assert [f.place for f in parse_report(found) if f.code == "PYC104"] == ["pkg/sub/.gitignore:1"]
    assert len(fix_commands(found)) == 1


#: What is staged, and the places and codes that are reported.
MISSING = "directory_that_nobody_has"
STAGED: list[tuple[dict[str, bytes | str], list[tuple[str, str]]]] = [
    ({".gitignore": "__pycache__/\n"}, [(".gitignore", "PYC101")]),
    ({".gitignore": "*.py[co]\n"}, [(".gitignore", "PYC101")]),
    ({".gitignore": f"/__pycache__/\n{MISSING}/\n*.py[co]\n", "a/m.py": ""}, [("a", "PYC101")]),
    ({".gitignore": "/*/__pycache__/\n*.py[co]\n", "a/m.py": ""}, [(".", "PYC101")]),
    ({".gitignore": GOOD + "!/m.pyc\n", "m.py": ""}, [(".gitignore:3", "PYC102")]),
    ({".gitignore": GOOD + "!pkg/**", "pkg/m.py": ""}, [(".gitignore:3", "PYC102")]),
    (
        {".gitignore": GOOD + "!tests/core/**/*\n", "tests/core/m.py": "", "m.py": ""},
        [(".gitignore:3", "PYC102")],
    ),
    (
        {".gitignore": GOOD, "pkg/.gitignore": "\n!__pycache__/\n!*.pyo\n", "pkg/m.py": ""},
        [("pkg/.gitignore:2", "PYC102"), ("pkg/.gitignore:3", "PYC102")],
    ),
    (
        {".gitignore": GOOD.encode("utf-16"), "a.py": ""},
        [(".gitignore", "PYC101"), (".gitignore", "PYC103")],
    ),
    (
        {".gitignore": GOOD.encode("utf-16-be"), "a.py": ""},
        [(".gitignore", "PYC101"), (".gitignore", "PYC103")],
    ),
    (
        {".gitignore": GOOD.encode("utf-32"), "a.py": ""},
        [(".gitignore", "PYC101"), (".gitignore", "PYC103")],
    ),
    ({".gitignore": b"x\0y\n__pycache__/\n"}, [(".gitignore", "PYC101")]),
    (
        {".gitignore": "*.py[co]\n", "pkg/.gitignore": "__pycache__/".encode("utf-16-le")},
        [(".gitignore", "PYC101"), ("pkg/.gitignore", "PYC103")],
    ),
    (
        {".gitignore/a.txt": "", "a.py": ""},
        [(".gitignore", "PYC101"), (".gitignore", "PYC103")],
    ),
    ({".gitignore": GOOD, ".gitignore.d/a.py": "", "Python.gitignore/x": ""}, []),
    ({".gitignore": "__pycache__/\n", "Python.gitignore/x": ""}, [(".gitignore", "PYC101")]),
    (
        {".gitignore": "__pycache__/\n", "pkg/.gitignore/a.py": ""},
        [(".gitignore", "PYC101"), ("pkg/.gitignore", "PYC103")],
    ),
    # The top file is kept out by itself.
    ({".gitignore": "*\n!*.py\n!*.pyc\n", "a.py": ""}, [(".gitignore:3", "PYC102")]),
]


@pytest.mark.parametrize(("files", "expected"), STAGED, ids=[repr(f) for f, _ in STAGED])
def test_finding_has_place_code_and_working_command(
    files: dict[str, bytes | str], expected: list[tuple[str, str]], repo: Repo, run: Run
) -> None:
    stage(repo, files)
    result = run("check-gitignore", *EVERY_PROBE)
    assert [(f.place, f.code) for f in parse_report(result.out)] == expected
    assert (result.code, result.err) == (1 if expected else 0, "")
    for remedy in fix_commands(result.out):
        run_shell(remedy, cwd=repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
