"""What was done, in words."""

from __future__ import annotations

from pycache_guard.cleaning.choice import REASONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.cleaning.choice import Why
    from pycache_guard.cleaning.outcome import Outcome

#: So many of what was kept for one reason are named unless everything is.
NAMED = 5


def text(result: Outcome, *, verbose: bool = False, quiet: bool = False) -> list[str]:
    """Return the lines for people; none where there is nothing to say.

    With `verbose` everything is named. With `quiet` what was kept is not spoken of.
    """
    lines = []
    if result.dry_run or verbose:
        verb = "would remove" if result.dry_run else "removed"
        lines += [f"{verb} {path}" for path in result.removed]
    elif any(result.counts()):
        lines.append(f"removed {counted(*result.counts())}")
    if verbose or not quiet:
        lines += kept_lines(result.kept, limit=None if verbose else NAMED)
    if verbose:
        lines += [f"skipped {path}: {why}" for path, why in result.skipped]
        looked = number(result.files, "file")
        where = number(result.directories, "directory")
        lines.append(f"looked at {looked} in {where}")
    return lines


def kept_lines(kept: Sequence[tuple[str, Why]], *, limit: int | None) -> list[str]:
    """Name what was kept, by reason."""
    lines = []
    for why in REASONS:
        paths = [path for path, reason in kept if reason is why]
        lines += [f"kept {path}: {why.words}" for path in paths[:limit]]
        if limit is not None and len(paths) > limit:
            lines.append(f"kept {len(paths) - limit} more: {why.words}")
    return lines


def counted(files: int, directories: int) -> str:
    """Say how many files and directories there are."""
    parts = ((files, "file"), (directories, "directory"))
    return " and ".join(number(count, word) for count, word in parts if count)


def number(count: int, word: str) -> str:
    """Return `1 file`, `2 files`, `2 directories`."""
    if count == 1:
        return f"1 {word}"
    return f"{count} {word[:-1]}ies" if word.endswith("y") else f"{count} {word}s"
