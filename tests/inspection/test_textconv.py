"""`git diff` of bytecode, through `inspect --textconv`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import TAG, compile_source, foreign_pyc, timestamp_pyc, write_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

COMMAND = f"{sys.executable} -m pycache_guard inspect --textconv"
SOURCE = 'def f(a, *b):\n    return "{}", a.name\n'


@pytest.fixture
def diffing(repo: Repo) -> Repo:
    """Return a repository with the driver of the documentation."""
    repo.git("config", "diff.pycache-guard.textconv", COMMAND)
    repo.add(".gitattributes", "*.pyc diff=pycache-guard\n")
    repo.commit()
    return repo


def diff(repo: Repo, *options: str) -> str:
    done = subprocess.run(
        ["git", "diff", *options], cwd=repo.path, capture_output=True, check=True, env=os.environ
    )
    return os.fsdecode(done.stdout)


def changed(text: str) -> list[str]:
    """Return the changed lines of a diff."""
    lines = text.splitlines()
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_git_diff_shows_what_changed_in_the_code(diffing: Repo) -> None:
    for text in ("old", "new"):
        diffing.add("m.pyc", timestamp_pyc(compile_source(SOURCE.format(text)), 0))
        diffing.commit()
    assert changed(diff(diffing, "HEAD~1", "HEAD", "--", "m.pyc")) == [
        "-  constant 'old'",
        "+  constant 'new'",
    ]


def test_git_diff_with_the_work_tree_has_no_temporary_path(diffing: Repo) -> None:
    diffing.add("m.pyc", timestamp_pyc(compile_source(SOURCE.format("old")), 0))
    diffing.commit()
    write_file(diffing.path / "m.pyc", timestamp_pyc(compile_source(SOURCE.format("new")), 0))
    assert changed(diff(diffing)) == ["-  constant 'old'", "+  constant 'new'"]


def test_git_diff_of_damaged_bytecode_does_not_fail(diffing: Repo) -> None:
    data = timestamp_pyc(compile_source(SOURCE.format("old")), 0)
    for content in (data, data[:-9], b"", data + b"\0"):
        diffing.add("m.pyc", content)
        diffing.commit()
    assert "its code cannot be read: marshal data too short" in diff(diffing, "HEAD~3", "HEAD~2")
    assert "it contains nothing" in diff(diffing, "HEAD~2", "HEAD~1")
    assert "+after the code 1 bytes" in diff(diffing, "HEAD~3", "HEAD")


def test_git_log_and_show_use_it(diffing: Repo) -> None:
    diffing.add("m.pyc", timestamp_pyc(compile_source(SOURCE.format("old")), 0))
    diffing.commit()
    shown = diffing.git("show", "HEAD")
    assert "+f(a, *b)" in shown


def test_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path / "m.pyc", foreign_pyc("cpython-312"))
    write_file(tmp_path / f"n.{TAG}.pyc", foreign_pyc("cpython-27")[:20])
    done = run("inspect", "--textconv", "m.pyc", f"n.{TAG}.pyc")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:5] == [
        "CPython 3.12 (magic 3531)",
        "timestamp: source of 2023-11-14 22:13:20 UTC, 2039 bytes",
        "compiled as basic.py",
        "",
        "<module>",
    ]
    assert "plain(a, b, *args, **kwargs)" in lines
    assert "  flags OPTIMIZED, NEWLOCALS, VARARGS, VARKEYWORDS" in lines
    assert "  variable kwargs" in lines
    assert any(line.startswith("  exception table ") for line in lines)
    assert any(line.startswith("  instructions 68 bytes, sha256 ") for line in lines)
    assert "CPython 2.7 (magic 62211)" in lines


def test_unreadable_file_ends_with_2(tmp_path: Path, run: Run) -> None:
    done = run("inspect", "--textconv", str(tmp_path / "nowhere.pyc"))
    assert done.code == 2
    assert run("inspect", "--textconv", "--format", "json", "m.pyc").code == 2


DAMAGED = [
    (b"", ["not well-formed: it contains nothing", "content 0 bytes, sha256 e3b0c44298fc"]),
    (b"\x31\x13\r\n" + bytes(12) + b"c", ["timestamp: source of 1970-01-01 00:00:00 UTC, 0 bytes"]),
    (
        timestamp_pyc(compile_source(""), 0)[:-2],
        ["timestamp: source of 2023-11-14 22:13:20 UTC, 0 bytes"],
    ),
    (timestamp_pyc(compile_source(""), 0) + b"\0", ["after the code 1 bytes, sha256 6e340b9cffb3"]),
]


@pytest.mark.parametrize(("data", "lines"), DAMAGED)
def test_damaged_file_ends_with_0(tmp_path: Path, run: Run, data: bytes, lines: list[str]) -> None:
    path = write_file(tmp_path / "m.pyc", data)
    done = run("inspect", "--textconv", str(path))
    assert (done.code, done.err) == (0, "")
    assert set(lines) <= {*done.out.splitlines()}
