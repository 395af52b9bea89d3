"""`clean` loses nothing that a repository tracks, however damaged the repository is (M12, L3, L4)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from clean.trees import list_tree, make_tree
from helpers.repo import Repo
from pycache_guard.clean.result import clean
from pycache_guard.clean.select import CleanOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Run

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="needs symbolic links, POSIX modes and mounts"
)

TRACKED = ["pkg/__pycache__/m.cpython-312.pyc", "pkg/m.pyc"]


def made(path: Path) -> Repo:
    """Make a repository that tracks caches."""
    path.mkdir(parents=True)
    repo = Repo.init(path)
    repo.add("pkg/m.py", "x = 1\n")
    for name in TRACKED:
        repo.add(name, "tracked")
    repo.commit()
    repo.git("pack-refs", "--all")
    return repo


def lose(*names: str) -> Callable[[Path], None]:
    """Return what removes entries of a `.git`."""

    def change(git: Path) -> None:
        for name in names:
            place = git / name
            shutil.rmtree(place) if place.is_dir() else place.unlink()

    return change


def keep(*names: str) -> Callable[[Path], None]:
    """Return what removes everything else."""

    def change(git: Path) -> None:
        lose(*(entry.name for entry in git.iterdir() if entry.name not in names))(git)

    return change


def put(name: str, content: str) -> Callable[[Path], None]:
    """Return what overwrites a file of a `.git`."""
    return lambda git: void((git / name).write_text(content))


def void(_: object) -> None:
    """Drop a value."""


def link_to(content: str) -> Callable[[Path], None]:
    """Return what puts a file in the place of the directory `.git`."""

    def change(git: Path) -> None:
        shutil.rmtree(git)
        git.write_text(content)

    return change


def replace_head(git: Path) -> None:
    (git / "HEAD").unlink()
    (git / "HEAD").mkdir()


def dangle(git: Path) -> None:
    git.rename(git.parent / "moved")
    git.symlink_to("nowhere")


def feed(git: Path) -> None:
    shutil.rmtree(git)
    os.mkfifo(git)


#: What happens to the `.git`. Each is tried alone and inside another, sound repository.
DAMAGES: dict[str, Callable[[Path], None]] = {
    "no refs": lose("refs"),
    "no refs, no packed refs": lose("refs", "packed-refs"),
    "HEAD is garbage": put("HEAD", "garbage\n"),
    "HEAD is empty": put("HEAD", ""),
    "HEAD is a directory": replace_head,
    "no HEAD": lose("HEAD"),
    "no index": lose("index"),
    "no index, and HEAD's branch is gone": lose("index", "packed-refs"),
    "no index, no branch, no log": lose("index", "packed-refs", "logs"),
    "an empty index": put("index", ""),
    "an index of garbage": put("index", "DIRCgarbage"),
    "no objects": lose("objects"),
    "objects alone": keep("objects"),
    "the index alone": keep("index"),
    "refs alone": keep("refs"),
    "the logs alone": keep("logs"),
    "config alone": keep("config"),
    "config is garbage": put("config", "[[[\n"),
    "of a later format": put("config", "[core]\nrepositoryformatversion = 99\n"),
    "a link that leads nowhere": dangle,
    "a file that names nothing": link_to("gitdir: ../nowhere\n"),
    "a file that names what is no repository": link_to("gitdir: ..\n"),
    "a file of garbage": link_to("garbage\n"),
    "an empty file": link_to(""),
    "a pipe": feed,
}


#: Each damage is tried with two of them, one alone and one inside another repository.
OPTIONS = [(), ("--orphans",), ("pkg",), ("pkg/__pycache__",)]
CASES = [
    (damage, around, OPTIONS[(2 * n + around) % len(OPTIONS)])
    for n, damage in enumerate(DAMAGES)
    for around in (False, True)
]


@pytest.mark.parametrize(("damage", "around", "options"), CASES)
def test_m12_damaged_repository_loses_nothing(
    damage: str,
    around: bool,
    options: tuple[str, ...],
    root: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if around:
        made(root / "outer")
    repo = made(root / "outer" / "inner" if around else root / "stop_leftover_processes")
    repo.write("pkg/__pycache__/gone.cpython-312.pyc")
    monkeypatch.chdir(repo.path)
    before = list_tree(repo.path / "pkg")
    DAMAGES[damage](repo.path / ".git")
    result = run("clean", *options)
    # Without its objects or its log git still lists the index: then what it tracks is known.
    if result.code != 2:
        assert "kept" in result.out or options
        before.discard("__pycache__/gone.cpython-312.pyc")
    assert list_tree(repo.path / "pkg") >= before
    assert result.code == 2 or damage in ("no objects", "no refs, no packed refs")
    # From above it is another repository, and not entered.
    monkeypatch.chdir(repo.path.parent)
    run("clean")
    assert list_tree(repo.path / "pkg") >= before


@pytest.mark.parametrize("damage", ["no refs", "no index", "no HEAD"])
def test_m12_message_names_repository_and_way_out(
    damage: str, root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = made(root / "r")
    DAMAGES[damage](repo.path / ".git")
    monkeypatch.chdir(repo.path)
    result = run("clean")
    assert result.err.startswith(f"error: {repo.path}/.git: ")
    assert result.err.count("\n") == 1
    assert "--include-tracked" in result.err
    assert run("clean", "--include-tracked").code == 0
    assert list_tree(repo.path / "pkg") == {"m.py"}


def test_m12_answer_for_outer_repository_is_refused(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = made(root / "outer")
    inner = made(outer.path / "inner")
    shutil.rmtree(inner.path / ".git" / "refs")
    monkeypatch.chdir(inner.path)
    result = run("clean")
    assert (result.code, result.out) == (2, "")
    assert f"git uses {outer.path}/.git instead" in result.err


@pytest.mark.parametrize("damage", ["gone", "HEAD"])
def test_m12_linked_work_tree_without_its_repository(
    damage: str, root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = made(root / "r")
    repo.git("worktree", "add", "-q", str(root / "linked"))
    if damage == "gone":
        shutil.rmtree(repo.path / ".git")
    else:
        (repo.path / ".git" / "worktrees" / "linked" / "HEAD").unlink()
    monkeypatch.chdir(root / "linked")
    assert run("clean").code == 2
    assert {*TRACKED} <= list_tree(root / "linked")


@pytest.mark.parametrize("lost", ["modules", ".git", "index"])
@pytest.mark.parametrize("path", [".", "sub", "sub/pkg"])
def test_m12_submodule_that_lost_its_git(
    lost: str, path: str, root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its git directory in the outer one, its file `.git`, or its index is missing."""
    made(root / "library")
    outer = made(root / "outer")
    add = ("submodule", "--quiet", "add", f"{root}/library", "sub")
    outer.git("-c", "protocol.file.allow=always", *add)
    outer.commit()
    modules = outer.path / ".git" / "modules"
    if lost == "modules":
        shutil.rmtree(modules)
    elif lost == ".git":
        (outer.path / "sub" / ".git").unlink()
    else:
        (modules / "sub" / "index").unlink()
    monkeypatch.chdir(outer.path)
    result = run("clean", "--", path)
    assert result.code == (0 if path == "." else 2)
    assert {f"sub/{name}" for name in TRACKED} <= list_tree(outer.path)
    if (path, lost) == (".", ".git"):
        assert "kept sub/pkg/m.pyc: in a submodule without .git, so git cannot say" in result.out


@pytest.mark.parametrize("lost", ["HEAD", "objects", "refs"])
def test_m12_bare_repository_that_lost_a_part_is_not_entered(
    lost: str, root: Path, run: Run, make_repo: Callable[..., Repo]
) -> None:
    bare = make_repo("root/store", "--bare").path
    make_tree(
        root, ["store/refs/heads/x.py", "store/refs/heads/x.pyc", "store/hooks/__pycache__/a.pyc"]
    )
    place = bare / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    before = list_tree(root)
    assert run("clean").code == 0
    assert list_tree(root) == before
    assert run("clean", "store").code == 2
    assert run("clean", "store/hooks").code == 2


#: Where the store of a home directory is, and whether it knows its work tree.
STORES = [
    (".cfg", False),
    (".cfg", True),
    ("src/dotfiles.git", True),
    (".local/share/yadm/repo.git", True),
    (".config/vcsh/repo.d/vim.git", True),
]


@pytest.mark.parametrize(("place", "knows"), STORES)
@pytest.mark.parametrize("path", [".", "lib", "lib/pkg"])
def test_m12_work_tree_without_git_of_a_bare_repository(
    place: str, knows: bool, path: str, root: Path, run: Run
) -> None:
    """Dotfiles: `git --git-dir=$HOME/.cfg --work-tree=$HOME`."""
    if (place, path) in [("src/dotfiles.git", "lib"), ("src/dotfiles.git", "lib/pkg")]:
        pytest.skip("neither around nor below: docs/clean.md says so")
    make_tree(root, ["lib/pkg/m.py", "lib/pkg/m.pyc", "lib/pkg/o.py", "lib/pkg/o.pyc"])
    store = Repo.init(root / place, "--bare")
    options = ("--git-dir", str(store.path), "--work-tree", str(root))
    subprocess.run(["git", *options, "add", "-f", "lib/pkg/m.py", "lib/pkg/m.pyc"], check=True)
    if knows:
        store.git("config", "core.bare", "false")
        store.git("config", "core.worktree", str(root))
    result = run("clean", path)
    assert result.code == 0
    assert (root / "lib" / "pkg" / "m.pyc").exists()
    assert not (root / "lib" / "pkg" / "o.pyc").exists()


@pytest.mark.parametrize("damage", ["HEAD is garbage", "no HEAD", "no objects", "no refs"])
def test_m12_store_that_is_damaged_is_not_passed_over(damage: str, root: Path, run: Run) -> None:
    make_tree(root, ["m.py", "m.pyc"])
    store = Repo.init(root / ".cfg", "--bare")
    options = ("--git-dir", str(store.path), "--work-tree", str(root))
    subprocess.run(["git", *options, "add", "-f", "m.pyc"], check=True)
    DAMAGES[damage](store.path)
    assert run("clean").code == 2
    assert (root / "m.pyc").exists()


@pytest.mark.parametrize("damage", [None, "no index", "HEAD is garbage"])
def test_m12_work_tree_of_a_repository_beside_it(damage: str | None, root: Path, run: Run) -> None:
    """`core.worktree` leads from one directory to another, which has no `.git`."""
    repo = made(root / "repo")
    made(root / "plain")
    (repo.path / "pkg").rename(root / "pkg")
    repo.git("config", "core.worktree", str(root))
    make_tree(root, ["pkg/o.py", "pkg/o.pyc"])
    if damage:
        DAMAGES[damage](repo.path / ".git")
    assert run("clean", "pkg").code == (2 if damage else 0)
    assert (root / "pkg" / "m.pyc").exists()
    assert (root / "pkg" / "o.pyc").exists() is bool(damage)


def test_m12_neighbours_in_a_directory_of_everyone_are_none(root: Path, run: Run) -> None:
    """In `/tmp` other programs make and remove repositories all the time."""
    make_tree(root, ["work/m.py", "work/m.pyc"])
    store = Repo.init(root / "x.git", "--bare")
    store.git("--work-tree=..", "add", "-f", "../work/m.py")
    (store.path / "HEAD").write_text("garbage\n")
    assert run("clean", "work").code == 2
    root.chmod(0o1777)
    assert run("clean", "work").code == 0


def run_quietly(*command: str) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.fixture
def mounted(root: Path) -> Iterator[Callable[[Path, Path], None]]:
    """Return what mounts a directory in another place, until the test is over."""
    points: list[Path] = []

    def bind(source: Path, point: Path) -> None:
        point.mkdir(parents=True, exist_ok=True)
        command = ["mount", "--bind", str(source), str(point)]
        if sys.platform != "linux" or run_quietly(*command):
            pytest.skip("nothing can be mounted here")
        points.append(point)

    yield bind
    for point in reversed(points):
        subprocess.run(["umount", str(point)], check=True)


@pytest.mark.parametrize("path", [".", "place", "place/__pycache__", "a b"])
def test_m12_bind_mount_of_a_part_of_a_repository(
    path: str, root: Path, run: Run, mounted: Callable[[Path, Path], None]
) -> None:
    repo = made(root / "elsewhere" / "r")
    repo.write("pkg/o.pyc")
    repo.write("pkg/o.py")
    work = root / "work dir"
    work.mkdir()
    (work / "place").mkdir()
    mounted(repo.path / "pkg", work / "place")
    mounted(repo.path / "pkg" / "__pycache__", work / "a b" / "__pycache__")
    assert run("clean", "--", str(work / path)).code == 0
    assert {*TRACKED} <= list_tree(repo.path)
    assert (repo.path / "pkg" / "o.pyc").exists() is (path not in (".", "place"))


def test_m12_bind_mount_of_a_damaged_repository(
    root: Path, run: Run, mounted: Callable[[Path, Path], None]
) -> None:
    repo = made(root / "elsewhere")
    (root / "work").mkdir()
    mounted(repo.path / "pkg", root / "work" / "place")
    (repo.path / ".git" / "index").unlink()
    assert run("clean", "work").code == 2
    assert {*TRACKED} <= list_tree(repo.path)


def leave_new(repo: Repo) -> None:
    """Do nothing."""


def commit_nothing(repo: Repo) -> None:
    repo.commit()


def untrack_all(repo: Repo) -> None:
    repo.add("m.py")
    repo.commit()
    repo.git("rm", "-q", "--cached", "m.py")


def empty_git(repo: Repo) -> None:
    shutil.rmtree(repo.path / ".git")
    (repo.path / ".git").mkdir()


def fill_git_with_hooks(repo: Repo) -> None:
    """As a sandbox does that forbids hooks."""
    empty_git(repo)
    make_tree(repo.path, [".git/hooks/x"])


def link_git(repo: Repo) -> None:
    (repo.path / ".git").rename(repo.path.parent / "store")
    (repo.path / ".git").symlink_to("../store")


def split_index(repo: Repo) -> None:
    repo.add("m.py")
    repo.commit()
    repo.git("gc", "-q")
    repo.git("update-index", "--split-index")


def make_bare_root(repo: Repo) -> None:
    """Make the layout of a bare root beside its work trees."""
    repo.add("m.py")
    repo.commit()
    repo.git("clone", "-q", "--bare", ".", ".bare")
    shutil.rmtree(repo.path / ".git")
    (repo.path / ".git").write_text("gitdir: ./.bare\n")


SOUND = [
    leave_new,
    commit_nothing,
    untrack_all,
    empty_git,
    fill_git_with_hooks,
    link_git,
    split_index,
    make_bare_root,
]


@pytest.mark.parametrize("state", SOUND)
def test_m12_sound_repository_is_cleaned(
    state: Callable[[Repo], None], repo: Repo, run: Run
) -> None:
    state(repo)
    make_tree(repo.path, ["p/m.py", "p/m.pyc", "p/__pycache__/m.cpython-312.pyc"])
    assert run("clean") == (0, "removed 2 files and 1 directory\n", "")


#: PYTHONPYCACHEPREFIX, what is cleaned: both from the directory of the test.
OVERLAPS = [
    ("/", "."),
    ("/", "sub"),
    ("//", "."),
    ("/proc/self/root", "."),
    ("/tmp/../", "."),
    ("{root}", "."),
    ("{root}/sub", "."),
    ("{root}", "sub"),
    ("{root}/sub/..", "sub"),
    ("{root}/link", "sub"),
    ("{root}/sub/__pycache__", "sub"),
    ("{root}/sub", "sub/__pycache__"),
    ("sub", "."),
    (".", "sub"),
]


@pytest.mark.parametrize("options", [(), ("--orphans",), ("--include-tracked",), ("--dry-run",)])
@pytest.mark.parametrize(("prefix", "path"), OVERLAPS)
def test_l3_prefix_that_overlaps_with_the_tree_is_refused(
    prefix: str,
    path: str,
    options: tuple[str, ...],
    root: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (root / "sub").mkdir()
    (root / "link").symlink_to(".")
    monkeypatch.setattr(sys, "pycache_prefix", prefix.format(root=root))
    names = ["z.cpython-312.pyc", "scan.v1.pyc", "empty/", "__pycache__/z.cpython-312.pyc"]
    make_tree(root, [*names, *(f"sub/{name}" for name in names)])
    before = list_tree(root)
    result = run("clean", "--prefix", *options, "--", path)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert "PYTHONPYCACHEPREFIX" in result.err
    assert list_tree(root) == before


def test_l3_mirror_that_is_the_tree_itself(
    root: Path, run: Run, mounted: Callable[[Path, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount can make them one without any path to show it."""
    make_tree(root, ["tree/z.cpython-312.pyc", "prefix/"])
    monkeypatch.setattr(sys, "pycache_prefix", f"{root}/prefix")
    mounted(root / "tree", root / "prefix" / str(root).lstrip("/") / "tree")
    assert run("clean", "--prefix", "tree").code == 2
    assert (root / "tree" / "z.cpython-312.pyc").exists()


def test_l3_repository_below_the_prefix_is_not_entered(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", f"{root}/prefix")
    make_tree(root, ["tree/a/m.py"])
    mirror = root / "prefix" / str(root).lstrip("/") / "tree"
    made(mirror / "a")
    make_tree(mirror, ["m.cpython-312.pyc"])
    assert run("clean", "--prefix", "tree") == (0, "removed 1 file\n", "")
    assert {f"a/{name}" for name in TRACKED} <= list_tree(mirror)


#: A path, and what stands there: `a/link` leads to `b/c`, `loop` to `.`.
WAYS = ["a/link/..", "a/link/../", "./a/link/../../a/link/..", "a/link/.", "a/link/", "a/link//"]
STRAYS = ["a/none/..", "a/file/..", "a/file/.", "a/link/x/../.."]


@pytest.mark.parametrize("path", [*WAYS, *STRAYS])
def test_l4_path_that_means_another_directory_is_refused(path: str, root: Path, run: Run) -> None:
    make_tree(
        root,
        ["a/m.py", "a/m.pyc", "b/m.py", "b/m.pyc", "b/c/m.py", "b/c/m.pyc", "b/c/x/", "a/file"],
    )
    (root / "a" / "link").symlink_to("../b/c")
    before = list_tree(root)
    result = run("clean", "--", path)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {path}: ") or result.err.startswith("error: a/link: ")
    assert list_tree(root) == before


#: Paths that are taken literally, and the files that `clean` removes for them.
PLAIN = [
    ("a", "a"),
    ("a/", "a"),
    ("a//", "a"),
    (".//a/.", "a"),
    ("a/../b", "b"),
    ("b/c/..", "b"),
    ("loop/..", None),
    ("a/up/..", "a"),
    ("b/back/..", "b"),
]


@pytest.mark.parametrize(("path", "expected"), PLAIN)
def test_l4_path_is_what_the_system_takes_it_for(
    path: str, expected: str | None, root: Path, run: Run
) -> None:
    make_tree(root, ["a/m.py", "a/m.pyc", "b/m.py", "b/m.pyc", "b/c/"])
    (root / "loop").symlink_to("loop")
    (root / "a" / "up").symlink_to("../a/d")
    (root / "a" / "d").mkdir()
    (root / "b" / "back").symlink_to("c")
    result = run("clean", path)
    assert result.code == (2 if expected is None else 0)
    gone = [name for name in ("a", "b") if not (root / name / "m.pyc").exists()]
    assert gone == ([] if expected is None else [expected])


def test_l4_outcome_names_what_the_path_means(root: Path) -> None:
    make_tree(root, ["b/c/d/", "b/c/m.py", "b/c/m.pyc"])
    (root / "link").symlink_to("b")
    assert clean(["link/c/d/.."], CleanOptions(), dry_run=True).removed == ["link/c/m.pyc"]
