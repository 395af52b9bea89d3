"""Many globs are matched as git matches each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helpers.git_version import is_git_older_than
from pycache_guard.git import globs
from pycache_guard.git.entries import Entry
from pycache_guard.git.globs import is_plain_path, match_globs
from pycache_guard.git.history import added_entries_matching, added_files
from pycache_guard.git.index import Index
from pycache_guard.git.listing import iter_entry_blocks
from pycache_guard.git.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpers.repo import Repo

PATHS = (
    "a.pyc",
    "d/a.pyc",
    "d/e/a.pyc",
    "d/e/f.pyc",
    "de/a.pyc",
    "d e/ü.pyc",
    ":(x)/y",
    "-o",
    "!n",
)
#: Globs, and whether git must be asked about them.
GLOBS = {
    **dict.fromkeys(
        (*PATHS, "d", "d/e", "D", "de/a.py", "a.pyc/x", "nothing", "m", "m/x", "l"), True
    ),
    **dict.fromkeys((":(x)", ":", "{d,e}/a.pyc", "d/e ", "~", "d/e/a.pyc ", "#d", " "), True),
    **dict.fromkeys(("d/", "./d", "d//e", "d/../de", ".", "", "/d", "de/.", "d/./e"), False),
    **dict.fromkeys(
        ("*", "**", "d/*", "d/**", "d?", "[d]", "**/a.pyc", "d/[e", "d\\e", "d/*/"), False
    ),
}


@pytest.fixture
def sources(repo: Repo) -> Repo:
    for path in PATHS:
        repo.add(path, b"x")
    head = repo.commit()
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},m")
    repo.git(
        "update-index", "--add", "--cacheinfo", f"120000,{repo.git('rev-parse', 'HEAD:a.pyc')},l"
    )
    repo.git("commit", "-q", "-m", "m")
    return repo


def records(source: Index | Tree) -> Iterator[bytes]:
    for block in iter_entry_blocks(source.list_entries()):
        yield from block.split(b"\0")[:-1]


@pytest.mark.parametrize("glob", GLOBS)
def test_plain_paths_are_told_from_globs(glob: str) -> None:
    assert is_plain_path(glob) is GLOBS[glob]


@pytest.mark.parametrize("kind", ["index", "tree", "commits"])
def test_many_plain_paths_match_what_git_matches(sources: Repo, kind: str) -> None:
    plain = [glob for glob, is_plain in GLOBS.items() if is_plain]
    if is_git_older_than(31):
        plain.remove("m/x")  # git 2.25 takes it for the submodule m
    assert len(plain) > globs.MAX_SINGLE_GLOBS
    asked = []

    def refuse(glob: str) -> list[Entry]:
        asked.append(glob)
        return []

    commits = sources.git("rev-list", "HEAD").split()
    if kind == "commits":
        expected = [added_entries_matching(glob, commits) for glob in plain]
        found = match_globs(plain, refuse, lambda: added_files(commits))
    else:
        source = Index() if kind == "index" else Tree("HEAD")
        expected = [source.entries_matching(glob) for glob in plain]
        found = match_globs(plain, refuse, lambda: records(source))
    assert [sorted(entries) for entries in found] == [sorted(entries) for entries in expected]
    assert sum(map(bool, found)) > len(PATHS)
    assert asked == []


def test_git_is_asked_about_few_globs_and_special_ones() -> None:
    def entry(glob: str) -> list[Entry]:
        return [Entry("100644", "0" * 40, glob)]

    few = [*PATHS[:2], "d/*"]
    assert match_globs(few, entry, lambda: pytest.fail("it was listed")) == [*map(entry, few)]
    many = [*map(str, range(20)), "d/*"]
    assert match_globs(many, entry, list) == [*[[]] * 20, entry("d/*")]
