"""M17 of the audit: small pushes that unfold to millions of paths."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.repo import Repo, Result
from helpers.report_parser import CLEAN
from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git import entry_counts, spawn
from pycache_guard.git.entry_counts import EntryCounter
from pycache_guard.git.process import GitFailure
from pycache_guard.git.spawn_subprocess import SubprocessChild

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Run

REFUSED = "too many to check"


def make_tree(repo: Repo, *entries: tuple[str, str]) -> str:
    """Return a tree with entries of a name and an id; a tree's name ends with a slash."""
    lines = (
        f"040000 tree {oid}\t{name[:-1]}" if name.endswith("/") else f"100644 blob {oid}\t{name}"
        for name, oid in entries
    )
    return repo.git("mktree", input="".join(f"{line}\n" for line in lines).encode())


def make_bomb(repo: Repo, levels: int, leaf: str = "x", width: int = 10) -> str:
    """Return a tree with `width ** levels` paths, in `levels` distinct trees."""
    tree = make_tree(repo, *((f"{leaf}{n}", repo.blob(leaf)) for n in range(width)))
    for _ in range(levels - 1):
        tree = make_tree(repo, *((f"d{n}/", tree) for n in range(width)))
    return tree


def make_commit(repo: Repo, tree: str, *parents: str) -> str:
    """Return a commit with a tree and parents."""
    return repo.git("commit-tree", "-m", "m", *(f"-p{parent}" for parent in parents), tree)


@pytest.fixture
def counter() -> Iterator[EntryCounter]:
    made = EntryCounter()
    yield made
    made.close()


def test_count_is_what_git_goes_through(repo: Repo, counter: EntryCounter) -> None:
    """For a root and for one parent, in both directions."""
    blob = repo.blob("x")
    shared = make_tree(repo, ("a", blob), ("b", blob))
    trees = [
        make_tree(repo),
        shared,
        make_tree(repo, ("a", blob)),
        make_tree(repo, ("a", repo.blob("y")), ("b", blob)),
        make_tree(repo, ("p/", shared), ("q/", shared)),
        make_tree(repo, ("p/", shared), ("r/", make_tree(repo, ("s/", shared)))),
        make_tree(repo, ("q/", make_tree(repo, ("a", repo.blob("y")))), ("z", blob)),
        make_bomb(repo, 3),
    ]
    for new in trees:
        assert counter.count((new, ())) == len(
            repo.git("ls-tree", "-r", "-t", "--full-tree", new).splitlines()
        )
        for old in trees:
            listed = repo.git("diff-tree", "-r", "-t", "--no-renames", old, new).splitlines()
            assert counter.count((new, (old,))) == len(listed), (old, new)


def test_count_takes_a_file_in_a_directorys_place(repo: Repo, counter: EntryCounter) -> None:
    blob = repo.blob("x")
    directory = make_tree(repo, ("p/", make_tree(repo, ("a", blob), ("b", blob))))
    file = make_tree(repo, ("p", blob))
    assert counter.count((directory, (file,))) == counter.count((file, (directory,))) == 3


def test_count_of_a_merge_is_what_differs_from_every_parent(
    repo: Repo, counter: EntryCounter
) -> None:
    one, two, three = (
        make_tree(repo, ("a", repo.blob(word)), (word, repo.blob(word))) for word in "123"
    )
    both = make_tree(repo, ("a", repo.blob("1")), ("2", repo.blob("2")), ("new", repo.blob("n")))
    assert counter.count((both, (one, two))) == 1
    assert counter.count((both, (one, one))) == 3
    assert counter.count((three, (one, two))) == 2


def test_each_distinct_tree_is_read_once(repo: Repo, counter: EntryCounter) -> None:
    assert counter.count((make_bomb(repo, 200), ())) == sum(10**n for n in range(1, 201))
    assert counter.distinct == 200 * 10
    wide = make_tree(
        repo, *((f"d{n}/", make_tree(repo, (str(n), repo.blob("x")))) for n in range(120))
    )
    before = counter.distinct
    assert counter.count((wide, ())) == 240
    assert counter.distinct - before == 240


def test_chain_of_trees_is_counted(repo: Repo, counter: EntryCounter) -> None:
    tree = make_tree(repo, ("x", repo.blob("x")))
    for _ in range(20):
        tree = make_tree(repo, ("d/", tree))
    assert counter.count((tree, ())) == 21


def test_limits_of_one_commit_of_several_and_of_a_run(
    repo: Repo, counter: EntryCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_counts, "MIN_REPEATED_ENTRIES", 1000)
    monkeypatch.setattr(entry_counts, "MAX_REPETITION", 40)
    tree = make_bomb(repo, 3)  # 1110 entries, 30 distinct
    full = make_commit(repo, tree)
    empty = make_commit(repo, make_tree(repo), full)
    again = make_commit(repo, tree, empty)
    counter.check_commits([full.encode()])
    with pytest.raises(Failure, match=f"those that git lists next to it.*{REFUSED}"):
        counter.check_commits([full.encode(), empty.encode(), again.encode()])
    monkeypatch.setattr(entry_counts, "MAX_REPEATED_ENTRIES", 3000)
    counter.check_commits([empty.encode()])
    with pytest.raises(Failure, match="more than 3000 entries"):
        counter.check_commits([again.encode()])
    monkeypatch.setattr(entry_counts, "MAX_ENTRIES", 1109)
    with pytest.raises(Failure, match=f"commit {full} .*1110 entries, 30 of them.*{REFUSED}"):
        counter.check_commits([full.encode()])
    monkeypatch.setattr(entry_counts, "MAX_DISTINCT_ENTRIES", 20)
    with pytest.raises(Failure, match="more than 20 entries"):
        counter.check_commits([full.encode()])


def test_parents_that_are_named_count_alone(repo: Repo, counter: EntryCounter) -> None:
    tree = make_bomb(repo, 7)
    full = make_commit(repo, tree)
    empty = make_commit(repo, make_tree(repo))
    merge = make_commit(repo, tree, full, empty)
    counter.check_commits([f"{merge} {full}".encode(), merge.encode()])
    with pytest.raises(Failure, match=REFUSED):
        counter.check_commits([f"{merge} {empty}".encode()])


def test_missing_objects_count_nothing(repo: Repo, counter: EntryCounter) -> None:
    """A shallow clone lacks parents; of a tree that is missing git will complain."""
    blob = repo.blob("x")
    counter.check_commits([b"1" * 40, blob.encode()])
    missing = make_tree(repo, ("d/", make_tree(repo, ("a", blob))))
    inner = repo.git("rev-parse", f"{missing}:d")
    (repo.path / ".git" / "objects" / inner[:2] / inner[2:]).unlink()
    assert counter.count((missing, ())) == 1
    assert counter.count((missing, (make_tree(repo, ("d/", blob_tree(repo))),))) == 2


def blob_tree(repo: Repo) -> str:
    """Return a tree with one file."""
    return make_tree(repo, ("b", repo.blob("b")))


def test_tree_that_contains_itself_is_a_failure(repo: Repo, counter: EntryCounter) -> None:
    """Only an object that does not match its id can do that."""
    inner = make_tree(repo, ("x", repo.blob("x")))
    outer = make_tree(repo, ("d/", inner))
    objects = repo.path / ".git" / "objects"
    forged = objects / inner[:2] / inner[2:]
    forged.chmod(0o644)
    forged.write_bytes((objects / outer[:2] / outer[2:]).read_bytes())
    with pytest.raises(GitFailure):
        counter.count((outer, ()))


#: Commits and tags that unfold, by what is pushed.
BOMBS: dict[str, Callable[[Repo], str]] = {
    "root": lambda r: make_commit(r, make_bomb(r, 9)),
    "sixteen objects": lambda r: make_commit(r, make_bomb(r, 6)),
    "thirty levels": lambda r: make_commit(r, make_bomb(r, 30)),
    "two wide": lambda r: make_commit(r, make_bomb(r, 40, width=2)),
    "below a directory": lambda r: make_commit(
        r, make_tree(r, ("a.py", r.blob("a")), ("vendor/", make_bomb(r, 9)))
    ),
    "each path changed": lambda r: make_commit(
        r, make_bomb(r, 7, "y"), make_commit(r, make_tree(r, ("d0/", make_bomb(r, 6))))
    ),
    "deleted again": lambda r: make_commit(r, make_tree(r), make_commit(r, make_bomb(r, 8))),
    "merge": lambda r: make_commit(
        r,
        make_bomb(r, 8),
        make_commit(r, make_tree(r, ("a", r.blob("a")))),
        make_commit(r, make_tree(r, ("b", r.blob("b")))),
    ),
    "tag of a tree": lambda r: make_bomb(r, 9),
    "bytecode": lambda r: make_commit(r, make_bomb(r, 8, "m.pyc")),
}


def run_limited(repo: Repo, *argv: str, stdin: str = "") -> Result:
    """Run the program with a minute of processor time and 1 GiB of memory for each process."""
    limits = 'ulimit -t 60; ulimit -v 1048576; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", limits, "sh", os.fspath(PROGRAM), *argv],
        cwd=repo.path,
        input=stdin.encode(),
        capture_output=True,
        check=False,
    )
    return Result(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


@pytest.mark.skipif(sys.platform == "win32", reason="the limits are POSIX's")
@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_small_object_with_millions_of_paths_is_refused(
    repo: Repo, make: Callable[[Repo], str]
) -> None:
    oid = make(repo)
    found = [run_limited(repo, "check-history", oid)]
    if repo.git("cat-file", "-t", oid) == "commit":
        found.append(run_limited(repo, "check-history", oid, "--content", "none"))
    line = f"{'0' * 40} {oid} refs/heads/x\n"
    found.append(run_limited(repo, "pre-receive", stdin=line))
    for code, out, err in found:
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert REFUSED in err


@pytest.fixture
def without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything counted, however fast git answers."""
    for child in (spawn.PosixChild, SubprocessChild):
        monkeypatch.setattr(child, "has_output", lambda *_: False)


@pytest.mark.usefixtures("without_patience")
def test_parents_by_the_hundred_are_counted_with_each_path(repo: Repo, run: Run) -> None:
    """Git keeps something for each path and each parent."""
    parents = [make_commit(repo, make_tree(repo, (str(n), repo.blob(str(n))))) for n in range(60)]
    merge = make_commit(repo, make_bomb(repo, 5), *parents)
    result = run("check-history", merge, *(f"^{parent}" for parent in parents))
    assert (result.code, result.out) == (2, "")
    assert REFUSED in result.err


#: What is large or odd, and no reason to refuse.
HARMLESS: dict[str, Callable[[Repo], str]] = {
    "a blob with 20 000 names": lambda r: make_commit(
        r, make_tree(r, *zip((f"f{n}" for n in range(20_000)), repeat(r.blob("x"))))
    ),
    "a copy of a directory a hundred times": lambda r: make_commit(r, make_bomb(r, 3)),
    "trees in trees": lambda r: make_commit(r, make_chain(r, 300)),
    "an octopus": lambda r: make_commit(
        r,
        make_tree(r, ("m", r.blob("m"))),
        *(make_commit(r, make_tree(r, (str(n), r.blob(str(n))))) for n in range(100)),
    ),
    "a chain of tags": lambda r: make_tags(r, make_commit(r, make_tree(r)), 100),
}


def make_chain(repo: Repo, depth: int) -> str:
    """Return a tree with one file below `depth` directories."""
    tree = make_tree(repo, ("x", repo.blob("x")))
    for _ in range(depth):
        tree = make_tree(repo, ("d/", tree))
    return tree


def make_tags(repo: Repo, oid: str, count: int) -> str:
    """Return a tag of a tag of … of a commit."""
    kind = "commit"
    for n in range(count):
        text = f"object {oid}\ntype {kind}\ntag t{n}\ntagger T <t@example.com> 0 +0000\n\nm\n"
        oid = repo.git("mktag", input=text.encode())
        kind = "tag"
    return oid


@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("make", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.unmeasured
def test_large_histories_pass(
    request: pytest.FixtureRequest,
    repo: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Repo], str],
    is_counted: bool,
) -> None:
    if is_counted:
        request.getfixturevalue("without_patience")
    oid = make(repo)
    assert run("check-history", oid) == CLEAN
    line = f"{'0' * 40} {oid} refs/heads/x\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line)))
    assert run("pre-receive") == CLEAN


def test_sizes_are_counted_without_posix_spawn(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "HAS_FORK", False)
    monkeypatch.setattr("pycache_guard.git.history.PATIENCE_SECONDS", 0.0)
    assert REFUSED in run("check-history", make_commit(repo, make_bomb(repo, 9))).err
    monkeypatch.setattr(compat, "WINDOWS", True)
    assert run("check-history", make_commit(repo, make_bomb(repo, 2))) == CLEAN


@pytest.mark.slow
def test_million_distinct_entries_pass(repo: Repo) -> None:
    blob = repo.blob("x")
    names = ((f"{n}_{k}.py" for k in range(1000)) for n in range(1200))
    text = "\n".join("".join(f"100644 blob {blob}\t{name}\n" for name in each) for each in names)
    trees = repo.git("mktree", "--batch", input=text.encode()).split()
    lines = [(f"d{n}/", oid) for n, oid in enumerate(trees)]
    commit = make_commit(repo, make_tree(repo, *lines))
    done = subprocess.run(
        [PROGRAM, "check-history", commit], cwd=repo.path, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"OK: 1 commit checked.\n", b"")


def test_each_path_of_a_merge_counts_with_each_parent(repo: Repo, counter: EntryCounter) -> None:
    parents = [make_commit(repo, make_tree(repo, (str(n), repo.blob(str(n))))) for n in range(6)]
    bomb = make_bomb(repo, 5)
    counter.check_commits([make_commit(repo, bomb, parents[0]).encode()])
    with pytest.raises(Failure, match=f"{6 * 111_110} entries"):
        counter.check_commits([make_commit(repo, bomb, *parents).encode()])


def test_tree_that_a_tag_names_is_counted_before_it_is_listed(repo: Repo, run: Run) -> None:
    repo.git("tag", "bomb", make_bomb(repo, 6))
    result = run("check-history", "--all")
    assert (result.code, result.out) == (2, "")
    assert "the tree that refs/tags/bomb names" in result.err


def test_tree_that_is_added_in_one_place_and_deleted_in_another_is_counted(
    repo: Repo, counter: EntryCounter
) -> None:
    blob = repo.blob("x")
    shared = make_tree(repo, ("a", blob), ("b", blob))
    old = make_tree(repo, ("gone/", shared), ("kept", blob))
    new = make_tree(repo, ("added/", shared), ("kept", blob))
    assert counter.count((new, (old,))) == 6
