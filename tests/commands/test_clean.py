"""`pycache-guard clean` on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from clean.trees import list_tree, make_tree
from helpers.git_version import needs_any_git
from helpers.posix_names import decode_posix_name
from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN
from pycache_guard import compat
from pycache_guard.clean import plan
from pycache_guard.fs.cursors import FdCursor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no named pipes, and links need a privilege"
)

SOURCELESS = "has no source and may be the only copy (--include-sourceless removes it)"


class Case(NamedTuple):
    """What is there, and what of it goes."""

    stays: list[str]
    goes: list[str]
    options: tuple[str, ...] = ()


CASES = {
    "caches of any tag": Case(
        ["a.py"],
        [
            "__pycache__/",
            "__pycache__/a.cpython-313.pyc",
            "__pycache__/a.pypy39.opt-1.pyc",
            "__pycache__/gone.cpython-27.pyc",
            "__pycache__/a.cpython-313.pyc.140162621172480",
            "__pycache__/test_a.cpython-312-pytest-9.2.0.pyc",
            "__pycache__/a.f-3.py312.nbi",
            "__pycache__/a.f-3.py312.1.nbc",
            "__pycache__/a$py.class",
        ],
    ),
    "what is no cache keeps its directory": Case(
        ["__pycache__/", "__pycache__/notes.txt", "__pycache__/sub/"],
        ["__pycache__/a.cpython-313.pyc"],
    ),
    "legacy files beside their source": Case(
        ["a.py", "b.pyw", "lib.pyc", "c.pyd", "c.so"],
        ["a.pyc", "a.pyo", "a$py.class", "a.pyc.4711", "b.pyc"],
    ),
    "without a source, on request": Case(["a.py"], ["a.pyc", "lib.pyc"], ("--include-sourceless",)),
    "an empty cache directory": Case(["pkg/"], ["pkg/__pycache__/"]),
    "any case": Case(["A.py"], ["__PYCACHE__/", "__PYCACHE__/A.CPYTHON-313.PYC", "A.PYC"]),
    "virtual environments, node_modules, repositories": Case(
        [
            ".venv/",
            ".venv/pyvenv.cfg",
            ".venv/lib/",
            ".venv/lib/__pycache__/",
            ".venv/lib/__pycache__/a.cpython-313.pyc",
            "conda/",
            "conda/conda-meta/",
            "conda/__pycache__/",
            "node_modules/",
            "node_modules/gyp/",
            "node_modules/gyp/a.py",
            "node_modules/gyp/a.pyc",
            "nested/",
            "nested/.git/",
            "nested/__pycache__/",
            "submodule/",
            "submodule/.git",
            "submodule/__pycache__/",
            "bare.git/",
            "bare.git/HEAD",
            "bare.git/objects/",
            "bare.git/refs/",
            "bare.git/refs/heads/",
            "bare.git/refs/heads/__pycache__/",
            "hg/",
            "hg/.hg/",
            "hg/__pycache__/",
        ],
        ["__pycache__/", "__pycache__/a.cpython-313.pyc"],
    ),
    "a directory of a file's name": Case(["a.py", "a.pyc/", "a.pyc/data"], []),
    "orphans": Case(
        [
            "a.py",
            "a.b.py",
            "w.pyw",
            "x.hy",
            "__pycache__/",
            "__pycache__/a.cpython-313.pyc",
            "__pycache__/a.b.cpython-313.opt-1.pyc",
            "__pycache__/w.cpython-313.pyc",
            "__pycache__/x.cpython-313.pyc",
            "a.pyc",
            "lib.pyc",
            "pkg/",
            "pkg/__init__.py",
            "pkg/__pycache__/",
            "pkg/__pycache__/__init__.cpython-313.pyc",
            "empty/",
        ],
        [
            "__pycache__/a.c.cpython-313.pyc",
            "__pycache__/b.cpython-313.pyc",
            "__pycache__/gone.cpython-313.pyc",
            "__pycache__/gone.cpython-313.opt-2.pyc",
            "__pycache__/gone.f-3.py312.nbi",
            "all/",
            "all/__pycache__/",
            "all/__pycache__/__init__.cpython-313.pyc",
            "all/sub/",
            "all/sub/__pycache__/",
            "all/sub/__pycache__/m.cpython-313.pyc",
        ],
        ("--orphans",),
    ),
    "orphans, sourceless ones included": Case(
        ["a.py", "a.pyc"], ["lib.pyc"], ("--orphans", "--include-sourceless")
    ),
    "what is not empty without its orphans": Case(
        ["data/", "data/readme.txt", "tree/", "tree/empty/"],
        [
            "data/__pycache__/",
            "data/__pycache__/m.cpython-313.pyc",
            "tree/__pycache__/",
            "tree/__pycache__/m.cpython-313.pyc",
        ],
        ("--orphans",),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_files_to_remove(case: Case, root: Path, run: Run) -> None:
    make_tree(root, case.stays + case.goes)
    before = list_tree(root)
    assert before == {*case.stays, *case.goes}
    result = run("clean", "--dry-run", *case.options)
    listed = [line for line in result.out.splitlines() if line.startswith("would remove ")]
    assert listed == [f"would remove {path}" for path in sorted(case.goes)]
    assert (result.code, result.err) == (0, "")
    assert list_tree(root) == before
    done = run("clean", *case.options)
    assert (done.code, done.err) == (0, "")
    assert list_tree(root) == set(case.stays)
    again = run("clean", *case.options)
    assert "removed" not in again.out
    assert again.code == 0


def test_every_place_may_be_named(root: Path, run: Run) -> None:
    places = [".venv", "node_modules", "nested", "sub/.tox/py"]
    make_tree(root, [".venv/pyvenv.cfg", "nested/.git/x", "sub/.tox/py/pyvenv.cfg"])
    make_tree(root, [f"{place}/__pycache__/a.cpython-313.pyc" for place in places])
    assert run("clean") == CLEAN
    assert run("clean", *places) == (0, "removed 4 files and 4 directories\n", "")


def test_report_lists_removed_and_kept_paths(root: Path, run: Run) -> None:
    nothing = "OK: nothing to remove, 0 files in 1 directory checked.\n"
    assert run("clean") == run("clean", "--dry-run") == (0, nothing, "")
    assert run("clean", "--quiet") == run("clean", "--orphans") == (0, "", "")
    assert run("clean", "--orphans", "--dry-run") == run("clean", "--broken") == (0, "", "")
    looked = "looked at 0 files in 1 directory\n"
    assert run("clean", "--verbose") == (0, looked, "")
    make_tree(root, [f"lib{n}.pyc" for n in range(7)])
    make_tree(root, ["a.py", "a.pyc", "__pycache__/x.cpython-313.pyc", "node_modules/x.py"])
    found = run("clean", "--dry-run", "--verbose").out.splitlines()
    assert found == [
        "would remove __pycache__/",
        "would remove __pycache__/x.cpython-313.pyc",
        "would remove a.pyc",
        *(f"kept lib{n}.pyc: {SOURCELESS}" for n in range(7)),
        "skipped node_modules: node_modules",
        "looked at 10 files in 2 directories",
    ]
    assert run("clean").out.splitlines() == [
        "removed 2 files and 1 directory",
        *(f"kept lib{n}.pyc: {SOURCELESS}" for n in range(5)),
        f"kept 2 more: {SOURCELESS}",
    ]
    assert run("clean", "--orphans") == (0, "", "")
    assert run("clean", "--orphans", "--verbose").out.count(SOURCELESS) == 7
    for n in (5, 6):
        (root / f"lib{n}.pyc").unlink()
    kept = "".join(f"kept lib{n}.pyc: {SOURCELESS}\n" for n in range(5))
    assert run("clean") == (0, kept, "")
    assert run("clean", "--quiet") == (0, "", "")


def test_quiet_reports_only_errors(root: Path, run: Run) -> None:
    make_tree(root, ["a.py", "__pycache__/a.cpython-313.pyc", "lib.pyc"])
    assert run("clean", "--quiet", "--verbose") == (0, "", "")
    assert list_tree(root) == {"a.py", "lib.pyc"}
    assert run("clean", "--quiet", "nothing") == (2, "", "error: nothing: no such directory\n")


def test_json(root: Path, run: Run, tmp_path: Path) -> None:
    make_tree(root, ["a.py", "__pycache__/a.cpython-313.pyc", "lib.pyc", "node_modules/x"])
    to = tmp_path / "report.json"
    assert run("clean", "--format", "json", "--output", str(to)) == (0, "", "")
    assert json.loads(to.read_text()) == {
        "version": 1,
        "command": "clean",
        "checked": 3,
        "notes": [],
        "findings": [],
        "dry_run": False,
        "removed": [
            {"path": "__pycache__/", "path_base64": None},
            {"path": "__pycache__/a.cpython-313.pyc", "path_base64": None},
        ],
        "kept": [{"path": "lib.pyc", "path_base64": None, "reason": "sourceless"}],
        "skipped": [{"path": "node_modules", "path_base64": None, "reason": "node_modules"}],
        "looked_at": {"files": 3, "directories": 2},
    }


@pytest.mark.parametrize("format_name", ["github", "gitlab", "sarif"])
def test_other_voices_have_findings_only(root: Path, run: Run, format_name: str) -> None:
    make_tree(root, ["a.py", "a.pyc"])
    result = run("clean", "--format", format_name)
    assert result.code == 0
    assert "a.pyc" not in result.out
    assert list_tree(root) == {"a.py"}


class Wrong(NamedTuple):
    """A call that cannot be done."""

    argv: list[str]
    says: str


WRONG = [
    Wrong(["nothing"], "nothing: no such directory"),
    Wrong(["a.py"], "a.py: is not a directory, or is a link; pass the directory itself"),
    Wrong(["d", "nothing"], "nothing: no such directory"),
    Wrong([""], "argument PATH: must not be empty (see `pycache-guard clean --help`)"),
    Wrong(
        ["--orphan"],
        "unrecognized arguments: --orphan: did you mean `--orphans`?"
        " (see `pycache-guard clean --help`)",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: " ".join(w.argv))
def test_wrong(root: Path, run: Run, wrong: Wrong) -> None:
    make_tree(root, ["a.py", "d/__pycache__/a.cpython-313.pyc"])
    before = list_tree(root)
    assert run("clean", *wrong.argv) == (2, "", f"error: {wrong.says}\n")
    assert list_tree(root) == before


@pytest.mark.parametrize("place", [".git", ".git/refs", "bare", "bare/refs", "x/.hg/store", ".GIT"])
def test_internals_cannot_even_be_named(root: Path, run: Run, place: str) -> None:
    make_tree(root, [f"{place}/__pycache__/a.pyc", "bare/HEAD", "bare/objects/", "bare/refs/"])
    before = list_tree(root)
    result = run("clean", place)
    assert result.code == 2
    assert "contains internal files of a repository" in result.err
    assert list_tree(root) == before


def test_a_work_tree_in_a_bare_repository(root: Path, run: Run) -> None:
    make_tree(root, ["bare/HEAD", "bare/objects/", "bare/refs/", "bare/tree/.git/x"])
    make_tree(root, ["bare/tree/__pycache__/a.pyc"])
    assert run("clean", "bare/tree").out == "removed 1 file and 1 directory\n"


def test_a_cache_directory_may_be_named(root: Path, run: Run) -> None:
    make_tree(
        root, ["p/a.py", "p/__pycache__/a.cpython-313.pyc", "p/__pycache__/b.cpython-313.pyc"]
    )
    assert run("clean", "--orphans", "p/__pycache__/").out == "removed 1 file\n"
    assert run("clean", "--orphans", "p/__pycache__").out == ""
    assert run("clean", "p/__pycache__").out == "removed 1 file and 1 directory\n"
    make_tree(root, ["__pycache__/b.cpython-313.pyc"])
    assert run("clean", "--dry-run", "__pycache__").out == (
        "would remove __pycache__/\nwould remove __pycache__/b.cpython-313.pyc\n"
    )
    assert run("clean", "__pycache__").out == "removed 1 file and 1 directory\n"


def test_places_that_overlap(root: Path, run: Run) -> None:
    make_tree(root, ["p/__pycache__/a.cpython-313.pyc"])
    assert run("clean", "--dry-run", ".", "p", "./p/").out == (
        "would remove p/__pycache__/\nwould remove p/__pycache__/a.cpython-313.pyc\n"
    )
    assert run("clean", ".", "p", "./p/").out == "removed 1 file and 1 directory\n"


@pytest.mark.parametrize("order", [(".", "p"), ("p", "."), ("p", "{}/p"), ("{}", "p", ".")])
def test_overlapping_arguments_are_reported_once(
    root: Path, run: Run, order: tuple[str, ...]
) -> None:
    paths = [path.format(root) for path in order]
    make_tree(root, ["p/a.py", "p/a.pyc", "p/b.py", "p/b.pyc", "p/__pycache__/a.cpython-313.pyc"])
    assert run("clean", "--dry-run", *paths).out.count("would remove") == 4
    assert run("clean", *paths) == (0, "removed 3 files and 1 directory\n", "")
    assert list_tree(root) == {"p/", "p/a.py", "p/b.py"}


def test_a_directory_that_is_named_stays_only_for_its_own_sake(root: Path, run: Run) -> None:
    """Among orphans a package goes that held only caches, unless it alone was named."""
    for paths, left in ((("old",), {"old"}), (("old", "."), set())):
        make_tree(root, ["old/__pycache__/a.cpython-313.pyc"])
        result = run("clean", "--orphans", "--verbose", *paths)
        assert result.code == 0
        assert {path.name for path in root.iterdir()} == left


def test_absolute_paths(root: Path, run: Run) -> None:
    make_tree(root, ["p/__pycache__/a.cpython-313.pyc"])
    result = run("clean", "--dry-run", str(root / "p"))
    assert (
        result.out.splitlines()[1]
        == f"would remove {root.as_posix()}/p/__pycache__/a.cpython-313.pyc"
    )


@posix
def test_links_are_not_followed(root: Path, run: Run, tmp_path: Path) -> None:
    make_tree(tmp_path / "outside", ["a.py", "a.pyc", "__pycache__/a.cpython-313.pyc"])
    before = list_tree(tmp_path / "outside")
    make_tree(
        root,
        [
            "link -> ../outside",
            "p/__pycache__ -> ../../outside/__pycache__",
            "q/__pycache__/a.cpython-313.pyc -> ../../../outside/a.py",
            "q/__pycache__/dangling.cpython-313.pyc -> nowhere",
            "r/__pycache__/a.cpython-313.pyc|",
        ],
    )
    result = run("clean")
    assert result == (
        0,
        (
            "removed 2 files and 1 directory\n"
            "kept r/__pycache__/a.cpython-313.pyc: not a regular file\n"
            "kept p/__pycache__: a link instead of a cache directory\n"
        ),
        "",
    )
    assert list_tree(tmp_path / "outside") == before
    assert list_tree(root) == {
        *("link", "p/", "p/__pycache__", "q/", "r/", "r/__pycache__/"),
        "r/__pycache__/a.cpython-313.pyc",
    }
    assert run("clean", "link").code == 2
    assert list_tree(tmp_path / "outside") == before


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs a file system that accepts any bytes in names"
)
def test_paths_of_any_bytes(root: Path, run: Run) -> None:
    name = decode_posix_name(b"caf\xe9 \n\x1b[31m")
    make_tree(root, [f"{name}/{name}.py", f"{name}/__pycache__/{name}.cpython-313.pyc"])
    result = run("clean", "--dry-run", "--format", "json")
    last = json.loads(result.out)["removed"][1]
    assert last["path"] == "caf\\xe9 \n\x1b[31m/__pycache__/caf\\xe9 \n\x1b[31m.cpython-313.pyc"
    assert last["path_base64"] is not None
    result = run("clean", "--dry-run")
    assert result.out.splitlines()[0] == "would remove caf\\xe9 \\x0a\\x1b[31m/__pycache__/"
    assert run("clean").code == 0
    assert list_tree(root) == {f"{name}/", f"{name}/{name}.py"}


def test_tracked_is_kept(repo: Repo, run: Run) -> None:
    kept = ["lib/a.pyc", "p/__pycache__/t.cpython-313.pyc"]
    for path in kept:
        repo.add(path)
    make_tree(repo.path, ["lib/a.py", "p/__pycache__/u.cpython-313.pyc", "p/t.py"])
    result = run("clean")
    why = "tracked by git (--include-tracked removes it)"
    assert result == (0, "removed 1 file\n" + "".join(f"kept {p}: {why}\n" for p in kept), "")
    assert all((repo.path / path).exists() for path in kept)
    assert run("clean", "--include-tracked").out == "removed 2 files and 1 directory\n"
    assert repo.tracked() == kept


def test_tracked_under_another_spelling(repo: Repo, run: Run) -> None:
    """A case-insensitive file system has one file where git has another name for it."""
    repo.stage("Lib/CAF\u00c9.pyc")
    repo.stage("Lib/B.PYC")
    make_tree(repo.path, ["lib/cafe\u0301.py", "lib/cafe\u0301.pyc", "lib/b.py", "lib/b.pyc"])
    assert run("clean").out.startswith("kept lib/b.pyc: tracked by git")
    assert (repo.path / "lib" / "cafe\u0301.pyc").exists()


def test_a_submodules_place_is_not_taken(repo: Repo, run: Run) -> None:
    repo.stage("sub", "1" * 40, mode="160000")
    make_tree(repo.path, ["sub/__pycache__/a.cpython-313.pyc", "p/__pycache__/a.cpython-313.pyc"])
    run("clean", "--orphans")
    assert [path.name for path in repo.path.iterdir() if path.name != ".git"] == ["sub"]


@needs_any_git
def test_where_git_does_not_answer_nothing_goes(root: Path, run: Run) -> None:
    make_tree(root, [".git/HEAD", "__pycache__/a.cpython-313.pyc"])
    before = list_tree(root)
    result = run("clean")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {root}/.git: not a git repository")
    assert list_tree(root) == before
    assert run("clean", "--include-tracked").code == 0


def test_a_subdirectory_of_a_repository(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("p/__pycache__/t.cpython-313.pyc")
    make_tree(repo.path, ["__pycache__/a.cpython-313.pyc", "p/__pycache__/u.cpython-313.pyc"])
    monkeypatch.chdir(repo.path / "p")
    assert run("clean").out.startswith(
        "removed 1 file\nkept __pycache__/t.cpython-313.pyc: tracked"
    )
    assert (repo.path / "__pycache__" / "a.cpython-313.pyc").exists()


def test_a_branch_switch(repo: Repo, run: Run) -> None:
    """What Python 2 left beside a source that went with the branch, it would go on importing."""
    repo.add("keep.py")
    repo.commit()
    repo.git("checkout", "-q", "-b", "feature")
    repo.add("migrations/m0002.py")
    repo.commit()
    make_tree(repo.path, ["migrations/m0002.pyc", "migrations/__pycache__/m0002.cpython-313.pyc"])
    make_tree(repo.path, ["keep.pyc", "vendored.pyc"])
    repo.git("checkout", "-q", "main")
    assert run("clean", "--orphans", "--dry-run").out.splitlines() == [
        "would remove migrations/",
        "would remove migrations/__pycache__/",
        "would remove migrations/__pycache__/m0002.cpython-313.pyc",
        "would remove migrations/m0002.pyc",
    ]
    assert run("clean", "--orphans") == (0, "removed 2 files and 2 directories\n", "")
    assert {"keep.py", "keep.pyc", "vendored.pyc"} < list_tree(repo.path)
    assert not (repo.path / "migrations").exists()
    assert run("clean", "--orphans") == (0, "", "")


def test_many(root: Path, run: Run) -> None:
    """So many that threads share the work: children still go before parents."""
    make_tree(root, [f"p{n}/q/__pycache__/m.cpython-313.pyc" for n in range(200)])
    make_tree(root, [f"p{n}/__pycache__/m.cpython-313.pyc" for n in range(200)])
    assert run("clean", "--orphans").out == "removed 400 files and 800 directories\n"
    assert list_tree(root) == set()


def test_prefix(root: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("clean", "--prefix") == CLEAN  # there is none
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "nothing"))
    assert run("clean", "--prefix") == CLEAN
    prefix = tmp_path / "prefix"
    monkeypatch.setattr(sys, "pycache_prefix", str(prefix))
    ours = prefix / os.path.splitdrive(root)[1].lstrip("/\\")
    make_tree(root, ["p/a.py", ".venv/pyvenv.cfg", ".venv/v.py"])
    make_tree(
        ours,
        [
            "p/a.cpython-313.pyc",
            "p/gone.cpython-313.opt-1.pyc",
            "p/gone.cpython-313.pyc.123",
            "p/notes.txt",
            "old/m.cpython-313.pyc",
            ".venv/v.cpython-313.pyc",
        ],
    )
    make_tree(ours.parent, ["other/b.cpython-313.pyc"])
    assert run("clean") == CLEAN
    result = run("clean", "--prefix", "--orphans")
    assert result == (0, "removed 3 files and 1 directory\n", "")
    assert list_tree(ours) == {
        *("p/", "p/a.cpython-313.pyc", "p/notes.txt"),
        *(".venv/", ".venv/v.cpython-313.pyc"),
    }
    assert run("clean", "--prefix").out == "removed 1 file\n"
    (ours / "p" / "notes.txt").unlink()
    make_tree(ours, ["p/a.cpython-313.pyc"])
    assert run("clean", "--prefix").out == "removed 1 file and 1 directory\n"
    assert list_tree(ours.parent) == {
        *("root/", "root/.venv/", "root/.venv/v.cpython-313.pyc"),
        *("other/", "other/b.cpython-313.pyc"),
    }
    assert run("clean", "--prefix", ".venv").out == "removed 1 file and 1 directory\n"


def test_prefix_of_a_directory_that_is_a_file_now(
    root: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "prefix"
    monkeypatch.setattr(sys, "pycache_prefix", str(prefix))
    ours = prefix / os.path.splitdrive(root)[1].lstrip("/\\")
    make_tree(root, ["was"])
    make_tree(ours, ["was/m.cpython-313.pyc"])
    result = run("clean", "--prefix", "--orphans")
    assert result == (0, "removed 1 file and 2 directories\n", "")
    assert not ours.exists()
    # What has no tag is no cache there.
    make_tree(ours, ["plain.pyc"])
    assert run("clean", "--prefix") == CLEAN


def test_the_program_reads_the_environment(root: Path, program: Program, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    ours = prefix / os.path.splitdrive(root)[1].lstrip("/\\")
    make_tree(ours, ["a.cpython-313.pyc"])
    env = {"PYTHONPYCACHEPREFIX": str(prefix), "PYTHONDONTWRITEBYTECODE": "1"}
    result = program("clean", "--prefix", cwd=root, env=env)
    assert result == (0, "removed 1 file and 1 directory\n", "")
    assert not ours.exists()


def test_hook_is_silent_without_orphans(repo: Repo, program: Program) -> None:
    assert program("clean", "--orphans", cwd=repo.path) == (0, "", "")
    make_tree(repo.path, ["__pycache__/gone.cpython-313.pyc"])
    result = program("clean", "--orphans", cwd=repo.path)
    assert result == (0, "removed 1 file and 1 directory\n", "")


def test_no_git_needed(root: Path, run: Run, fake_git_script: Callable[[str], None]) -> None:
    fake_git_script("exit 99")
    make_tree(root, ["a.py", "a.pyc", "b.pyc", "__pycache__/gone.cpython-313.pyc"])
    assert run("clean", "--orphans").out == "removed 1 file and 1 directory\n"
    assert run("clean").out == f"removed 1 file\nkept b.pyc: {SOURCELESS}\n"


#: `typing` is what the knowledge of names needs, and names are looked at where caches are.
DEAR = ["argparse", "dataclasses", "inspect", "json", "pathlib", "subprocess", "tempfile"]


def test_a_branch_switch_does_not_wait_for_modules(repo: Repo) -> None:
    """A run that finds nothing imports little, and starts no git."""
    make_tree(repo.path, ["a.py", "__pycache__/a.cpython-313.pyc"])
    code = (
        "import sys; from pycache_guard.cli import main; assert main(['clean', '--orphans']) == 0;"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], check=False, capture_output=True)
    assert done.stderr == b""
    bare = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
    )
    imported = {*done.stdout.decode().split()} - {*bare.stdout.decode().split()}
    assert "pycache_guard.clean.plan" in imported
    ours = {"git.process", "clean.remove", "findings", "remedies", "report"}
    assert imported.isdisjoint([*DEAR, *(f"pycache_guard.{name}" for name in ours)])


@pytest.mark.skipif(
    not compat.HAS_POSIX_SPAWN, reason="git is started by `subprocess`, which imports them"
)
@pytest.mark.parametrize("caches", [0, 200])
def test_run_without_findings_imports_no_report(repo: Repo, caches: int) -> None:
    """What a report needs takes as long to import as 1,000 caches to remove."""
    for n in range(caches):
        repo.write(f"d{n}/__pycache__/m.cpython-311.pyc", BYTECODE)
    code = (
        "import sys; from pycache_guard.cli import main; assert main(['clean']) == 0;"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    )
    said, imported = done.stdout.splitlines()
    assert said.startswith("removed 200 files and" if caches else "OK: nothing to remove")
    ours = {"pycache_guard.findings", "pycache_guard.remedies", "pycache_guard.report"}
    assert {"argparse", "typing", "enum", *ours}.isdisjoint(imported.split())


@pytest.fixture(params=["descriptors", "paths"])
def cursor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "paths":
        monkeypatch.setattr(compat, "HAS_DIR_FD", False)


#: A file, its content, and whether `--broken` removes it.
BROKEN = [
    ("__pycache__/m.cpython-311.pyc", BYTECODE, False),
    ("__pycache__/m.cpython-311.pyc", b"", True),
    ("__pycache__/m.cpython-311.pyc", bytes(100), True),
    ("__pycache__/m.cpython-311.pyc", BYTECODE[:3], True),
    ("__pycache__/m.cpython-311.pyc", BYTECODE[:8], True),
    ("__pycache__/m.cpython-311.pyc", BYTECODE[:16], True),
    ("__pycache__/m.cpython-311.pyc", BYTECODE[:-3], True),
    ("__pycache__/m.cpython-311.opt-1.pyc", BYTECODE[:-3], True),
    ("__pycache__/gone.cpython-311.pyc", BYTECODE[:-3], True),
    ("__pycache__/m.cpython-311.pyc.140162621172480", BYTECODE[:-3], True),
    ("__pycache__/m.cpython-399.pyc", b"\xff\x7f\r\n" + bytes(30), False),
    ("__pycache__/m.f-3.py312.nbi", b"", False),
    ("__pycache__/notes.txt", b"", False),
    ("m.pyc", BYTECODE[:-3], True),
    ("m.pyc", BYTECODE, False),
    ("lib.pyc", BYTECODE[:-3], False),
    ("__pycache__/m.cpython-27.pyc", b"\x03\xf3\r\n" + bytes(4) + b"c\0\0", True),
]


@pytest.mark.usefixtures("cursor")
@pytest.mark.parametrize(("path", "content", "goes"), BROKEN)
def test_broken_caches_alone_are_removed(
    path: str, content: bytes, goes: bool, root: Path, run: Run
) -> None:
    make_tree(root, ["m.py", "__pycache__/", path])
    (root / path).write_bytes(content)
    planned = run("clean", "--broken", "--dry-run").out
    assert (f"would remove {path}\n" in planned) is goes
    assert (root / path).exists()
    assert run("clean", "--broken").code == 0
    assert (root / path).exists() is not goes
    # A cache directory that is left empty goes too, as always.
    assert run("clean", "--broken") == (0, "", "")


def test_broken_cache_that_is_tracked_stays(repo: Repo, run: Run) -> None:
    repo.add("m.pyc", b"")
    repo.write("m.py")
    repo.write("n.py")
    repo.write("n.pyc", b"")
    assert run("clean", "--broken") == (0, "removed 1 file\n", "")
    assert (repo.path / "m.pyc").exists()
    assert run("clean", "--broken", "--include-tracked") == (0, "removed 1 file\n", "")


def test_broken_and_sourceless_goes_on_request(root: Path, run: Run) -> None:
    make_tree(root, ["lib.pyc", "whole.pyc"])
    (root / "lib.pyc").write_bytes(b"")
    (root / "whole.pyc").write_bytes(BYTECODE)
    assert run("clean", "--broken", "--include-sourceless") == (0, "removed 1 file\n", "")
    assert (root / "whole.pyc").exists()


def test_broken_and_orphans_exclude_each_other(root: Path, run: Run) -> None:
    result = run("clean", "--broken", "--orphans")
    assert (result.code, result.out) == (2, "")
    assert "not allowed with" in result.err


@posix
@pytest.mark.usefixtures("cursor")
def test_broken_reads_no_links_and_no_pipes(root: Path, run: Run) -> None:
    make_tree(root, ["empty", "m.py", "m.pyc -> empty", "__pycache__/m.cpython-311.pyc|"])
    (root / "empty").write_bytes(b"")
    assert run("clean", "--broken") == (0, "", "")
    assert (root / "m.pyc").is_symlink()


@posix
def test_broken_names_what_it_cannot_read(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(root, ["m.py", "m.pyc"])

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(FdCursor, "read", refuse)
    result = run("clean", "--broken")
    assert result.code == 1
    assert result.out.startswith("m.pyc: PYC501 not read: ")
    assert "    chmod u+r -- m.pyc\n" in result.out
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(root).st_uid + 1)
    assert "    sudo pycache-guard clean --broken -- .\n" in run("clean", "--broken").out


def test_broken_leaves_what_is_larger_than_any_cache(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(root, ["m.py", "m.pyc"])
    (root / "m.pyc").write_bytes(b"")
    monkeypatch.setattr(plan, "MAX_CACHE_BYTES", -1)
    assert run("clean", "--broken") == (0, "", "")


NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(("source", "cache"), [(NFC, NFD), (NFD, NFC), (NFC, NFC), (NFD, NFD)])
def test_source_in_another_normal_form_is_a_source(
    source: str, cache: str, root: Path, run: Run
) -> None:
    """APFS finds `café.py` in NFD when import asks for NFC, and the cache has the name of import."""
    make_tree(root, [f"{source}.py", f"__pycache__/{cache}.cpython-313.pyc", f"{cache}.pyc"])
    make_tree(root, ["__pycache__/g\u00e9.cpython-313.pyc", "__pycache__/a.cpython-313.pyc"])
    result = run("clean", "--orphans", "--dry-run")
    assert result.out.splitlines() == [
        "would remove __pycache__/a.cpython-313.pyc",
        "would remove __pycache__/g\u00e9.cpython-313.pyc",
    ]
    assert f"would remove {cache}.pyc\n" in run("clean", "--dry-run").out


def test_prefix_source_in_another_normal_form_is_a_source(
    root: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "prefix"
    monkeypatch.setattr(sys, "pycache_prefix", str(prefix))
    ours = prefix / os.path.splitdrive(root)[1].lstrip("/\\")
    make_tree(root, [f"{NFD}.py"])
    make_tree(ours, [f"{NFC}.cpython-313.pyc", "gone\u00e9.cpython-313.pyc"])
    assert run("clean", "--orphans", "--prefix").out == "removed 1 file\n"
    assert list_tree(ours) == {f"{NFC}.cpython-313.pyc"}
