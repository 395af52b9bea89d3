"""Findings, and that the command each names does mend it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from helpers.posix_names import decode_posix_name
from helpers.report_parser import (
    CLEAN,
    EVERY_PROBE,
    fix_commands,
    parse_lines,
    parse_report,
    run_fixes,
)

if TYPE_CHECKING:
    from conftest import Program, Run
    from helpers.repo import Repo

EVERY = ("check-dockerignore", "--quiet", *EVERY_PROBE)
GOOD = "**/__pycache__\n**/*.py[co]\n"
BOTH = "printf '%s\\n' '**/__pycache__' '**/*.py[co]' >> {0} && git add -f -- {0}"
ROOTED = "patterns start at the context, unlike in git; `**/` in front matches at every depth"


def stage(repo: Repo, files: dict[str, bytes | str]) -> None:
    """Write and stage files."""
    repo.add_files(files)


def places(out: str) -> list[str]:
    """Return which files a text report blames, each once."""
    return list(dict.fromkeys(line.place.partition(":")[0] for line in parse_report(out)))


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": ""},
        {"Dockerfile": "", ".dockerignore": GOOD, "a.py": ""},
        {"Dockerfile": "", ".dockerignore": "*\n!src/*.txt\n", "src/a.py": ""},
        {"d/Dockerfile": "", "d/.dockerignore": GOOD, "a.py": "", "d/b.py": ""},
        # No Python in it, so nothing in it gets bytecode.
        {"d/Dockerfile": "", "a.py": ""},
        {"Dockerfile": "FROM node\nCOPY . .\n", "package.json": "{}"},
        {"Dockerfile": "", "Dockerfile.dockerignore": GOOD, ".dockerignore": ""},
        {"Containerfile": "", ".containerignore": GOOD, ".dockerignore": ""},
        {"compose.yml": "services:\n  a:\n    build: ./gone\n"},
    ],
)
def test_complete_dockerignore_has_no_findings(
    repo: Repo, run: Run, program: Program, files: dict[str, bytes | str]
) -> None:
    stage(repo, files)
    assert run("check-dockerignore") == CLEAN
    assert program("check-dockerignore") == CLEAN


def test_missing_dockerignore_is_reported_for_each_context(repo: Repo, run: Run) -> None:
    stage(repo, {"app/Dockerfile": "", "app/pkg/m.py": "", "apple/n.py": "", "other.py": ""})
    assert run("check-dockerignore", "--quiet") == (
        1,
        (
            "app/.dockerignore: PYC301 the file does not exist, and the build context app includes"
            " app/pkg/__pycache__/m.cpython-313.pyc and 1 more\n"
            f"\nTo fix:\n    {BOTH.format('app/.dockerignore')}\n"
        ),
        "",
    )


def test_patterns_written_for_git_are_explained(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "p/m.py": "", ".dockerignore": "__pycache__/\n*.py[co]\n"})
    result = run("check-dockerignore", "--quiet")
    assert parse_lines(result.out) == [
        (
            ".dockerignore: PYC301 the build context . includes p/__pycache__/m.cpython-313.pyc and 1"
            " more, which no pattern excludes"
        ),
        (
            ".dockerignore:1: PYC301 `__pycache__/` excludes no bytecode below the top of the context:"
            f" {ROOTED}"
        ),
        (
            ".dockerignore:2: PYC301 `*.py[co]` excludes no bytecode below the top of the context:"
            f" {ROOTED}"
        ),
    ]
    run_fixes(result.out, repo.path)
    assert run("check-dockerignore") == CLEAN


def test_line_that_reincludes_bytecode_is_named(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "p/m.py": "", ".dockerignore": f"*\n{GOOD}!p/**\n"})
    result = run("check-dockerignore", "--quiet")
    assert parse_lines(result.out) == [
        (
            ".dockerignore:4: PYC301 `!p/**` re-includes bytecode:"
            " p/__pycache__/m.cpython-313.pyc and 1 more"
        )
    ]
    run_fixes(result.out, repo.path)
    assert run("check-dockerignore") == CLEAN


def test_reincluded_files_of_an_excluded_directory_need_another_pattern(
    repo: Repo, run: Run
) -> None:
    """A second `**/__pycache__` would change nothing, and is not asked."""
    stage(repo, {"Dockerfile": "", "m.py": "", ".dockerignore": f"{GOOD}!**/m.*\n"})
    result = run(*EVERY, "--fix")
    assert result.code == 1
    added = "added `**/__pycache__`, `**/*.py[co]`, `**/__pycache__/**`"
    assert parse_lines(result.out) == [f".dockerignore: PYC301 {added}"]
    run_fixes(result.out, repo.path)
    assert run("check-dockerignore") == CLEAN


def test_fix_keeps_the_content_and_appends_missing_patterns(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "m.py": ""})
    file = repo.add(".dockerignore", "**/*.py[co]\r\n# end\r\n.git")
    os.chmod(file, 0o640)
    result = run(*EVERY, "--fix")
    assert result == (
        1,
        (
            ".dockerignore: PYC301 added `**/__pycache__`\n"
            "\nTo fix:\n    git add -f -- .dockerignore\n"
        ),
        "",
    )
    assert file.read_bytes() == b"**/*.py[co]\r\n# end\r\n.git\r\n**/__pycache__\r\n"
    assert file.stat().st_mode & 0o777 == 0o640
    # Complete on disk, but not staged: nothing is written, and the index is what counts.
    assert run(*EVERY, "--fix").code == 1
    assert file.read_bytes().count(b"**/__pycache__") == 1
    run_fixes(result.out, repo.path)
    assert run(*EVERY[:1], *EVERY_PROBE, "--fix") == CLEAN


def test_fix_creates_a_missing_file(repo: Repo, run: Run) -> None:
    stage(repo, {"a/Dockerfile": "", "b/Dockerfile": "", "a/m.py": "", "b/m.py": ""})
    assert run("check-dockerignore", "--quiet", "--fix").code == 1
    assert (repo.path / "a/.dockerignore").read_text() == GOOD
    assert (repo.path / "b/.dockerignore").read_text() == GOOD


def test_fix_keeps_the_content_of_a_file_that_is_not_on_disk(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "m.py": ""})
    repo.add(".dockerignore", ".git\n").unlink()
    assert run("check-dockerignore", "--quiet", "--fix").code == 1
    assert (repo.path / ".dockerignore").read_text() == f".git\n{GOOD}"


@pytest.mark.parametrize(
    ("probe", "line", "other"),
    [("cache", "**/__pycache__\n", "legacy"), ("legacy", "**/*.py[co]\n", "temporary")],
)
def test_only_given_probes_are_required(
    repo: Repo, run: Run, probe: str, line: str, other: str
) -> None:
    stage(repo, {"Dockerfile": "", "m.py": "", ".dockerignore": line})
    assert run("check-dockerignore", "--probe", other).code == 1
    assert run("check-dockerignore", "--probe", probe) == CLEAN
    repo.write("pyproject.toml", f"[tool.pycache-guard]\nprobes = ['{probe}']\n")
    assert run("check-dockerignore") == CLEAN


@pytest.mark.parametrize("line", ["**/__pycache__\n", "**/*.py[co]\n", "**/*.pyc\n", GOOD])
def test_what_python_3_writes_is_required_and_the_rest_is_advice(
    repo: Repo, run: Run, line: str
) -> None:
    stage(repo, {"Dockerfile": "", "m.py": "", "b/Dockerfile": "", "b/n.py": ""})
    stage(repo, {".dockerignore": line, "b/.dockerignore": line})
    done = run("check-dockerignore")
    assert done == CLEAN
    assert done.out.count("\nAdvice: ") == (0 if line == GOOD else 2)
    assert run("check-dockerignore", "--fix") == CLEAN
    assert (repo.path / ".dockerignore").read_text() == line
    assert run("check-dockerignore", "--strict").code == (0 if line == GOOD else 1)
    run("check-dockerignore", "--strict", "--fix")
    repo.git("add", "-A")
    assert run("check-dockerignore", "--strict") == CLEAN


def test_the_advice_names_file_lines_and_writers(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "m.py": "", ".dockerignore": "**/__pycache__\n"})
    assert run("check-dockerignore").out == (
        "OK: 1 build context checked.\n"
        "Advice: .dockerignore could also have `**/*.py[co]` (`compileall -b` and Python 2 write"
        " NAME.pyc); `--strict` requires it.\n"
    )
    assert run("check-dockerignore", "--quiet") == (0, "", "")


def test_failure_leaves_no_ok_line(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", ".dockerignore": "[z-a]\n", "a.py": ""})
    done = run("check-dockerignore")
    assert (done.code, done.out) == (2, "")


def test_compose_file_decides_the_context_of_a_dockerfile(repo: Repo, run: Run) -> None:
    compose = (
        "services:\n  a:\n    build:\n      context: ..\n      dockerfile: docker/D.dockerfile\n"
    )
    stage(repo, {"docker/compose.yaml": compose, "docker/D.dockerfile": "", "a.py": ""})
    assert places(run("check-dockerignore").out) == [".dockerignore"]
    stage(repo, {".dockerignore": GOOD})
    assert run("check-dockerignore") == CLEAN
    stage(repo, {"docker/D.dockerfile.dockerignore": ".git"})
    assert places(run("check-dockerignore").out) == ["docker/D.dockerfile.dockerignore"]


def test_finding_of_one_file_in_two_contexts_is_reported_once(repo: Repo, run: Run) -> None:
    builds = "".join(
        f"  {name}:\n    build: {{context: {name}, dockerfile: ../D.dockerfile}}\n" for name in "ab"
    )
    stage(
        repo,
        {"compose.yml": f"services:\n{builds}", "D.dockerfile": "", "a/x.py": "", "b/x.py": ""},
    )
    stage(repo, {"D.dockerfile.dockerignore": "*.pyc\n"})
    found = parse_lines(run("check-dockerignore", "--quiet").out)
    assert [line for line in found if ":1:" in line] == [
        (
            "D.dockerfile.dockerignore:1: PYC301 `*.pyc` excludes no bytecode below the top of the context:"
            f" {ROOTED}"
        )
    ]
    assert len(found) == 3
    stage(repo, {"D.dockerfile.dockerignore": "[z-a]\n"})
    refused = "Docker rejects this line, so the build fails: its range `z-a` runs backwards"
    error = f"error: D.dockerfile.dockerignore:1: {refused}\n"
    assert run("check-dockerignore", "--quiet") == (2, "", error)


def test_included_compose_files_count(repo: Repo, run: Run) -> None:
    build = "services:\n  a:\n    build: .\n"
    build += "include: [../compose.yaml]\n"  # each the other
    stage(repo, {"compose.yaml": "include: [x/a.yml, x/a.yml]\n", "x/a.yml": build, "x/m.py": ""})
    assert places(run("check-dockerignore").out) == ["x/.dockerignore"]


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (
            {"compose.yml": "services:\n  a:\n    build: ../..\n"},
            "compose.yml:3: ../.. is outside the repository and not checked",
        ),
        (
            {"a/compose.yml": "services:\n  a:\n    build: ..\n", "compose.yml": "include: [/x]\n"},
            "compose.yml:1: /x is outside the repository and not checked",
        ),
        (
            {"compose.yml": "services:\n  a:\n    build: ..\n"},
            "compose.yml:3: .. is outside the repository and not checked",
        ),
        (
            {"compose.yml": "services:\n  a:\n    build: $X\n"},
            "compose.yml:3: `$X` depends on the environment; pass the contexts to check as arguments",
        ),
        (
            {"compose.yml": "include: [x.yml]\n"},
            "x.yml: another file refers to it, but git does not track it",
        ),
        (
            {"Dockerfile": "", ".dockerignore": "a\n[z-a]\n"},
            ".dockerignore:2: Docker rejects this line, so the build fails: its range `z-a` runs backwards",
        ),
    ],
)
def test_context_that_cannot_be_checked_is_an_error_and_the_rest_is_reported(
    repo: Repo, run: Run, files: dict[str, bytes | str], error: str
) -> None:
    stage(
        repo,
        {
            **files,
            "good/Dockerfile": "",
            "good/.dockerignore": GOOD,
            "good/m.py": "",
            "bad/Dockerfile": "",
            "bad/m.py": "",
        },
    )
    for options in ((), ("--fix",)):
        result = run("check-dockerignore", *options)
        assert result.code == 2
        assert result.err == f"error: {error}\n"
        assert "bad/.dockerignore" in places(result.out)


def test_given_contexts_are_checked(repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    compose = "services:\n  a:\n    build: {context: plain, dockerfile: ../d/Dockerfile}\n"
    stage(repo, {"a/Dockerfile": "", "b/Dockerfile": "", "plain/x.py": "", "compose.yml": compose})
    stage(repo, {"[q]*/x.py": "", "..q/x.py": "", "a/x.py": "", "b/x.py": "", "d/Dockerfile": ""})
    for names, expected in {
        ("a", "./b/"): ["a/.dockerignore", "b/.dockerignore"],
        ("plain",): ["plain/.dockerignore"],
        ("[q]*",): ["[q]*/.dockerignore"],
        ("..q",): ["..q/.dockerignore"],
        (".",): [".dockerignore"],
    }.items():
        assert places(run("check-dockerignore", "--quiet", *names).out) == expected
    stage(repo, {"d/Dockerfile.dockerignore": GOOD})
    assert run("check-dockerignore", "plain") == CLEAN
    monkeypatch.chdir(repo.path / "a")
    result = run("check-dockerignore", "--quiet", ".")
    assert fix_commands(result.out) == [
        f'(cd "$(git rev-parse --show-toplevel)" && {BOTH.format("a/.dockerignore")})'
    ]
    run_fixes(result.out, repo.path / "a")
    assert run("check-dockerignore", os.curdir) == CLEAN


@pytest.mark.parametrize(
    ("context", "error"),
    [("..", "..: is outside the repository"), ("none", "none: git tracks no file there")],
)
def test_context_without_tracked_files_is_an_error(
    repo: Repo, run: Run, context: str, error: str
) -> None:
    repo.add("Dockerfile")
    (repo.path / "none").mkdir()
    assert run("check-dockerignore", context) == (2, "", f"error: {error}\n")


def test_links_between_ignore_files_are_followed(repo: Repo, run: Run) -> None:
    stage(repo, {"a/Dockerfile": "", "a/m.py": "", ".dockerignore": GOOD})
    repo.stage("a/.dockerignore", "../.dockerignore", mode="120000")
    assert run("check-dockerignore", "a") == CLEAN
    stage(repo, {".dockerignore": ""})
    (repo.path / "a/.dockerignore").symlink_to("../.dockerignore")
    result = run("check-dockerignore", "--fix", "a")
    assert result.code == 2
    assert "is a symbolic link; nothing was written" in result.err


@pytest.mark.parametrize("target", ["gone", "a/.dockerignore", ".dockerignore"])
def test_dangling_link_in_place_of_dockerignore_is_an_error(
    repo: Repo, run: Run, target: str
) -> None:
    repo.add("a/Dockerfile")
    repo.stage("a/.dockerignore", target, mode="120000")
    error = "error: a/.dockerignore: does not lead to a tracked ignore file\n"
    assert run("check-dockerignore") == (2, "", error)


def test_dockerignore_in_utf16_is_reported(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "a.py": "", ".dockerignore": GOOD.encode("utf-16")})
    result = run("check-dockerignore")
    assert parse_lines(result.out) == [
        ".dockerignore: PYC301 is UTF-16; Docker cannot read patterns in it"
    ]
    refused = run("check-dockerignore", "--fix")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith(
        "is UTF-16; Docker cannot read patterns in it: convert it to UTF-8 first\n"
    )
    run_fixes(result.out, repo.path)
    assert run("check-dockerignore") == CLEAN


def test_paths_that_are_not_utf8_are_reported(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", ".dockerignore": "**/*.py[co]\n"})
    repo.stage(decode_posix_name(b"\xff/m.py"))
    result = run(*EVERY)
    assert "includes \\xff/__pycache__/m.cpython-313.pyc.140162621172480 and 2 more" in result.out
    run_fixes(result.out, repo.path)
    assert run("check-dockerignore") == CLEAN


def test_json_report_has_the_findings(repo: Repo, run: Run) -> None:
    stage(repo, {"Dockerfile": "", "m.py": ""})
    result = run("check-dockerignore", "--format", "json")
    assert result.code == 1
    assert '"rule": "docker-context"' in result.out
