"""What cleaning came to: removed, kept, left out, in the way."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.cleaning.apply import apply
from pycache_guard.cleaning.choice import Why
from pycache_guard.cleaning.roots import below_prefix
from pycache_guard.cleaning.roots import named
from pycache_guard.cleaning.visit import planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from pycache_guard.cleaning.choice import Mode
    from pycache_guard.cleaning.plan import Kept
    from pycache_guard.cleaning.plan import Plan
    from pycache_guard.findings import Finding

#: So many of what was kept for one reason are named unless everything is.
NAMED = 5


class Outcome(NamedTuple):
    """The result of a run. Paths are as people write them; those of directories end with a slash."""

    dry_run: bool
    #: Removed, or with `dry_run` to be removed.
    removed: list[str]
    kept: list[Kept]
    #: Directories with the reason why they were not looked into.
    skipped: list[tuple[str, str]]
    #: What could not be removed: PYC501.
    findings: list[Finding]
    #: How many were looked at.
    files: int
    directories: int


def clean(paths: Sequence[str], mode: Mode, *, dry_run: bool = False) -> Outcome:
    """Remove caches below `paths`; with `dry_run` only say which.

    Everything is planned before anything is removed. Raises `Failure` for a path that is no
    directory, and where git does not tell what it tracks.
    """
    roots = [named(path) for path in dict.fromkeys(paths)]
    if mode.prefix:
        roots += [root for path in dict.fromkeys(paths) for root in below_prefix(path)]
    try:
        plans = [planned(root, mode) for root in roots]
        return outcome(plans, dry_run=dry_run)
    finally:
        for root in roots:
            root.way.close()


def outcome(plans: Sequence[Plan], *, dry_run: bool) -> Outcome:
    """Carry the plans out, unless `dry_run`, and add them up."""
    removed: list[str] = []
    findings: list[Finding] = []
    for plan in plans:
        done = None if dry_run else apply(plan)
        removed += plan.removals() if done is None else done.paths(plan.root)
        if plan.unreadable or (done is not None and done.obstacles):
            from pycache_guard.cleaning.obstacles import told

            findings += told(plan, done.obstacles if done is not None else [])
    return Outcome(
        dry_run,
        sorted(dict.fromkeys(removed)),
        sorted(dict.fromkeys(kept for plan in plans for kept in plan.kept), key=lambda k: k.path),
        sorted(dict.fromkeys(skipped for plan in plans for skipped in plan.skipped)),
        list(dict.fromkeys(findings)),
        sum(plan.files for plan in plans),
        sum(plan.directories for plan in plans),
    )


def text(result: Outcome, *, verbose: bool = False, quiet: bool = False) -> list[str]:
    """Return the lines for people; none where there is nothing to say.

    With `verbose` everything is named. With `quiet` what was kept is not spoken of.
    """
    lines = []
    if result.dry_run or verbose:
        verb = "would remove" if result.dry_run else "removed"
        lines += [f"{verb} {path}" for path in result.removed]
    elif result.removed:
        lines.append(f"removed {counted(result.removed)}")
    if verbose or not quiet:
        lines += kept_lines(result.kept, limit=None if verbose else NAMED)
    if verbose:
        lines += [f"skipped {path}: {why}" for path, why in result.skipped]
        looked = number(result.files, "file")
        where = number(result.directories, "directory")
        lines.append(f"looked at {looked} in {where}")
    return lines


def kept_lines(kept: Sequence[Kept], *, limit: int | None) -> list[str]:
    """Name what was kept, by reason."""
    lines = []
    for why in Why:
        paths = [item.path for item in kept if item.why is why]
        lines += [f"kept {path}: {why.value}" for path in paths[:limit]]
        if limit is not None and len(paths) > limit:
            lines.append(f"kept {len(paths) - limit} more: {why.value}")
    return lines


def counted(paths: Iterable[str]) -> str:
    """Say how many files and directories there are."""
    ends = [path.endswith("/") for path in paths]
    parts = [
        number(count, word)
        for count, word in ((ends.count(False), "file"), (ends.count(True), "directory"))
        if count
    ]
    return " and ".join(parts)


def number(count: int, word: str) -> str:
    """Return `1 file`, `2 files`, `2 directories`."""
    if count == 1:
        return f"1 {word}"
    return f"{count} {word[:-1]}ies" if word.endswith("y") else f"{count} {word}s"
