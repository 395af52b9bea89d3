"""`fix`: untracking and ignoring in one step, for a repository that has the problem."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.fresh_clone import FreshClone
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN, fix_commands, parse_report, run_shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

CACHE = "pkg/__pycache__/m.cpython-313.pyc"
BOTH = 'git add -f -- .gitignore && git commit -m "Untrack bytecode"'


def state(repo: Repo) -> dict[str, str]:
    """Return every file of a repository, the index and the objects among them, by its digest."""
    files = [path for path in repo.path.rglob("*") if path.is_file()]
    return {os.fspath(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture
def spoiled(repo: Repo) -> Repo:
    """Make a repository that has the problem."""
    repo.add("pkg/m.py", "x = 1\n")
    repo.add(CACHE, BYTECODE)
    repo.add("a.pyc", BYTECODE)
    repo.add(".gitignore", "*.so\n")
    repo.commit()
    return repo


def test_fix_untracks_and_completes_in_one_step(spoiled: Repo, run: Run, tmp_path: Path) -> None:
    result = run("fix", "--quiet")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        ".gitignore: PYC101 added `__pycache__/`, `*.py[co]`\n"
        "a.pyc: PYC001 untracked; the file stays on disk\n"
        f"{CACHE}: PYC001 untracked; the file stays on disk\n"
        f"\nNow commit:\n    {BOTH}\n"
    )
    assert (spoiled.path / CACHE).read_bytes() == BYTECODE
    assert (spoiled.path / "a.pyc").read_bytes() == BYTECODE
    run_shell(*fix_commands(result.out), cwd=spoiled.path)
    assert spoiled.git("status", "--porcelain") == ""
    assert spoiled.tracked() == [".gitignore", "pkg/m.py"]
    assert run("fix") == CLEAN
    assert run("forbid-bytecode") == CLEAN
    assert run("check-gitignore") == CLEAN
    clone = FreshClone(spoiled, tmp_path / "clone")
    clone.compile("pkg/m.py")
    clone.compile_legacy("pkg/m.py")
    assert clone.untracked() == set()


def test_fix_in_a_subdirectory_prints_working_commands(
    spoiled: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(spoiled.path / "pkg")
    run_shell(*fix_commands(run("fix", "--quiet").out), cwd=spoiled.path / "pkg")
    assert spoiled.git("status", "--porcelain") == ""
    assert run("fix") == CLEAN


def test_fix_does_only_what_is_needed(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "*.so\n")
    result = run("fix", "--quiet")
    assert fix_commands(result.out) == [
        'git add -f -- .gitignore && git commit -m "Ignore bytecode"'
    ]
    run_shell(*fix_commands(result.out), cwd=repo.path)
    repo.add("a.pyc")
    repo.commit()
    result = run("fix", "--quiet")
    assert result.out.startswith("a.pyc: PYC001 untracked")
    assert fix_commands(result.out) == ['git commit -m "Untrack bytecode"']
    run_shell(*fix_commands(result.out), cwd=repo.path)
    assert run("fix") == CLEAN


def test_dry_run_changes_nothing(
    spoiled: Repo, run: Run, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    before = state(spoiled)
    result = run("fix", "--quiet", "--dry-run")
    assert state(spoiled) == before
    assert (result.code, result.err) == (1, "")
    assert result.out == (
        ".gitignore: PYC101 would add `__pycache__/`, `*.py[co]`\n"
        "a.pyc: PYC001 bytecode is tracked\n"
        f"{CACHE}: PYC001 bytecode is tracked\n"
        "\nTo fix:\n"
        "    pycache-guard fix\n"
    )
    assert program("fix", "--quiet", "--dry-run") == result
    assert run("fix", "--quiet", "--dry-run") == result
    assert state(spoiled) == before
    run("fix", "--quiet")
    spoiled.git("add", "-f", ".gitignore")
    assert run("fix", "--dry-run") == CLEAN


def test_bytecode_of_another_name_is_left_to_a_person(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.add("data.bin", BYTECODE)
    result = run("fix")
    assert [(f.place, f.code) for f in parse_report(result.out)] == [("data.bin", "PYC002")]
    run_shell(*fix_commands(result.out), cwd=repo.path)
    assert run("fix") == CLEAN


@pytest.mark.parametrize("name", ["assets/a.bin", "z.bin"])
def test_bytecode_of_another_name_is_untracked_before_the_commit(
    spoiled: Repo, run: Run, name: str
) -> None:
    """A hook would refuse a commit that still has it, wherever its name sorts."""
    spoiled.add(name, BYTECODE)
    hook = spoiled.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec '{PROGRAM}' forbid-bytecode --quiet\n")
    hook.chmod(0o755)
    result = run("fix", "--quiet")
    assert result.code == 1
    assert "the next `git add -A` adds it again" in result.out
    assert fix_commands(result.out) == [f"git rm -r -f --cached -- {name}", BOTH]
    run_shell(*fix_commands(result.out), cwd=spoiled.path)
    assert run("fix") == CLEAN
    assert spoiled.git("status", "--porcelain", "--untracked-files=no") == ""


def test_many_files_of_other_names_share_a_command(spoiled: Repo, run: Run) -> None:
    for number in range(150):
        spoiled.add(f"{number}.bin", BYTECODE)
    found = fix_commands(run("fix", "--quiet").out)
    assert len(found) == 2
    assert found[-1] == BOTH
    run_shell(*found, cwd=spoiled.path)
    assert spoiled.git("status", "--porcelain", "--untracked-files=no") == ""
    assert run("fix") == CLEAN


def test_allowed_files_stay_tracked(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n")
    repo.add("data/a.pyc", BYTECODE)
    repo.add(
        "pyproject.toml",
        '[tool.pycache-guard]\nallow = [{path = "data/*.pyc", reason = "r"}]\nprobes = ["cache"]\n',
    )
    assert run("fix") == CLEAN


def test_temporary_index_of_a_commit_is_not_changed(
    spoiled: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `git commit -a` nothing is untracked, and nothing is proposed for a commit."""
    index = spoiled.path / ".git" / "next-index-1.lock"
    index.write_bytes((spoiled.path / ".git" / "index").read_bytes())
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(index))
    result = run("fix", "--quiet")
    assert fix_commands(result.out) == [
        "git rm -r -f --cached -- a.pyc",
        "git rm -r -f --cached -- pkg/__pycache__",
        BOTH,
    ]
    assert "a.pyc" in spoiled.tracked()


def test_missing_content_changes_nothing(spoiled: Repo, run: Run) -> None:
    oid = spoiled.stage("new.bin", "new\n")
    (spoiled.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    before = state(spoiled)
    result = run("fix")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert state(spoiled) == before


def test_locked_index_ends_with_2_and_the_next_run_continues(spoiled: Repo, run: Run) -> None:
    """What could be done stands; the next run says the rest."""
    lock = spoiled.path / ".git" / "index.lock"
    lock.touch()
    result = run("fix", "--quiet")
    assert (result.code, result.out) == (2, "")
    assert "index.lock" in result.err
    lock.unlink()
    result = run("fix", "--quiet")
    assert result.code == 0
    run_shell(*fix_commands(result.out), cwd=spoiled.path)
    assert run("fix") == CLEAN


def test_json_report_of_a_dry_run(spoiled: Repo, run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report"
    assert run("fix", "--dry-run", "--format", "json", "--output", str(report)) == (1, "", "")
    found = json.loads(report.read_text())
    assert found["command"] == "fix"
    assert [f["code"] for f in found["findings"]] == ["PYC101", "PYC001", "PYC001"]


def test_wrong_usage_is_an_error(repo: Repo, run: Run) -> None:
    result = run("fix", "pkg")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: unrecognized arguments: pkg")


def test_fix_run_twice_still_names_the_commit(spoiled: Repo, run: Run) -> None:
    spoiled.add(".gitignore", "__pycache__/\n*.py[co]\n")
    spoiled.commit()
    commit = 'git commit -m "Untrack bytecode"'
    assert fix_commands(run("fix").out) == [commit]
    again = run("fix")
    assert again.code == 0
    assert fix_commands(again.out) == [commit]
    run_shell(commit, cwd=spoiled.path)
    assert run("fix") == CLEAN


def test_fix_run_twice_still_stages_the_ignore_file(spoiled: Repo, run: Run) -> None:
    assert fix_commands(run("fix").out) == fix_commands(run("fix").out) == [BOTH]
    run_shell(BOTH, cwd=spoiled.path)
    assert spoiled.git("status", "--porcelain") == ""


def test_bytecode_that_was_never_committed_needs_no_commit(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.commit()
    repo.add("a.pyc", BYTECODE)
    result = run("fix")
    assert (result.code, fix_commands(result.out)) == (0, [])
    assert result.out.startswith(
        "a.pyc: PYC001 untracked; the file stays on disk\n\nDone: 1 problem"
    )
    assert run("fix") == CLEAN


def test_unborn_head_needs_a_commit_only_for_the_ignore_file(repo: Repo, run: Run) -> None:
    repo.add("m.py", "x = 1\n")
    repo.add("a.pyc", BYTECODE)
    result = run("fix")
    assert result.code == 0
    commands = fix_commands(result.out)
    assert commands == ['git add -f -- .gitignore && git commit -m "Ignore bytecode"']
    run_shell("git config user.name n", *commands, cwd=repo.path)
    assert repo.git("status", "--porcelain") == ""


def test_file_in_a_cache_directory_is_left_for_a_person(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.add("pkg/__pycache__/main.py", "print(1)\n")
    repo.add("pkg/__pycache__/m.cpython-313.pyc", BYTECODE)
    repo.commit()
    result = run("fix")
    assert result.code == 1
    assert fix_commands(result.out) == [
        "git mv -- pkg/__pycache__/main.py pkg/main.py",
        'git commit -m "Untrack bytecode"',
    ]
    run_shell(*fix_commands(result.out), cwd=repo.path)
    assert repo.git("status", "--porcelain") == ""
    assert repo.tracked() == [".gitignore", "pkg/main.py"]


def test_moves_are_shown_beside_the_command_that_fixes_many(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fix` never moves a file, so its command must not stand for `git mv`."""
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    for number in range(30):
        repo.add(f"d{number}/a.pyc", BYTECODE)
    repo.add("pkg/__pycache__/main.py", "print(1)\n")
    repo.commit()
    commands = fix_commands(run("forbid-bytecode").out)
    assert commands == ["pycache-guard fix", "git mv -- pkg/__pycache__/main.py pkg/main.py"]


@pytest.mark.parametrize(
    ("options", "command"),
    [
        (["--allow", "keep/*"], "pycache-guard forbid-bytecode --fix '--allow=keep/*'"),
        (["--staged"], "pycache-guard forbid-bytecode --fix --staged"),
        (
            ["--config-from", "HEAD"],
            "pycache-guard forbid-bytecode --fix --config-from=HEAD",
        ),
    ],
)
def test_command_that_fixes_many_untracks_only_what_the_report_shows(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], command: str
) -> None:
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    repo.commit()
    for number in range(12):
        repo.add(f"d{number}/a.pyc", BYTECODE)
    repo.add("keep/a.pyc", BYTECODE)
    assert fix_commands(run("forbid-bytecode", *options).out) == [command]
    subprocess.run(["bash", "-c", command], cwd=repo.path, check=False, capture_output=True)
    assert repo.tracked() == (["keep/a.pyc"] if "--allow" in options else [])


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("is_on_disk", [True, False])
def test_file_that_git_does_not_look_at_is_untracked(
    repo: Repo, run: Run, flag: str, is_on_disk: bool
) -> None:
    for path in ("a.pyc", "pkg/__pycache__/m.cpython-313.pyc", "x.bin"):
        file = repo.add(path, BYTECODE)
        repo.git("update-index", flag, path)
        if not is_on_disk:
            file.unlink()
    repo.write("d/x")
    commands = fix_commands(run("forbid-bytecode").out)
    assert len(commands) == 3
    run_shell(*commands, cwd=repo.path)
    assert repo.tracked() == []


def test_tree_of_a_commit_has_a_sentence_and_no_command(
    repo: Repo, run: Run, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.pyc", BYTECODE)
    repo.add("x.bin", BYTECODE)
    repo.add("__pycache__/main.py", "x = 1\n")
    repo.commit()
    bare = make_repo("bare.git", "--bare")
    bare.git("fetch", "-q", os.fspath(repo.path), "main:main")
    for place in (repo, bare):
        monkeypatch.chdir(place.path)
        result = run("forbid-bytecode", "--tree", "main", "--content", "all")
        assert result.code == 1
        assert "To fix:" not in result.out
        assert "git rm" not in result.out
        assert result.out.count("with a new commit") == 2


COMPLETE = "__pycache__/\n*.py[co]\n"
STAGE = "git add -f -- .gitignore"


def remove_from_index(repo: Repo) -> None:
    """Untrack the complete file, and leave it on disk."""
    repo.git("rm", "-q", "--cached", ".gitignore")


def stage_without_the_lines(repo: Repo) -> None:
    """Stage an older state, and have the complete file on disk."""
    repo.add(".gitignore", "*.so\n")
    repo.write(".gitignore", COMPLETE)


def stage_with_other_line_ends(repo: Repo) -> None:
    """Untrack the file, and check it out as on Windows."""
    remove_from_index(repo)
    repo.git("config", "core.autocrlf", "true")
    repo.write(".gitignore", COMPLETE.replace("\n", "\r\n"))


def take_the_lines_out(repo: Repo) -> None:
    """Stage the file without its lines: what `fix` appends is what HEAD has."""
    repo.add(".gitignore", "")


def stage_something_else(repo: Repo) -> None:
    """Untrack the file, and stage a change that is not to be committed with it."""
    remove_from_index(repo)
    repo.add("other.txt", "x\n")


@pytest.mark.parametrize(
    "change",
    [
        remove_from_index,
        stage_without_the_lines,
        stage_with_other_line_ends,
        take_the_lines_out,
        stage_something_else,
    ],
)
def test_fix_proposes_no_commit_if_staging_restores_what_head_has(
    repo: Repo, run: Run, change: Callable[[Repo], None]
) -> None:
    repo.add(".gitignore", COMPLETE)
    repo.add("pkg/m.py")
    repo.commit()
    change(repo)
    result = run("fix")
    assert result.code == 1
    assert "Now commit:" not in result.out
    assert "0 problems fixed, " in result.out
    assert fix_commands(result.out) == [STAGE]
    run_shell(STAGE, cwd=repo.path)
    staged = ["other.txt"] if change is stage_something_else else []
    assert repo.git("diff", "--cached", "--name-only").splitlines() == staged
    assert run("fix") == CLEAN


def test_fix_commits_what_it_untracks_together_with_a_restored_ignore_file(
    repo: Repo, run: Run
) -> None:
    repo.add(".gitignore", COMPLETE)
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    remove_from_index(repo)
    result = run("fix")
    assert (result.code, fix_commands(result.out)) == (0, [BOTH])
    run_shell(BOTH, cwd=repo.path)
    assert repo.git("status", "--porcelain") == ""


def test_fix_proposes_a_commit_if_head_has_another_kind_of_ignore_file(
    repo: Repo, run: Run
) -> None:
    """HEAD has a directory of this name, whose content is not compared."""
    repo.add(".gitignore/x", "x\n")
    repo.add("m.py")
    repo.commit()
    repo.git("rm", "-q", "-r", ".gitignore")
    repo.write(".gitignore", COMPLETE)
    result = run("fix")
    commit = f'{STAGE} && git commit -m "Ignore bytecode"'
    assert (result.code, fix_commands(result.out)) == (0, [commit])
    run_shell(commit, cwd=repo.path)
    assert run("fix") == CLEAN


@pytest.mark.parametrize("command", [("fix",), ("forbid-bytecode", "--fix")])
def test_json_report_of_a_fix_has_the_command_that_commits(
    repo: Repo, run: Run, command: tuple[str, ...]
) -> None:
    repo.add(".gitignore", COMPLETE)
    repo.commit()
    clean = json.loads(run(*command, "--format", "json").out)
    assert clean["commit_command"] is None
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    report = json.loads(run(*command, "--format", "json").out)
    assert report["commit_command"] == 'git commit -m "Untrack bytecode"'
    run_shell(report["commit_command"], cwd=repo.path)
    assert run("fix") == CLEAN


def test_json_report_of_a_dry_run_commits_nothing(spoiled: Repo, run: Run) -> None:
    report = json.loads(run("fix", "--dry-run", "--format", "json").out)
    assert report["commit_command"] is None
    assert "commit_command" not in json.loads(run("forbid-bytecode", "--format", "json").out)
