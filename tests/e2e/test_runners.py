"""Every hook of the manifest under pre-commit and prek, with the same results."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from helpers.repo import BYTECODE
from helpers.runners import HOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers.repo import Repo
    from helpers.runners import Runner

STAGES = ["pre-commit", "pre-merge-commit", "pre-push", "manual"]


def with_bytecode(repo: Repo) -> None:
    """Stage bytecode, as `git add -A` does without ignore rules."""
    repo.add("pkg/__pycache__/m.cpython-313.pyc", BYTECODE)


def with_bytecode_once(repo: Repo) -> None:
    """Commit bytecode and delete it, so that index and HEAD are clean."""
    with_bytecode(repo)
    repo.commit("c", "--no-verify")
    repo.git("rm", "-q", "-r", "pkg/__pycache__")
    repo.commit("c", "--no-verify")


def without_rules(repo: Repo) -> None:
    """Stage an ignore file that ignores nothing."""
    repo.add(".gitignore", "__pycache__/ # caches\n")


def with_careless_source(repo: Repo) -> None:
    """Stage source that runs bytecode; a script without extension, so that its shebang decides."""
    source = "#!/usr/bin/env python3\nimport os\nos.system('python3 a.pyc')\n"
    repo.add("tool", source).chmod(0o755)
    repo.git("add", "tool")


def with_sourceless_bytecode(repo: Repo) -> None:
    """Stage bytecode without a source."""
    repo.add("pkg/lonely.pyc", BYTECODE)


def with_docker(repo: Repo) -> None:
    """Stage a Docker build that sends its whole context."""
    repo.add("Dockerfile", "FROM scratch\nCOPY . /\n")


def with_archive(repo: Repo) -> None:
    """Build an archive that ships a cache."""
    target = repo.write("dist/pkg.zip")
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("pkg/__pycache__/m.cpython-313.pyc", BYTECODE)


#: For each hook, a problem that it reports, and its message.
PROBLEMS: dict[str, tuple[Callable[[Repo], None], str]] = {
    "forbid-bytecode": (with_bytecode, "PYC001 bytecode is tracked"),
    "forbid-bytecode-paths": (with_bytecode, "Python bytecode must not be committed"),
    "check-gitignore": (without_rules, "PYC104 `__pycache__/ # caches` matches no bytecode"),
    "check-history": (with_bytecode_once, "PYC001 bytecode comes in with commit "),
    "fix-gitignore": (without_rules, "added `__pycache__/`, `*.py[co]`"),
    "lint-bytecode-use": (with_careless_source, "tool:3:1: PYC405 bytecode is run as a script"),
    "verify-bytecode": (with_sourceless_bytecode, "pkg/lonely.pyc: PYC204 "),
    "check-dockerignore": (with_docker, "PYC301 "),
    "fix-dockerignore": (with_docker, "`**/__pycache__`"),
    "check-dist": (with_archive, "PYC311 "),
}


@pytest.mark.parametrize("hook", sorted(HOOKS.keys() - {"clean-orphans"}))  # which never does
def test_hook_reports_a_problem(hook: str, runner: Runner, project: Repo) -> None:
    spoil, words = PROBLEMS[hook]
    runner.configure(project, hook)
    spoil(project)
    done = runner(project, "run", hook, "--all-files", "--hook-stage", HOOKS[hook]["stages"][-1])
    assert done.code == 1, done
    assert words in done.out


@pytest.mark.parametrize("stage", STAGES)
def test_hooks_pass_in_a_healthy_project(stage: str, runner: Runner, project: Repo) -> None:
    runner.configure(project, *HOOKS)
    project.commit()
    done = runner(project, "run", "--all-files", "--hook-stage", stage)
    assert done.code == 0, done
    for entry in HOOKS.values():
        assert (f"{entry['name']}.." in done.out) is (stage in entry["stages"])
    assert project.git("status", "--porcelain") == ""


def test_every_hook_matches_files(runner: Runner, project: Repo) -> None:
    runner.configure(project, *HOOKS)
    with (project.path / ".pre-commit-config.yaml").open("a") as config:
        config.write("- repo: meta\n  hooks: [{id: check-hooks-apply}]\n")
    project.git("add", "-A")
    done = runner(project, "run", "check-hooks-apply", "--all-files", "--verbose")
    assert done.code == 0, done
    assert "Passed" in done.out


def install(runner: Runner, repo: Repo, *hooks: str) -> None:
    """Install hooks in a repository."""
    runner.configure(repo, *hooks)
    repo.commit()
    stages = ["pre-commit", "pre-merge-commit", "pre-push"]
    done = runner(repo, "install", *[word for stage in stages for word in ("-t", stage)])
    assert done.code == 0, done


@pytest.mark.parametrize("options", [[], ["-a"], ["--", "pkg/m.pyc"]], ids=["plain", "-a", "PATH"])
def test_commit_with_bytecode_is_refused(options: list[str], runner: Runner, project: Repo) -> None:
    """A commit that removes bytecode is accepted."""
    project.add("pkg/m.pyc", BYTECODE)
    install(runner, project, "forbid-bytecode", "check-gitignore")
    before = project.git("rev-parse", "HEAD")
    project.write("pkg/m.pyc", BYTECODE + b"changed")
    if not options:
        project.git("add", "-f", "pkg/m.pyc")
    done = runner.git(project, "commit", "-m", "c", *options)
    assert done.code == 1
    assert "pkg/m.pyc: PYC001 bytecode is tracked" in done.err
    assert project.git("rev-parse", "HEAD") == before
    project.git("rm", "-q", "-f", "pkg/m.pyc")
    done = runner.git(project, "commit", "-m", "c", *options)
    assert done.code == 0, done
    assert "pkg/m.pyc" not in project.tracked()


def test_fixing_hooks_refuse_a_commit_once(runner: Runner, project: Repo) -> None:
    """A commit is refused once; files stay untracked, and added patterns must be staged."""
    install(runner, project, "forbid-bytecode --fix", "fix-gitignore")
    project.add(".gitignore", "build/\n")
    project.add("pkg/m.pyc", BYTECODE)
    done = runner.git(project, "commit", "-m", "c")
    assert done.code == 1
    assert "untracked; the file stays on disk" in done.err
    assert "added `__pycache__/`, `*.py[co]`" in done.err
    assert (project.path / ".gitignore").read_text() == "build/\n__pycache__/\n*.py[co]\n"
    assert (project.path / "pkg/m.pyc").read_bytes() == BYTECODE
    project.git("add", ".gitignore")
    done = runner.git(project, "commit", "-m", "c")
    assert done.code == 0, done
    assert project.git("status", "--porcelain") == ""


def test_merge_that_adds_bytecode_is_refused(runner: Runner, project: Repo) -> None:
    runner.configure(project, "forbid-bytecode", "check-gitignore")
    project.commit()
    project.git("checkout", "-q", "-b", "other")
    project.add("pkg/__pycache__/m.cpython-313.pyc", BYTECODE)
    project.commit()
    project.git("checkout", "-q", "main")
    install(runner, project, "forbid-bytecode", "check-gitignore")
    done = runner.git(project, "merge", "--no-ff", "-m", "m", "other")
    assert done.code != 0
    assert "PYC001 bytecode is tracked" in done.out + done.err
    assert project.git("rev-list", "--count", "--merges", "HEAD") == "0"


def test_push_of_bytecode_is_refused(
    runner: Runner, project: Repo, make_repo: Callable[..., Repo]
) -> None:
    remote = make_repo("remote", "--bare")
    project.git("remote", "add", "origin", os.fspath(remote.path))
    install(runner, project, "forbid-bytecode", "check-gitignore")
    assert runner.git(project, "push", "origin", "main").code == 0
    with_bytecode(project)
    project.commit("c", "--no-verify")
    done = runner.git(project, "push", "origin", "main")
    assert done.code != 0
    assert "PYC001 bytecode is tracked" in done.out + done.err
    assert remote.git("rev-parse", "main") == project.git("rev-parse", "HEAD^")


@pytest.mark.parametrize("form", ["a root", "a new branch", "an update", "a tag", "a force push"])
def test_push_of_deleted_bytecode_is_refused(
    form: str, runner: Runner, project: Repo, make_repo: Callable[..., Repo]
) -> None:
    """In every form in which a runner passes the pushed refs; a push without bytecode succeeds."""
    remote = make_repo("remote", "--bare")
    project.git("remote", "add", "origin", os.fspath(remote.path))
    install(runner, project, "check-history")
    if form != "a root":
        assert runner.git(project, "push", "origin", "main").code == 0
    clean = project.commit("clean", "--no-verify")
    with_bytecode_once(project)
    words = ["main"]
    if form == "a new branch":
        words = ["main:refs/heads/new"]
    elif form == "a tag":
        project.git("tag", "-a", "-m", "m", "v1")
        words = ["v1"]
    elif form == "a force push":
        project.git("push", "-q", "--no-verify", "origin", f"{clean}:refs/heads/main")
        project.git("commit", "-q", "--amend", "--no-verify", "-m", "other")
        words = ["--force", "main"]
    before = remote.git("for-each-ref")
    done = runner.git(project, "push", "origin", *words)
    assert done.code != 0
    assert "PYC001 bytecode comes in with commit " in done.out + done.err
    assert remote.git("for-each-ref") == before
    done = runner.git(project, "push", "origin", f"+{clean}:refs/heads/main")
    assert done.code == 0, done


def test_push_of_the_root_commit_passes(
    runner: Runner, project: Repo, make_repo: Callable[..., Repo]
) -> None:
    remote = make_repo("remote", "--bare")
    project.git("remote", "add", "origin", os.fspath(remote.path))
    install(runner, project, "check-history")
    assert runner.git(project, "push", "origin", "main").code == 0


def test_symlinks_and_submodules_are_refused(runner: Runner, project: Repo) -> None:
    """`language: fail` sees symlinks and submodules too; not what is tracked and gone from disk."""
    runner.configure(project, "forbid-bytecode-paths", "forbid-bytecode")
    target = project.path / "link.pyc"
    target.symlink_to("nowhere")
    project.git("add", "-f", "link.pyc")
    done = runner(project, "run", "forbid-bytecode-paths", "--all-files")
    assert (done.code, "link.pyc" in done.out) == (1, True)
    project.git("rm", "-q", "--cached", "link.pyc")
    (project.path / "__pycache__").mkdir()
    project.stage("__pycache__", project.git("rev-parse", "HEAD"), mode="160000")
    done = runner(project, "run", "forbid-bytecode-paths", "--all-files")
    assert (done.code, "__pycache__" in done.out) == (1, True)
    project.git("rm", "-q", "--cached", "__pycache__")
    project.stage("gone.pyc", BYTECODE)
    assert runner(project, "run", "forbid-bytecode", "--all-files").code == 1


REFUSED = [
    "a.pyc",
    "A.PYO",
    "d/__PyCache__/x.txt",
    "e/a$py.class",
    "a.cpython-313.pyc.140162621172480",
    "größe.pyc",
    "[x] (y).pyc",
]
ALLOWED = ["a.pyd", "a.pyc.txt", "pyc", "my__pycache__/x", "b.pyc.1a", "a.py", "pyc\n"]


def test_path_regex_matches_the_same_paths_in_both_runners(runner: Runner, project: Repo) -> None:
    runner.configure(project, "forbid-bytecode-paths")
    for path in [*REFUSED, *ALLOWED, "odd.pyc\n"]:
        project.add(path)
    done = runner(project, "run", "--all-files")
    assert done.code == 1
    lines = [line.strip() for line in done.out.splitlines()]
    reported = {line for line in lines if line and not line.startswith(("- ", "forbid"))}
    assert reported == {*REFUSED, HOOKS["forbid-bytecode-paths"]["entry"]}
