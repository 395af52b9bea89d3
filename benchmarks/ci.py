"""`ci` against the slowest of its three checks: they run side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import compare, elapsed
from benchmarks.repositories import IDENTITY, git, history, modules, repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Figure

PEERS = ()
RULES = {".gitignore": "__pycache__/\n*.py[cod]\n"}
#: Our time by that of the slowest check.
BAR = 1.3


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure a long history, and many files with one new commit."""
    guard = str(scripts / "pycache-guard")
    yield measure(guard, checked_out(work / "long", 2_000), "HEAD", "600 files, 2 400 commits")
    wide = repository(work / "wide", modules(200, 100), RULES)
    git(wide, *IDENTITY, "commit", "-q", "--allow-empty", "-m", "new")
    yield measure(guard, wide, "HEAD~1..HEAD", "20 000 files, 1 new commit")


def checked_out(place: Path, commits: int) -> Path:
    """Return a clone of a history with an index and rules, but without the other files on disk."""
    bare = history(place.with_suffix(".git"), commits)
    git(place.parent, "clone", "-q", "--no-checkout", "--shared", str(bare), str(place))
    git(place, "read-tree", "HEAD")
    for name, content in RULES.items():
        (place / name).write_text(content, encoding="utf-8")
        git(place, "add", name)
    return place


def measure(guard: str, place: Path, commits: str, what: str) -> Figure:
    """Compare `ci` with the check that takes longest here."""
    checks = [
        ["forbid-bytecode", "--content", "all"],
        ["check-gitignore"],
        ["check-history", commits],
    ]
    seconds = [min(elapsed([[guard, *check]], place) for _ in range(3)) for check in checks]
    slowest = checks[seconds.index(max(seconds))]
    return compare(
        f"ci, {what}",
        [[guard, "ci", "--range", commits]],
        f"{' '.join(slowest)}, the slowest of its checks",
        [[guard, *slowest]],
        BAR,
        cwd=place,
        rounds=9,
    )
