"""Run `clean`: plan, remove, collect the result and format it.

Modules that only a removal needs are imported when something is removed.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

from pycache_guard.clean.plan import deduplicate, make_plan
from pycache_guard.clean.roots import prefix_roots, root_for
from pycache_guard.clean.select import REASONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.clean.plan import Plan
    from pycache_guard.clean.remove import RemovalBatch
    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.clean.select import CleanOptions, KeepReason
    from pycache_guard.findings import Finding


class CleanResult:
    """The result of a run. Paths start with the argument; those of directories end with a slash."""

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._plans: list[Plan] = []
        self._removals: list[RemovalBatch] = []
        self.kept: list[tuple[str, KeepReason]] = []
        #: Skipped directories, with the reason.
        self.skipped: list[tuple[str, str]] = []
        #: Files that could not be removed, and directories that could not be read: PYC501.
        self.findings: list[Finding] = []
        #: The numbers of checked files and directories.
        self.files = 0
        self.directories = 0

    def add(self, plan: Plan) -> None:
        """Execute a plan, unless `dry_run`, and add its result."""
        errors = []
        if self.dry_run:
            self._plans.append(plan)
        elif any(
            directory_plan.files or directory_plan.remove_directory
            for directory_plan in plan.directory_plans
        ):
            from pycache_guard.clean.remove import execute

            done = execute(plan)
            self._removals.append(done)
            errors = done.errors
        if plan.unreadable or errors:
            from pycache_guard.clean.unremoved import error_findings

            self.findings += error_findings(plan, errors)
        self.kept += plan.kept
        self.skipped += plan.skipped
        self.files += plan.files
        self.directories += plan.directories

    @property
    def removed(self) -> list[str]:
        """The removed paths, or with `dry_run` the paths to remove, in order."""
        gone = [path for plan in self._plans for path in plan.paths()]
        gone += [path for removal in self._removals for path in removal.paths()]
        return sorted({*gone})

    def counts(self) -> tuple[int, int]:
        """Return how many files and directories were removed; cheaper than `removed`."""
        counts = [removal.counts() for removal in self._removals]
        return sum(files for files, _ in counts), sum(directories for _, directories in counts)

    def sort(self) -> None:
        """Sort everything, and remove duplicates: arguments can overlap."""
        self.kept = sorted(dict.fromkeys(self.kept), key=lambda kept: kept[0])
        self.skipped = sorted(dict.fromkeys(self.skipped))
        self.findings = [*dict.fromkeys(self.findings)]


def clean(paths: Sequence[str], options: CleanOptions, *, dry_run: bool = False) -> CleanResult:
    """Remove caches below `paths`; with `dry_run` only plan it.

    Everything is planned before the first removal. Raises `Failure` if a path is not a directory, or if
    git cannot say what is tracked.
    """
    outcome = CleanResult(dry_run=dry_run)
    roots: list[CleanRoot] = []
    try:
        # Generators: a refusal closes the cursors that were opened before it.
        roots.extend(root_for(path) for path in dict.fromkeys(paths))
        if options.prefix:
            roots.extend(root for path in dict.fromkeys(paths) for root in prefix_roots(path))
        plans = [make_plan(root, options) for root in roots]
        deduplicate(plans)
        for plan in plans:
            outcome.add(plan)
    finally:
        for root in roots:
            root.cursor.close()
    outcome.sort()
    return outcome


#: Maximum number of kept paths that are listed for one reason without `--verbose`.
MAX_LISTED_COUNT = 5


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
        lines += kept_lines(result.kept, limit=None if verbose else MAX_LISTED_COUNT)
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
