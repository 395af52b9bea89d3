"""Repositories in odd states, and broken ones."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    Call,
    Sandbox,
    assert_clean_exit,
    copied,
    every_call,
    every_command,
    posix,
    slow,
)
from helpers.repo import BYTECODE, Repo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = posix


def version(number: int) -> Callable[[Sandbox], None]:
    """Return what makes git write the index in a version of its format."""

    def change(scene: Sandbox) -> None:
        scene.repo.git("update-index", "--index-version", str(number))

    return change


def extended(scene: Sandbox) -> None:
    """Version 3 has flags, which `git add -N` sets."""
    scene.repo.write("later.py")
    scene.repo.git("add", "-N", "later.py")


def split(scene: Sandbox) -> None:
    scene.repo.git("update-index", "--split-index")


def untracked(scene: Sandbox) -> None:
    scene.repo.git("update-index", "--untracked-cache", check=False)


def sparse(scene: Sandbox) -> None:
    """Of the index too: directories stand for what is in them."""
    scene.repo.git("config", "core.sparseCheckout", "true")
    scene.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "pkg", check=False)


def replaced(scene: Sandbox) -> None:
    """HEAD's commit shows as the first one."""
    scene.repo.git("replace", "HEAD", "HEAD~1")


def grafted(scene: Sandbox) -> None:
    head = scene.repo.git("rev-parse", "HEAD")
    scene.repo.write(".git/info/grafts", f"{head}\n")


def packed(scene: Sandbox) -> None:
    scene.repo.git("gc", "-q", "--prune=now")
    # `commit-tree`'s commit is gone with it.
    scene.incoming = scene.repo.git(
        "commit-tree", "-m", "i", "-p", "HEAD", scene.repo.git("write-tree")
    )


def detached(scene: Sandbox) -> None:
    scene.repo.git("update-ref", "--no-deref", "HEAD", scene.head)


#: States in which every answer is as always.
SAME = {
    "index version 2": version(2),
    "index version 4": version(4),
    "index version 3": extended,
    "a split index": split,
    "an untracked cache": untracked,
    "replaced": replaced,
    "grafted": grafted,
    "packed": packed,
}


@every_command(19)
@pytest.mark.parametrize("name", ["a split index", "replaced"])
def test_an_answer_as_always(scene: Sandbox, call: Call, name: str) -> None:
    check_same(scene, call, name)


@slow
@every_call(13)
def test_every_answer_as_always(template: Path, tmp_path: Path, call: Call) -> None:
    for number, name in enumerate(SAME):
        check_same(copied(template, tmp_path / str(number)), call, name)


@pytest.mark.parametrize("name", SAME)
def test_forbid_bytecode_answers_as_always(scene: Sandbox, name: str) -> None:
    check_same(scene, Call("forbid-bytecode"), name)


def check_same(scene: Sandbox, call: Call, name: str) -> None:
    """Bring the repository into a state, and compare."""
    usual = scene.baseline(call)
    SAME[name](scene)
    result = scene.run(call)
    assert_clean_exit(result)
    assert result.code == usual.code, name
    if call.command in ("forbid-bytecode", "check-history", "pre-push", "inspect"):
        # The last line counts the entries of the index, which a state may add to.
        found, expected = (each.out.partition("\nFound ")[0] for each in (result, usual))
        assert (found, result.err) == (expected, usual.err), name


@every_command(20)
def test_a_sparse_index(scene: Sandbox, call: Call) -> None:
    usual = scene.baseline(call)
    sparse(scene)
    result = scene.run(call)
    assert_clean_exit(result)
    assert result.code == usual.code


@every_command(21)
def test_an_unmerged_index(scene: Sandbox, call: Call) -> None:
    for stage in (1, 2, 3):
        for path in ("a.pyc", "conflict.py", "pkg/m.py", ".gitignore", "pyproject.toml"):
            scene.repo.stage(path, f"{stage}", stage=stage)
    result = scene.run(call)
    assert_clean_exit(result)
    assert result.code or call.command == "clean"


@every_command(22)
def test_before_the_first_commit(tmp_path: Path, call: Call) -> None:
    repo = Repo.init(tmp_path / "unborn")
    repo.add("a.pyc", BYTECODE)
    repo.add("Dockerfile", "FROM x\nCOPY . .\n")
    repo.git("commit-tree", "-m", "x", repo.git("write-tree"))
    program = Sandbox.__new__(Sandbox)
    program.repo, program.path = repo, repo.path
    program.head = program.incoming = repo.git("commit-tree", "-m", "x", repo.git("write-tree"))
    result = program.run(call)
    assert_clean_exit(result)
    # `fix` ends with 0 when only the commit is left to do.
    assert result.code or call.command in ("clean", "lint", "fix")


@every_command(23)
def test_a_shallow_clone(scene: Sandbox, tmp_path: Path, call: Call) -> None:
    """Missing objects are reported as not checked."""
    scene.repo.git("commit", "-qm", "new")
    clone = tmp_path / "shallow"
    scene.repo.git("clone", "-q", "--depth=1", f"file://{scene.path}", os.fspath(clone))
    shutil.copytree(scene.path / "dist", clone / "dist")
    shallow = Sandbox(Repo(clone))
    for name in ("main", "HEAD"):
        shallow.repo.git("update-ref", "-d", "--no-deref", f"refs/remotes/origin/{name}")
    shallow.repo.stage("newer.pyc", BYTECODE)
    tree = shallow.repo.git("write-tree")
    shallow.incoming = shallow.repo.git("commit-tree", "-m", "i", "-p", "HEAD", tree)
    result = shallow.run(call)
    assert_clean_exit(result)
    assert result.code or call.command == "clean"
    if call.command == "pre-push":
        assert result.code == 2
        assert "this clone is shallow" in result.err


def objects(scene: Sandbox) -> list[Path]:
    """Return the loose objects."""
    return sorted((scene.path / ".git" / "objects").glob("??/*"))


def spoil(path: Path, how: str) -> None:
    """Damage an object's file."""
    data = path.read_bytes()
    path.chmod(0o644)
    if how == "gone":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(bytes(byte ^ 0x55 for byte in data))


#: What becomes of objects.
DAMAGE = ("gone", "empty", "cut", "garbled")


def check_damaged(template: Path, tmp_path: Path, call: Call, how: str, every: int) -> None:
    """Damage one object after the other: pass never, remove nothing that is tracked."""
    for number, _ in enumerate(objects(Sandbox(Repo(template)))):
        if number % every:
            continue
        scene = copied(template, tmp_path / f"{how}{number}")
        before = scene.state()
        spoil(objects(scene)[number], how)
        result = scene.run(call)
        assert_clean_exit(result)
        assert result.code or call.command in ("clean", "pre-push"), (number, how)
        if call.command == "clean" and "--include-tracked" not in call.options:
            gone = before.keys() - scene.state().keys()
            assert all("gone" in name or "old/" in name for name in gone), (number, how)
        shutil.rmtree(scene.path)


@every_command(24)
def test_all_objects_are_damaged(scene: Sandbox, call: Call) -> None:
    for number, path in enumerate(objects(scene)):
        spoil(path, DAMAGE[number % 4])
    result = scene.run(call)
    assert_clean_exit(result)
    assert result.code or call.command == "clean"


@slow
@every_call(14)
@pytest.mark.parametrize("how", DAMAGE)
def test_each_object_is_damaged(template: Path, tmp_path: Path, call: Call, how: str) -> None:
    check_damaged(template, tmp_path, call, how, 1)


#: Files of the repository, and what becomes of them.
FILES = (
    *("index", "HEAD", "config", "objects", "refs", "refs/heads/main", "info", "logs/HEAD"),
    *("packed-refs", "shallow", "commondir"),
)
CONTENTS = (
    b"",
    b"\0" * 100,
    b"ref: \n",
    b"DIRC\0\0\0\2\xff\xff\xff\xff",
    b"[core\n",
    b"\xff" * 5000,
)


def check_file(scene: Sandbox, call: Call, name: str, content: bytes | None) -> None:
    """Put something into the place of a file, a directory (`None`), or nothing at all."""
    before = scene.state() if call.command == "clean" else {}
    path = scene.path / ".git" / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    result = scene.run(call)
    assert_clean_exit(result)
    if call.command != "clean":
        # Another branch than the one that is pushed, and a repository without commits.
        is_apart = (name, call.command) == ("refs/heads/main", "pre-push")
        is_new = (name, content, str(call)) == ("refs", None, "check-history --all")
        assert result.code or is_apart or is_new, (name, content)
    elif "--include-tracked" not in call.options:
        left = {f for f in before if f != ":index" and not os.path.lexists(scene.path / f)}
        assert all("gone" in f or "old/" in f for f in left), (name, content)


@every_command(25)
@pytest.mark.parametrize("name", ["index", "HEAD"])
def test_a_file_of_the_repository_is_damaged(scene: Sandbox, call: Call, name: str) -> None:
    check_file(scene, call, name, CONTENTS[3])


@slow
@every_call(15)
def test_any_file_of_the_repository_is_damaged(template: Path, tmp_path: Path, call: Call) -> None:
    for name in FILES:
        for number, content in enumerate((None, *CONTENTS)):
            path = tmp_path / f"{name.replace('/', '-')}{number}"
            check_file(copied(template, path), call, name, content)


@every_command(26)
def test_an_index_that_is_locked(scene: Sandbox, call: Call) -> None:
    """A killed git left a lock: readers ignore it, writers report it."""
    usual = scene.baseline(call).code
    lock = scene.repo.write(".git/index.lock")
    result = scene.run(call)
    assert_clean_exit(result)
    assert lock.exists()
    assert result.code == (2 if call.command == "fix" else usual)
    if call.command == "fix":
        assert "index.lock" in result.err


#: The commands that read an index, whatever their options.
INDEXED = (
    "forbid-bytecode",
    "check-gitignore",
    "check-dockerignore",
    "verify-bytecode",
    "fix",
    "lint",
)


@every_call(27)
def test_an_index_that_is_missing(scene: Sandbox, call: Call) -> None:
    """As after `git clone --no-checkout`: HEAD has files, and git lists none."""
    usual = scene.baseline(call).code
    (scene.path / ".git" / "index").unlink()
    result = scene.run(call)
    assert_clean_exit(result)
    needs_none = {"--tree", "pkg", ".", "HEAD:data.bin"} & {*call.options}
    if call.command in INDEXED and not needs_none:
        assert result.code == 2
    else:
        assert result.code in (usual, 1, 2)
        assert result.code or call.command in ("clean", "lint", "pre-push")
    assert (scene.path / "a.py").exists()


#: The blob is text, and a checkout writes bytecode.
DISGUISES = {
    "*.txt -text working-tree-encoding=ISO-8859-1": BYTECODE.decode("latin-1").encode(),
    "*.txt text eol=crlf": (3627).to_bytes(2, "little") + b"\n" + bytes(12) + b"\xe3" + bytes(40),
}


@pytest.mark.parametrize("line", DISGUISES)
def test_attributes_that_make_bytecode(scene: Sandbox, line: str) -> None:
    scene.repo.stage("sub/.gitattributes", line + "\n")
    scene.repo.stage("sub/notes.txt", DISGUISES[line])
    for call in (Call("forbid-bytecode"), Call("check-history", ("HEAD",))):
        result = scene.run(call)
        assert (result.code, "sub/notes.txt: PYC002 " in result.out) == (1, True)
        scene.repo.commit()
