"""Any tree: what remains is what a few sentences over its paths say, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clean.trees import list_tree, make_tree
from pycache_guard import compat
from pycache_guard.clean.result import clean
from pycache_guard.clean.select import CleanOptions

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = ["a", "b.c", "__init__", "test_x", "\u00e9", "with blank"]
TAGS = ["cpython-313", "cpython-39", "pypy310", "cpython-312-pytest-9.2.0"]
ENDS = [".pyc", ".opt-1.pyc", ".opt-2.pyc", ".pyc.140162621172480"]

sources = st.tuples(st.sampled_from(MODULES), st.sampled_from([".py", ".pyw", ".txt", ".so"]))
cached = st.tuples(
    st.sampled_from(MODULES), st.just("."), st.sampled_from(TAGS), st.sampled_from(ENDS)
)
legacy = st.tuples(
    st.sampled_from(MODULES), st.sampled_from([".pyc", ".pyo", "$py.class", ".pyc.12"])
)
numba = st.tuples(st.sampled_from(MODULES), st.sampled_from([".f-3.py312.nbi", ".f-3.py312.1.nbc"]))
files = st.one_of(sources, cached, legacy, numba).map("".join)
directories = st.sampled_from(
    ["pkg", "sub", "__pycache__", "__pycache__", "__PYCACHE__", "node_modules", ".git", "x.pyc"]
)
marks = st.sampled_from(["pyvenv.cfg", ".git", "HEAD", "objects/", "refs/", "conda-meta/"])
trees = st.recursive(
    st.lists(st.one_of(files, files, files, marks), max_size=6).map(tuple),
    lambda below: st.tuples(
        st.lists(st.one_of(files, files, files, marks), max_size=4),
        st.dictionaries(directories, below, max_size=3),
    ),
    max_leaves=8,
)


def paths(tree: object, start: str = "") -> list[str]:
    """Return a tree's paths, files before what is in directories of the same name."""
    if not isinstance(tree, tuple):
        raise TypeError(tree)
    if len(tree) == 2 and isinstance(tree[1], dict):
        names, below = tree
    else:
        names, below = tree, {}
    found = [f"{start}{name}" for name in names if name not in below]
    for name, subtree in below.items():
        found += [f"{start}{name}/", *paths(subtree, f"{start}{name}/")]
    return found


BYTECODE = re.compile(r"(\.py[co]|\$py\.class)(\.[0-9]+)?$", re.IGNORECASE)
TAGGED = re.compile(
    r"(?P<module>.+)\.(cpython-\d+|pypy\d+)(-pytest-[\d.]+)?(\.opt-\w+)?\.py[co](\.\d+)?$"
)
UNTAGGED = re.compile(r"(?P<module>.+?)(\.py[co]|\$py\.class)(\.\d+)?$")


class Oracle:
    """What is to remain of a tree, by its paths alone."""

    def __init__(self, standing: set[str], *, orphans: bool) -> None:
        self.all = standing
        self.orphans = orphans

    def children(self, directory: str) -> set[str]:
        return {
            path
            for path in self.all
            if path.startswith(directory)
            and path != directory
            and "/" not in path[len(directory) :].rstrip("/")
        }

    def names(self, directory: str) -> set[str]:
        return {path[len(directory) :] for path in self.children(directory)}

    def is_fenced(self, directory: str) -> bool:
        """Whether it is not to be entered, for what it is or what it is in."""
        parts = directory.split("/")[:-1]
        for n in range(1, len(parts) + 1):
            names = self.names("/".join(parts[:n]) + "/")
            bare = {"HEAD", "objects/", "refs/"} <= names
            marked = names & {"pyvenv.cfg", ".git", ".git/", "conda-meta/"}
            if parts[n - 1] in (".git", "node_modules") or bare or marked:
                return True
        return False

    def goes(self, path: str) -> bool:
        """Whether a file goes."""
        name = path.rpartition("/")[2]
        directory = path.removesuffix(name)
        if self.is_fenced(directory):
            return False
        if re.search(r"(^|/)__pycache__/$", directory, re.IGNORECASE):
            cache = bool(BYTECODE.search(name) or re.search(r"\.nb[ic]$", name))
            above = self.names(directory[: -len("__pycache__/")])
            return cache and not (self.orphans and self.has_source(name, above))
        match = UNTAGGED.fullmatch(name)
        beside = match and {match["module"] + end for end in (".py", ".pyw")}
        return bool(beside and not self.orphans and beside & self.names(directory))

    def has_source(self, name: str, above: set[str]) -> bool:
        ends = (".py", ".pyw")
        match = TAGGED.fullmatch(name) or UNTAGGED.fullmatch(name)
        if match:
            return any(match["module"] + end in above for end in ends)
        return any(
            name.startswith(f"{source[: -len(end)]}.") and source.endswith(end)
            for source in above
            for end in ends
        )

    def remainder(self) -> set[str]:
        gone = {path for path in self.all if not path.endswith("/") and self.goes(path)}
        for path in sorted(self.all, key=lambda p: -p.count("/")):
            if path.endswith("/") and not self.is_fenced(path) and self.children(path) <= gone:
                is_cache = path.split("/")[-2].lower() == "__pycache__"
                if is_cache or (self.orphans and self.children(path)):
                    gone.add(path)
        return self.all - gone


@pytest.fixture(params=["descriptors", "paths"])
def cursor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "paths":
        monkeypatch.setattr(compat, "HAS_DIR_FD", False)


def made(tree: object) -> Path:
    """Make the tree in a new directory."""
    root = Path(tempfile.mkdtemp(dir=os.environ["HOME"]))
    for path in paths(tree):
        try:
            make_tree(root, [path])
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            continue  # the name is another thing's already
    return root


@pytest.mark.usefixtures("cursor")
@pytest.mark.parametrize("orphans", [False, True])
@settings(max_examples=150)
@given(tree=trees)
def test_random_tree_is_cleaned_as_the_oracle_says(tree: object, orphans: bool) -> None:
    root = made(tree)
    damaged = {".git/HEAD", ".git/objects/", ".git/refs/"}
    if {"HEAD", "objects/", "refs/"} <= list_tree(root) or damaged & list_tree(root):
        (root / "HEAD").unlink(missing_ok=True)
        shutil.rmtree(root / ".git", ignore_errors=True)
    if (root / ".git").is_file():
        (root / ".git").unlink()  # it names no repository: git would refuse
    before = list_tree(root)
    expected = Oracle(before, orphans=orphans).remainder()
    mode = CleanOptions(orphans=orphans)
    planned = clean([str(root)], mode, dry_run=True).removed
    assert list_tree(root) == before
    done = clean([str(root)], mode)
    assert list_tree(root) == expected
    assert done.findings == []
    assert sorted(before - expected) == sorted(
        path.removeprefix(f"{root.as_posix()}/") for path in done.removed
    )
    assert done.removed == planned
    assert clean([str(root)], mode).removed == []
    shutil.rmtree(root)


@pytest.fixture
def oracle() -> Callable[[list[str], bool], set[str]]:
    return lambda paths, orphans: Oracle(set(paths), orphans=orphans).remainder()


def test_oracle_agrees_with_an_example(oracle: Callable[[list[str], bool], set[str]]) -> None:
    """It says what the rules say, by hand."""
    tree = ["a.py", "a.pyc", "b.pyc", "p/", "p/__pycache__/", "p/__pycache__/c.cpython-39.pyc"]
    assert oracle(tree, False) == {"a.py", "b.pyc", "p/"}
    assert oracle(tree, True) == {"a.py", "a.pyc", "b.pyc"}
