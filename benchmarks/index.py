"""`forbid-bytecode` and `check-gitignore`: one file, a million entries, 200 000 sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import Figure
from benchmarks.measure import compare
from benchmarks.measure import modules
from benchmarks.measure import repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEERS = ("pre-commit-hooks",)


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure what a hook costs, small and large."""
    guard, python = str(scripts / "pycache-guard"), str(scripts / "python")
    small = repository(work / "small", b"", {"a.txt": "a\n"})
    clean = [[guard, "forbid-bytecode"]]
    eof = [[str(scripts / "end-of-file-fixer"), "a.txt"]]
    yield compare(
        "forbid-bytecode, clean", clean, "end-of-file-fixer", eof, 0.7, cwd=small, rounds=40
    )
    bare = [[python, "-I", "-c", "pass"], ["git", "ls-files"]]
    yield compare(
        "forbid-bytecode, clean",
        clean,
        "bare interpreter + git ls-files",
        bare,
        1.3,
        cwd=small,
        rounds=40,
    )
    million = repository(work / "million", modules(1000, 1000), {"a.txt": "a\n"})
    cat = [["sh", "-c", "git ls-files -s -z | cat"]]
    yield compare(
        "forbid-bytecode, 1 000 000 entries",
        clean,
        "git ls-files -s -z | cat",
        cat,
        1.5,
        cwd=million,
        rounds=9,
    )
    rules = {".gitignore": "__pycache__/\n*.py[cod]\n"}
    sources = repository(work / "sources", modules(2000, 100), rules)
    (work / "probes").write_bytes(probes(2000, 100))
    raw = [["sh", "-c", f"git check-ignore --no-index --stdin -z < {work / 'probes'}"]]
    proof = [[guard, "check-gitignore"]]
    yield compare(
        "check-gitignore, 200 000 sources",
        proof,
        "git check-ignore, 2 probes each",
        raw,
        3,
        cwd=sources,
        rounds=7,
    )


def probes(directories: int, files: int) -> bytes:
    """Return two probes for each module of `modules`."""
    return b"".join(
        b"src/component_%04d/%s%04d%s\0" % (d, start, f, end)
        for d in range(directories)
        for f in range(files)
        for start, end in ((b"__pycache__/module_", b".cpython-313.pyc"), (b"module_", b".pyc"))
    )
