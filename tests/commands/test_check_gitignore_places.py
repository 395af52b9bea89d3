"""Where rules do not come from, and where bytecode can come to lie."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from helpers.fresh_clone import FreshClone
from helpers.repo import Repo
from helpers.report_parser import (
    CLEAN,
    EVERY_PROBE,
    fix_commands,
    parse_report,
    run_fixes,
    run_shell,
)
from helpers.runners import SCRIPTS
from pycache_guard.bytecode.probes import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

GOOD = "__pycache__/\n*.py[co]\n"


def private(out: str) -> list[tuple[str, str]]:
    """Return place and words of PYC103."""
    return [(f.place, f.words) for f in parse_report(out) if f.code == "PYC103"]


def test_untracked_ignore_file_does_not_count(repo: Repo, run: Run) -> None:
    repo.add("a.py")
    repo.write(".gitignore", GOOD)
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    assert private(result.out) == [(".gitignore", "is not tracked")]
    assert fix_commands(result.out) == ["git add -f -- .gitignore"]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_untracked_ignore_file_with_some_lines_is_completed(repo: Repo, run: Run) -> None:
    repo.add("a.py")
    repo.write(".gitignore", "__pycache__/")
    result = run("check-gitignore", *EVERY_PROBE)
    assert fix_commands(result.out) == [
        "printf '%s\\n' '' '*.py[co]' >> .gitignore && git add -f -- .gitignore"
    ]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_unstaged_lines_do_not_count(repo: Repo, run: Run) -> None:
    repo.add("a.py")
    repo.add(".gitignore", "*.so\n")
    repo.commit()
    repo.write(".gitignore", "*.so\n" + GOOD)
    result = run("check-gitignore", *EVERY_PROBE)
    assert private(result.out) == [(".gitignore", "has rules that are not staged")]
    assert fix_commands(result.out) == ["git add -f -- .gitignore"]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_ignore_file_that_is_not_on_disk_counts(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", GOOD)
    repo.add("a.py")
    (repo.path / ".gitignore").unlink()
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_unstaged_nested_ignore_file_does_not_count(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", GOOD)
    repo.add("pkg/.gitignore", "!*\n")
    repo.add("pkg/a.py")
    repo.write("pkg/.gitignore", "")
    result = run("check-gitignore", *EVERY_PROBE)
    assert [(f.place, f.code) for f in parse_report(result.out)] == [
        ("pkg/.gitignore", "PYC103"),
        ("pkg/.gitignore:1", "PYC102"),
    ]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


@pytest.mark.parametrize("way", ["core.excludesFile", "info/exclude", "XDG"])
def test_excludes_of_the_user_do_not_count(
    way: str, repo: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it matter that they take something back in."""
    repo.add("a.py")
    file = tmp_path / "git" / "ignore"
    shown = os.fspath(file)
    if way == "info/exclude":
        file = repo.path / ".git" / "info" / "exclude"
        shown = ".git/info/exclude"
    elif way == "core.excludesFile":
        repo.git("config", way, shown)
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    file.parent.mkdir(exist_ok=True)
    file.write_text(GOOD)
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    assert private(result.out) == [(shown, "ignores bytecode for this person only")]
    assert len(fix_commands(result.out)) == 1
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    file.write_text("!*\n")
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_excludes_in_git_config_parameters_do_not_count(
    repo: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").write_text(GOOD)
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.excludesFile={tmp_path}/mine'")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"{tmp_path}/mine")
    repo.add("a.py")
    assert run("check-gitignore", *EVERY_PROBE).code == 1


def test_untracked_link_is_replaced_by_a_file(repo: Repo, run: Run) -> None:
    """Git before 2.32 follows it, but to stage it would help nobody else."""
    repo.add("rules", GOOD)
    repo.add("a.py")
    (repo.path / ".gitignore").symlink_to("rules")
    result = run("check-gitignore", *EVERY_PROBE)
    assert [(f.place, f.code) for f in parse_report(result.out)] == [(".gitignore", "PYC101")]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert (repo.path / "rules").read_text() == GOOD


@pytest.mark.parametrize("target", ["rules", "nowhere", "/dev/null"])
def test_ignore_file_that_is_a_link_is_reported(target: str, repo: Repo, run: Run) -> None:
    repo.add("rules", GOOD)
    repo.add("a.py")
    (repo.path / ".gitignore").symlink_to(target)
    repo.git("add", ".gitignore")
    result = run("check-gitignore", *EVERY_PROBE)
    assert private(result.out) == [(".gitignore", "is a symbolic link, which git does not follow")]
    assert run("check-gitignore", *EVERY_PROBE, "--fix") == (
        2,
        "",
        "error: ./.gitignore: is a symbolic link; nothing was written\n",
    )
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert (repo.path / "rules").read_text() == GOOD
    assert not (repo.path / "nowhere").exists()


def test_nested_ignore_files_that_git_does_not_honour_are_reported(repo: Repo, run: Run) -> None:
    """They are untracked, where the top file is the one to complete."""
    repo.add(".gitignore", "*.py[co]\n")
    repo.add("a/m.py")
    repo.stage("a/.gitignore", "../.gitignore", mode="120000")
    repo.stage("b/.gitignore", repo.commit(), mode="160000")
    result = run("check-gitignore", *EVERY_PROBE)
    assert private(result.out) == [
        ("a/.gitignore", "is a symbolic link, which git does not follow"),
        ("b/.gitignore", "is a submodule"),
    ]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


ODD = [
    ":(top)x",
    ":!x",
    "-rf",
    "*",
    "[a]",
    "a b ",
    "new\nline",
    "tab\there",
    "quo'te\"",
    "back\\slash",
    "$(x)",
    "größe",
    "non-utf-8-\udcff",
    "{{cookiecutter}}",
    "C#",
    "!x",
    "a.py",
]


@pytest.mark.parametrize("place", ODD)
def test_directories_of_any_name_are_checked(
    place: str, repo: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add(".gitignore", GOOD)
    repo.add(f"{place}/m.py")
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    repo.add(f"{place}/.gitignore", "*.c\n!m.*\n!__pycache__/")
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    assert [(f.place.rpartition("/")[2], f.code) for f in parse_report(result.out)] == [
        (".gitignore:2", "PYC102"),
        (".gitignore:3", "PYC102"),
    ]
    assert result.out.isascii() or place == "größe"
    assert run("check-gitignore", *EVERY_PROBE, "--fix") == result
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    # The same from below.
    repo.add(f"{place}/.gitignore", "!m.*\n!__pycache__/\n")
    monkeypatch.chdir(repo.path / place)
    for remedy in fix_commands(run("check-gitignore", *EVERY_PROBE).out):
        run_shell(remedy, cwd=repo.path / place)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    clone = FreshClone(repo, tmp_path / "clone")
    clone.create(
        [os.fsencode(f"{place}/__pycache__/m.cpython-313.pyc"), os.fsencode(f"{place}/m.pyc")]
    )
    assert clone.untracked() == set()


#: A path, its mode, its content, and a rule that names the module's legacy bytecode.
MODULES = [
    ("d/m.py", "100644", "", "!/d/m.pyc"),
    ("d/m.pyw", "100644", "", "!/d/m.pyc"),
    ("d/m.PY", "100644", "", "!/d/m.pyc"),
    ("d/x.y.z.py", "100644", "", "!/d/x.y.z.pyc"),
    ("d/script", "100755", "#!/usr/bin/env python3\n", "!/d/script.pyc"),
    ("d/script", "100755", "#!/usr/bin/python3.11 -I\n", "!/d/script.pyc"),
    ("d/link.py", "120000", "elsewhere", "!/d/link.pyc"),
    ("wscript", "100644", "", "!/wscript.pyc"),
]
NO_MODULES = [
    ("d/script", "100644", "#!/usr/bin/env python3\n", "!/d/script.pyc"),
    ("d/script", "100755", "#!/bin/sh\n", "!/d/script.pyc"),
    ("d/script", "100755", "\x7fELF", "!/d/script.pyc"),
    ("d/script", "100755", "", "!/d/script.pyc"),
    ("d/m.txt", "100755", "#!/usr/bin/env python3\n", "!/d/m.pyc"),
    ("d/m.pyi", "100644", "", "!/d/m.pyc"),
    ("d/m.pyd", "100644", "", "!/d/m.pyc"),
]


@pytest.mark.parametrize(("path", "mode", "content", "rule"), MODULES)
def test_modules_of_every_kind_are_checked(
    path: str, mode: str, content: str, rule: str, repo: Repo, run: Run
) -> None:
    repo.add(".gitignore", f"{GOOD}{rule}\n")
    repo.stage(f"other/{os.path.basename(path)}", content, mode=mode)
    repo.stage(path, content, mode=mode)
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.out.startswith(
        f".gitignore:3: PYC102 `{rule}` re-includes bytecode: {rule[2:]}\n"
    )


@pytest.mark.parametrize(("path", "mode", "content", "rule"), NO_MODULES)
def test_other_files_are_not_modules(
    path: str, mode: str, content: str, rule: str, repo: Repo, run: Run
) -> None:
    repo.add(".gitignore", f"{GOOD}{rule}\n")
    repo.stage(path, content, mode=mode)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_submodules_are_not_checked(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", GOOD)
    repo.stage("sub", repo.commit(), mode="160000")
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_directory_that_is_a_link_on_disk_is_checked(repo: Repo, run: Run) -> None:
    """Git refuses to be asked about what is behind it; the answer is the same."""
    repo.stage("pkg/m.py")
    (repo.path / "pkg").symlink_to(".")
    repo.write(".gitignore", GOOD)
    result = run("check-gitignore", *EVERY_PROBE)
    assert {f.code for f in parse_report(result.out)} == {"PYC101"}


def test_commands_in_a_subdirectory_work_there(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("pkg/sub/m.py")
    below = repo.path / "pkg" / "sub"
    monkeypatch.chdir(below)
    result = run("check-gitignore", *EVERY_PROBE)
    assert (result.code, {f.place for f in parse_report(result.out)}) == (1, {".gitignore"})
    for remedy in fix_commands(result.out):
        run_shell(remedy, cwd=below)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert (repo.path / ".gitignore").read_text() == GOOD


def test_linked_work_tree_is_checked(repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.add("a.py")
    repo.commit()
    repo.git("worktree", "add", "-q", "-b", "other", "../linked")
    linked = Repo(repo.path.parent / "linked")
    (repo.path / ".git" / "info").mkdir()
    (repo.path / ".git" / "info" / "exclude").write_text(GOOD)
    monkeypatch.chdir(linked.path)
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    run_fixes(result.out, linked.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    monkeypatch.chdir(repo.path)
    assert run("check-gitignore", *EVERY_PROBE).code == 1


@pytest.mark.parametrize("own", [[], ["-a"], ["PATH"]], ids=str)
def test_temporary_index_of_a_commit_is_checked(
    own: list[str], repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under `git commit -a` and `git commit PATH` it is another than `.git/index`."""
    repo.add("a.py")
    repo.add(".gitignore", "x\n")
    repo.commit()
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexec pycache-guard check-gitignore\n")
    hook.chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(SCRIPTS), prepend=os.pathsep)
    repo.write(".gitignore", GOOD)
    if not own:
        repo.git("add", ".gitignore")
    repo.git("commit", "-q", "-m", "c", *[w if w[0] == "-" else ".gitignore" for w in own])
    repo.write(".gitignore", "x\n")
    if not own:
        repo.git("add", ".gitignore")
    with pytest.raises(AssertionError, match="PYC101"):
        repo.git("commit", "-q", "-m", "c", *[w if w[0] == "-" else ".gitignore" for w in own])


@pytest.mark.parametrize("is_cone", [True, False])
def test_sparse_checkout_is_checked_whole(is_cone: bool, repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "*.py[co]")
    repo.add("in/a.py")
    repo.add("out/m.py")
    repo.add("out/.gitignore", "!m.pyc")
    repo.commit()
    repo.make_sparse("in", is_cone=is_cone)
    assert not (repo.path / "out").exists()
    result = run("check-gitignore", *EVERY_PROBE)
    assert [(f.place, f.code) for f in parse_report(result.out)] == [
        (".gitignore", "PYC101"),
        ("out/.gitignore:1", "PYC102"),
    ]
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert repo.git("show", ":.gitignore") == "*.py[co]\n__pycache__/"
    assert repo.git("show", ":out/.gitignore") == "!m.pyc\n*.py[co]"


def test_sha256_repository_is_checked(
    make_repo: Callable[..., Repo], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("sha256", "--object-format=sha256")
    monkeypatch.chdir(repo.path)
    repo.add("a.py")
    repo.stage("script", "#!/usr/bin/python\n", mode="100755")
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


CONFIGURED = [
    ('["cache"]', "__pycache__/\n", 0),
    ('["cache"]', "*.py[co]\n", 0),
    ('["cache"]', "*.py[co]x\n", 1),
    ('["temporary"]', "*.py[co]\n", 1),
    ('["temporary"]', "__pycache__/\n", 0),
    ('["python2"]', "*.pyc\n", 1),
    ('["python2"]', "*.pyo\n", 0),
    ('["legacy"]', "*.py[co]\n", 0),
    ('["legacy"]', "__pycache__/\n", 1),
    ('["legacy", "cache"]', "__pycache__/\n", 1),
]


@pytest.mark.parametrize(("probes", "rules", "code"), CONFIGURED)
def test_probes_of_the_configuration_are_required(
    probes: str, rules: str, code: int, repo: Repo, run: Run
) -> None:
    repo.add(".gitignore", rules)
    repo.write("pyproject.toml", f"[tool.pycache-guard]\nprobes = {probes}\n")
    result = run("check-gitignore")
    assert result.code == code
    named = [word for name in SUFFIXES if name in probes for word in ("--probe", name)]
    (repo.path / "pyproject.toml").unlink()
    assert run("check-gitignore", *named) == result


def test_probes_of_the_command_line_replace_those_of_the_configuration(
    repo: Repo, run: Run
) -> None:
    repo.add(".gitignore", "__pycache__/\n")
    repo.write("pyproject.toml", '[tool.pycache-guard]\nprobes = ["cache"]\n')
    assert run("check-gitignore").code == 0
    assert run("check-gitignore", *EVERY_PROBE[4:]).code == 1


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--probe", "x"], "argument --probe: invalid choice: 'x'"),
        (["x"], "unrecognized arguments: x"),
        (["--format", "x"], "argument --format: invalid choice"),
    ],
)
def test_wrong_usage_is_an_error(argv: list[str], words: str, repo: Repo, run: Run) -> None:
    result = run("check-gitignore", *EVERY_PROBE, *argv)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {words}")
    assert result.err.count("\n") == 1


def test_place_without_an_index_is_an_error(
    make_repo: Callable[..., Repo], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_repo("bare", "--bare")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    for place in (bare.path, nothing):
        monkeypatch.chdir(place)
        for command in (["check-gitignore"], ["check-gitignore", "--fix"], ["fix"]):
            result = run(*command)
            assert (result.code, result.out) == (2, "")
            assert result.err.startswith(("error: git ", "error: not inside a work tree"))
            assert result.err.count("\n") == 1


def test_missing_blob_of_an_ignore_file_is_an_error(repo: Repo, run: Run) -> None:
    oid = repo.stage(".gitignore", GOOD)
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    result = run("check-gitignore", *EVERY_PROBE)
    assert (result.code, result.out) == (2, "")
    assert oid in result.err


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-16LE-BOM", "utf-32"])
@pytest.mark.parametrize(
    ("place", "there"),
    [("", "wide"), ("", "plain"), ("", "absent"), ("pkg/", "wide"), ("pkg/", "absent")],
)
def test_ignore_file_that_is_checked_out_as_utf16_is_reported(
    encoding: str, place: str, there: str, repo: Repo, run: Run, tmp_path: Path
) -> None:
    """The index has good rules; what `working-tree-encoding` makes of them, git does not read."""
    repo.add("pkg/m.py", "x = 1\n")
    repo.add(".gitignore", GOOD)
    repo.add(f"{place}.gitignore", GOOD)
    if place:
        repo.add(".gitignore", "directory_that_nobody_has\n/*.py[co]\n/__pycache__/\n")
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    repo.add(".gitattributes", f"{place}.gitignore working-tree-encoding={encoding}\n")
    clone = FreshClone(repo, tmp_path / "clone")
    clone.compile("pkg/m.py")
    assert clone.untracked() != set()
    file = repo.path / place / ".gitignore"
    if there == "wide":
        file.unlink()
        repo.git("checkout", "--", f"{place}.gitignore")
    elif there == "absent":
        file.unlink()
    result = run("check-gitignore", *EVERY_PROBE)
    assert result.code == 1
    assert private(result.out) == [
        (f"{place}.gitignore", f"is checked out as {encoding}; git cannot read patterns in it")
    ]
    assert run("check-gitignore", *EVERY_PROBE, "--fix").code == 1
    run_fixes(result.out, repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    clone = FreshClone(repo, tmp_path / "another")
    clone.compile("pkg/m.py")
    assert clone.untracked() == set()


@pytest.mark.parametrize(
    "attributes",
    ["* text\n", ".gitignore working-tree-encoding=latin-1\n", "# working-tree-encoding\n"],
)
def test_other_attributes_of_an_ignore_file_do_not_matter(
    attributes: str, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor do those of this person."""
    repo.add(".gitignore", GOOD)
    repo.add(".gitattributes", attributes)
    (tmp_path / "mine").write_text("* working-tree-encoding=UTF-16\n")
    repo.git("config", "core.attributesFile", os.fspath(tmp_path / "mine"))
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
