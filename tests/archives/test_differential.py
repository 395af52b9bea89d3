"""What any other reader sees as bytecode is reported, or the archive is refused.

The readers are pip's, `zipimport`, `zipfile` and `tarfile` of every Python on this machine. In the usual
run they get a sample; `-m slow` gives them 3,000 archives.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archives.mutations import archives
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.sniff import is_bytecode
from pycache_guard.dist.compare import ArchiveComparer
from pycache_guard.dist.scan import scan_archive
from pycache_guard.interpreters.pool import find_candidates
from pycache_guard.misplaced import may_be_misplaced

READERS = Path(__file__).with_name("readers.txt")


def see(python: str, place: Path) -> dict[str, list[list[str]]]:
    """Return what the readers of a Python see in the archives of a directory."""
    done = subprocess.run(
        [python, os.fspath(READERS), os.fspath(place)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "ascii"},
    )
    seen = json.loads(done.stdout)
    assert isinstance(seen, dict)
    return seen


def pythons() -> list[str]:
    """Return an interpreter of each version that is here, recognized by the version that it gives."""
    found: dict[str, str] = {}
    for path in [sys.executable, *find_candidates("3")]:
        done = subprocess.run(
            [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            found.setdefault(done.stdout.strip(), path)
    return sorted(found.values())


def is_seen(name: str, head: str) -> bool:
    """Whether a reader that sees this member sees bytecode."""
    path = name.encode("latin-1")
    is_named = is_bytecode_path(path) and not may_be_misplaced(os.fsdecode(path))
    return (is_named and not path.endswith(b"/")) or is_bytecode(bytes.fromhex(head))


def compare(place: Path, number: int, seed: int, interpreters: list[str]) -> tuple[int, int]:
    """Return in how many archives a reader sees bytecode, and how many of those are wrongly passed."""
    passed = set()
    comparison = ArchiveComparer()
    for name, data in archives(number, seed):
        path = place / name
        path.write_bytes(data)
        if scan_archive(os.fspath(path), comparison) == ([], []):
            passed.add(name)
    comparison.close()
    seeing: dict[str, set[str]] = {}
    for python in interpreters:
        for name, members in see(python, place).items():
            seeing.setdefault(name, set()).update(
                f"{python} {reader} {member}"
                for reader, member, head in members
                if is_seen(member, head)
            )
    seeing = {name: readers for name, readers in seeing.items() if readers}
    wrong = {name: seeing[name] for name in passed & {*seeing}}
    assert not wrong, wrong
    return len(seeing), len(passed)


def test_mutated_archives_in_sample_hide_nothing_from_this_python(tmp_path: Path) -> None:
    seen, passed = compare(tmp_path, 150, 0, [sys.executable])
    assert seen > 40
    assert passed > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_mutated_archives_hide_nothing_from_any_python(tmp_path: Path, seed: int) -> None:
    seen, passed = compare(tmp_path, 1000, seed, pythons())
    assert seen > 250
    assert passed > 50
