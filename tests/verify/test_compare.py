"""What changes while it is judged."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import INNOCENT, cache_path, matching_pyc, write_file
from helpers.windows import needs_shell_scripts, words_of_missing_file
from pycache_guard.interpreters.pool import CompilerPool
from pycache_guard.verify.check import VerifyResult, iter_targets, verify
from pycache_guard.verify.compare import Comparer, ComparisonResult
from pycache_guard.verify.stores import DiskStore

if TYPE_CHECKING:
    from pathlib import Path


class Changing(DiskStore):
    """A store whose files are other ones when they are read a second time."""

    def __init__(self, top: Path, second: bytes | None) -> None:
        super().__init__([os.fspath(top)])
        self._second = second

    def read(self, path: str) -> bytes:
        """Return what is there now."""
        if self._second is None:
            os.unlink(path)
            return super().read(path)
        return self._second


@pytest.mark.parametrize(
    ("second", "reason"), [(None, words_of_missing_file()), (b"", "changed while it was read")]
)
def test_file_that_changes_while_it_is_read_is_a_failure(
    tmp_path: Path, second: bytes | None, reason: str
) -> None:
    write_file(tmp_path / "m.py", INNOCENT)
    write_file(tmp_path / cache_path(), matching_pyc())
    compilers = CompilerPool()
    found = verify(Changing(tmp_path, second), compilers)
    compilers.close()
    assert (found.findings, found.checked, found.verified) == ([], 0, 0)
    assert found.failures == [f"{(tmp_path / cache_path()).as_posix()}: {reason}"]


def test_unreadable_file_under_another_name_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    write_file(tmp_path / "text", "text")
    assert list(DiskStore([os.fspath(tmp_path)]).paths()) == []


@needs_shell_scripts
def test_files_of_one_level_share_a_process(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    python = tmp_path / "python"
    # As Python 2 does: no -I, and levels are options.
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -I ] && exit 2\necho >> {starts}\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    for name in "abcd":
        write_file(tmp_path / "top" / f"{name}.py", INNOCENT)
        write_file(tmp_path / "top" / cache_path(name), matching_pyc())
        write_file(tmp_path / "top" / cache_path(name, ".opt-1"), matching_pyc(level=1))
    compilers = CompilerPool([os.fspath(python)])
    found = verify(DiskStore([os.fspath(tmp_path / "top")]), compilers)
    compilers.close()
    assert (found.findings, found.failures, found.verified) == ([], [], 8)
    assert len(starts.read_text()) == 2


def test_files_that_differ_are_not_kept_in_memory(tmp_path: Path) -> None:
    """Their trees of code would add up."""
    for name in "abc":
        write_file(tmp_path / f"{name}.py", INNOCENT)
        write_file(tmp_path / cache_path(name), matching_pyc(INNOCENT.replace("hello", "hallo")))
    compilers = CompilerPool()
    store = DiskStore([os.fspath(tmp_path)])
    targets = [*iter_targets(store, VerifyResult(store))]
    found = [*Comparer(store, compilers).compare_all(targets)]
    compilers.close()
    assert [target.comparison.result for target in found] == [ComparisonResult.DIFFERENT] * 3
    assert [target.pyc for target in found] == [None] * 3
