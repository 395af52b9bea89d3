"""The report of `clean` as text."""

from __future__ import annotations

from pycache_guard.clean.select import REASONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.clean.result import CleanResult
    from pycache_guard.clean.select import KeepReason

#: Maximum number of kept paths that are listed for one reason without `--verbose`.
MAX_NAMED = 5


def format_text(result: CleanResult, *, verbose: bool = False, is_hook: bool = False) -> list[str]:
    """Return the lines of the text report, without findings.

    With `verbose` every path is listed. A hook lists no kept paths, and has no lines if nothing
    was removed.
    """
    lines = []
    if result.dry_run or verbose:
        verb = "would remove" if result.dry_run else "removed"
        lines += [f"{verb} {path}" for path in result.removed]
    elif any(result.counts()):
        lines.append(f"removed {format_counts(*result.counts())}")
    if verbose or not is_hook:
        lines += kept_lines(result.kept, limit=None if verbose else MAX_NAMED)
    if verbose:
        lines += [f"skipped {path}: {why}" for path, why in result.skipped]
        looked = format_count(result.files, "file")
        where = format_count(result.directories, "directory")
        lines.append(f"looked at {looked} in {where}")
    elif not (lines or is_hook or result.findings):
        lines.append(f"OK: nothing to remove, {format_checked(result)}.")
    return lines


def format_checked(result: CleanResult) -> str:
    """Return how many files and directories were checked, in words."""
    files = format_count(result.files, "file")
    return f"{files} in {format_count(result.directories, 'directory')} checked"


def kept_lines(kept: Sequence[tuple[str, KeepReason]], *, limit: int | None) -> list[str]:
    """Return one line for each kept path, sorted by reason; `limit` is the maximum for each reason."""
    lines = []
    for why in REASONS:
        paths = [path for path, reason in kept if reason is why]
        lines += [f"kept {path}: {why.words}" for path in paths[:limit]]
        if limit is not None and len(paths) > limit:
            lines.append(f"kept {len(paths) - limit} more: {why.words}")
    return lines


def format_counts(files: int, directories: int) -> str:
    """Return `2 files and 1 directory`, without what is zero."""
    parts = ((files, "file"), (directories, "directory"))
    return " and ".join(format_count(count, word) for count, word in parts if count)


def format_count(count: int, word: str) -> str:
    """Return `1 file`, `2 files`, `2 directories`."""
    if count == 1:
        return f"1 {word}"
    return f"{count:,} {word[:-1]}ies" if word.endswith("y") else f"{count:,} {word}s"
