"""Exit code 0 needs something checked: every command in every state in which it can check nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from conftest import PROGRAM
from faults.fault_env import Sandbox, posix, slow
from helpers.git_version import require_ownership_check
from helpers.repo import BYTECODE, Repo
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

#: Each needs an index, and so a work tree.
OF_THE_INDEX: tuple[tuple[str, ...], ...] = (
    ("forbid-bytecode",),
    ("forbid-bytecode", "--staged"),
    ("forbid-bytecode", "--content", "all"),
    ("forbid-bytecode", "--content", "none"),
    ("forbid-bytecode", "--staged", "--content", "none"),
    ("forbid-bytecode", "--fix"),
    ("check-gitignore",),
    ("check-gitignore", "--fix"),
    ("fix",),
    ("fix", "--dry-run"),
    ("verify-bytecode", "--tracked"),
    ("verify-bytecode", "--tracked", "--python", sys.executable),
    ("lint",),
    ("check-dockerignore",),
    ("check-dockerignore", "--fix"),
    ("check-dockerignore", "."),
    ("ci", "--range", "HEAD"),
)
#: Each needs a repository.
OF_COMMITS: tuple[tuple[str, ...], ...] = (
    ("forbid-bytecode", "--tree", "HEAD"),
    ("check-history",),
    ("check-history", "--all"),
    ("check-history", "HEAD"),
    ("check-history", "--content", "none", "HEAD~1..HEAD"),
    ("inspect", "HEAD:data.bin"),
)


class State(NamedTuple):
    """Where a command is called."""

    #: The directory.
    place: Path
    #: Whether commits can be read there.
    has_commits: bool = False
    environment: tuple[tuple[str, str], ...] = ()


def source(path: Path) -> Repo:
    """Make a repository with something to find for each command."""
    repo = Repo.init(path / "source")
    repo.add("a.pyc", BYTECODE)
    repo.add("data.bin", BYTECODE)
    repo.add("m.py", "import sys\nsys.dont_write_bytecode = True\n")
    repo.add("Dockerfile", "FROM scratch\nCOPY . .\n")
    repo.commit()
    return repo


def bare(path: Path) -> State:
    source(path).git("clone", "-q", "--bare", ".", "../bare.git")
    return State(path / "bare.git", has_commits=True)


def deep_in_bare(path: Path) -> State:
    return State(bare(path).place / "refs" / "heads", has_commits=True)


def bare_with_an_index(path: Path) -> State:
    """Return a checkout in which a tool has set `core.bare`."""
    repo = source(path)
    repo.git("config", "core.bare", "true")
    return State(repo.path, has_commits=True)


def bare_by_a_worktree_setting(path: Path) -> State:
    repo = source(path)
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--unset", "core.bare")
    repo.git("config", "--file", ".git/config.worktree", "core.bare", "true")
    return State(repo.path, has_commits=True)


def root_with_worktrees(path: Path) -> State:
    repo = source(path)
    root = path / "root"
    root.mkdir()
    repo.git("clone", "-q", "--bare", ".", "../root/.bare")
    (root / ".git").write_text("gitdir: ./.bare\n")
    Repo(root).git("worktree", "add", "-q", "main")
    return State(root, has_commits=True)


def root_below_a_bare_one(path: Path) -> State:
    """Return a directory next to the worktrees that belongs to none of them."""
    root = root_with_worktrees(path).place
    (root / "notes").mkdir()
    return State(root / "notes", has_commits=True)


def root_whose_git_is_bare(path: Path) -> State:
    root = path / "root"
    root.mkdir()
    source(path).git("clone", "-q", "--bare", ".", "../root/.git")
    return State(root, has_commits=True)


def inside_git(path: Path) -> State:
    return State(source(path).path / ".git", has_commits=True)


def git_dir_of_a_bare_one(path: Path) -> State:
    """From an empty directory, which git would use as the work tree if the repository were not bare."""
    where = os.fspath(bare(path).place)
    (path / "empty").mkdir()
    return State(path / "empty", has_commits=True, environment=(("GIT_DIR", where),))


def no_repository(path: Path) -> State:
    return State(path)


def refused(path: Path) -> State:
    """Another user owns the repository (`safe.directory`)."""
    require_ownership_check()
    repo = source(path)
    return State(repo.path, environment=(("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"),))


def worktree_elsewhere_gone(path: Path) -> State:
    repo = source(path)
    repo.git("config", "core.worktree", "../../gone/tree")
    return State(repo.path)


def git_dir_nowhere(path: Path) -> State:
    return State(source(path).path, environment=(("GIT_DIR", os.fspath(path / "gone")),))


def gitfile_to_nowhere(path: Path) -> State:
    (path / ".git").write_text("gitdir: gone\n")
    return State(path)


def worktree_of_a_repository_that_moved(path: Path) -> State:
    repo = source(path)
    repo.git("worktree", "add", "-q", "../linked")
    repo.path.rename(path / "moved")
    return State(path / "linked")


def broken_configuration(path: Path) -> State:
    repo = source(path)
    repo.write(".git/config", "[core\n")
    return State(repo.path)


def no_git(path: Path) -> State:
    repo = source(path)
    (path / "bin").mkdir()
    return State(repo.path, environment=(("PATH", os.fspath(path / "bin")),))


def git_in_a_relative_entry(path: Path) -> State:
    """Put a program into the checkout that is not git."""
    repo = source(path)
    script = repo.write("git", "#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    return State(repo.path, environment=(("PATH", ":."),))


STATES: dict[str, Callable[[Path], State]] = {
    "a bare repository": bare,
    "below a bare repository": deep_in_bare,
    "a bare repository with an index": bare_with_an_index,
    "a repository that config.worktree makes bare": bare_by_a_worktree_setting,
    "the root of a bare repository with worktrees": root_with_worktrees,
    "beside its worktrees": root_below_a_bare_one,
    "a root whose .git is a bare repository": root_whose_git_is_bare,
    "inside .git": inside_git,
    "GIT_DIR of a bare repository": git_dir_of_a_bare_one,
    "no repository": no_repository,
    "a repository that git refuses": refused,
    "a work tree that is gone": worktree_elsewhere_gone,
    "GIT_DIR that is not there": git_dir_nowhere,
    "a .git file that leads nowhere": gitfile_to_nowhere,
    "a worktree whose repository was moved": worktree_of_a_repository_that_moved,
    "a configuration that git does not read": broken_configuration,
    "no git": no_git,
    "a git in the current directory alone": git_in_a_relative_entry,
}


@pytest.mark.parametrize("name", STATES)
def test_nothing_passes_that_was_not_judged(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line with the reason, empty stdout, and no file is written."""
    state = STATES[name](tmp_path)
    monkeypatch.chdir(state.place)
    for variable, value in state.environment:
        monkeypatch.setenv(variable, value)
    before = sorted(os.walk(tmp_path))
    calls = [*OF_THE_INDEX, *(() if state.has_commits else OF_COMMITS)]
    for call in calls:
        code, out, err = run(*call)
        assert (code, out) == (2, ""), (call, out, err)
        assert err.startswith("error: "), call
        assert err.count("\n") == 1, call
    assert sorted(os.walk(tmp_path)) == before


@pytest.mark.parametrize(
    "name", ["a bare repository", "the root of a bare repository with worktrees"]
)
def test_commits_are_judged_without_a_work_tree(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(STATES[name](tmp_path).place)
    for call in (("forbid-bytecode", "--tree", "HEAD"), ("check-history", "--all")):
        code, out, err = run(*call)
        assert (code, err) == (1, ""), call
        assert "a.pyc: PYC001" in out
        assert "data.bin: PYC002" in out


def test_a_refusal_is_in_the_words_of_git(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = refused(tmp_path)
    monkeypatch.chdir(state.place)
    for variable, value in state.environment:
        monkeypatch.setenv(variable, value)
    for call in (("forbid-bytecode",), ("check-gitignore",), ("lint",)):
        assert "detected dubious ownership in repository" in run(*call).err


#: Ranges that a script writes where a variable is not set.
EMPTY_SIDES = ("..HEAD", "HEAD..", "..", "...HEAD", "HEAD...", "...", "^", "HEAD ^")


@pytest.mark.parametrize("words", EMPTY_SIDES)
def test_m11_a_range_without_a_side_is_refused(
    words: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source(tmp_path).path)
    for options in ((), ("--content", "none")):
        code, out, err = run("check-history", *options, *words.split(" "))
        assert (code, out) == (2, ""), err


#: Valid work trees: their contents are found from each directory.
def separate(path: Path) -> Path:
    repo = source(path)
    repo.git("init", "-q", "--separate-git-dir", "../apart.git")
    return repo.path


def submodule(path: Path) -> Path:
    inner = source(path)
    outer = Repo.init(path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    return outer.path / "sub"


def linked(path: Path) -> Path:
    source(path).git("worktree", "add", "-q", "../linked")
    return path / "linked"


def linked_to_a_bare_one(path: Path) -> Path:
    return root_with_worktrees(path).place / "main"


def elsewhere(path: Path) -> Path:
    """We stand beside the repository; `core.worktree` has the files."""
    repo = source(path)
    beside = path / "beside"
    beside.mkdir()
    (repo.path / ".git").rename(beside / ".git")
    Repo(beside).git("config", "core.worktree", "../../source")
    (beside / "pyproject.toml").write_text(
        '[tool.pycache-guard]\nallow = [{ path = "**", reason = "not ours" }]\n'
    )
    return beside


def above(path: Path) -> Path:
    """Put `.git` below the work tree."""
    repo = source(path)
    inner = repo.path / "inner"
    inner.mkdir()
    (repo.path / ".git").rename(inner / ".git")
    Repo(inner).git("config", "core.worktree", "../..")
    (inner / "pyproject.toml").write_text(
        '[tool.pycache-guard]\nallow = [{ path = "**", reason = "not ours" }]\n'
    )
    return inner


def inside_a_damaged_one(path: Path) -> Path:
    """Put a `.git` without objects below the top: git passes it over."""
    repo = source(path)
    repo.write("inner/.git/HEAD", "ref: refs/heads/main\n")
    repo.write(
        "inner/pyproject.toml",
        '[tool.pycache-guard]\nallow = [{ path = "**", reason = "not ours" }]\n',
    )
    return repo.path / "inner"


PLACES = {
    "a repository apart": separate,
    "a submodule": submodule,
    "a linked worktree": linked,
    "a worktree of a bare repository": linked_to_a_bare_one,
    "core.worktree elsewhere": elsewhere,
    "core.worktree above": above,
    "a .git that is damaged": inside_a_damaged_one,
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_tracked_is_found_in_every_work_tree(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `pyproject.toml` that is in no work tree, or not at its top, allows nothing."""
    place = PLACES[name](tmp_path)
    monkeypatch.chdir(place)
    for call in (("forbid-bytecode", "--content", "all"), ("forbid-bytecode", "--staged")):
        code, out, err = run(*call)
        is_staged = "--staged" in call  # nothing is new
        assert (code, err) == (0 if is_staged else 1, ""), (call, out, err)
        assert is_staged or "a.pyc: PYC001" in out
    assert run("check-gitignore").code == 1
    assert run("lint").code == 1
    top = subprocess.check_output(["git", "rev-parse", "--show-toplevel"], text=True).strip()
    ignore = os.path.join(top, ".gitignore")
    assert run("forbid-bytecode", "--fix", "--content", "all").code == 1
    assert subprocess.check_output(["git", "ls-files", "-z", ":/a.pyc"]) == b""
    assert run("check-gitignore", "--fix").code == 1
    assert os.path.exists(ignore)
    assert not os.path.lexists(".gitignore") or os.path.samefile(ignore, ".gitignore")


@pytest.mark.parametrize("name", PLACES)
def test_an_allowance_at_the_top_counts_in_every_work_tree(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = PLACES[name](tmp_path)
    monkeypatch.chdir(place)
    top = subprocess.check_output(["git", "rev-parse", "--show-toplevel"], text=True).strip()
    with open(os.path.join(top, "pyproject.toml"), "w", encoding="utf-8") as file:
        file.write(
            '[tool.pycache-guard]\nallow = [{ path = "a.pyc", reason = "r" },'
            ' { path = "data.bin", reason = "r" }]\n'
        )
    assert run("forbid-bytecode", "--content", "all") == CLEAN


#: Files that git reads, replaced with a pipe without a writer.
PIPES = (
    *(".git/info/exclude", ".git/packed-refs", ".git/shallow", ".git/index", ".git/HEAD"),
    *(".git/config", ".git/objects/info/alternates", "excludes", "attributes"),
)
#: Ended sooner than the program ends a git, a run would be killed: that is a failure here.
LIMIT_SECONDS = 100


@posix
@slow
@pytest.mark.parametrize("pipe", PIPES)
@pytest.mark.parametrize(
    "call", [("forbid-bytecode",), ("check-gitignore",), ("check-history", "HEAD")]
)
def test_a_git_that_never_answers_is_ended(
    pipe: str, call: tuple[str, ...], tmp_path: Path
) -> None:
    repo = source(tmp_path)
    repo.git("config", "core.excludesFile", str(repo.path / "excludes"))
    repo.git("config", "core.attributesFile", str(repo.path / "attributes"))
    target = repo.path / pipe
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    os.mkfifo(target)
    done = subprocess.run(
        [PROGRAM, *call], cwd=repo.path, capture_output=True, check=False, timeout=LIMIT_SECONDS
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode in (1, 2)
    assert done.returncode == 1 or done.stderr.startswith(b"error: ")


@posix
def test_a_git_that_never_answers_is_ended_after_a_while(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """The same with a shorter limit."""
    from faults.fault_env import copied
    from pycache_guard.git import spawn

    monkeypatch.setattr(spawn, "SILENCE_MILLISECONDS", 200)
    scene: Sandbox = copied(template, tmp_path / "scene")
    exclude = scene.path / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    os.mkfifo(exclude)
    monkeypatch.chdir(scene.path)
    for call in (("forbid-bytecode",), ("forbid-bytecode", "--fix"), ("fix",), ("doctor",)):
        code, out, err = run(*call)
        assert code in (1, 2), call
        assert code == 1 or "and was stopped; a file that it reads may be a pipe" in err, (out, err)
    exclude.unlink()  # the printed commands would wait for it, with the usual limit
