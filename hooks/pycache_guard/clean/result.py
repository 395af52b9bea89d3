"""Run `clean`: plan, remove, collect the result. The hook imports nothing here that only errors need."""

from __future__ import annotations

from pycache_guard.clean.plan import deduplicate
from pycache_guard.clean.plan import make_plan
from pycache_guard.clean.roots import prefix_roots
from pycache_guard.clean.roots import root_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.clean.plan import Plan
    from pycache_guard.clean.remove import RemovalBatch
    from pycache_guard.clean.select import CleanOptions
    from pycache_guard.clean.select import KeepReason
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
        obstacles = []
        if self.dry_run:
            self._plans.append(plan)
        elif any(spot.files or spot.remove_directory for spot in plan.spots):
            from pycache_guard.clean.remove import execute

            done = execute(plan)
            self._removals.append(done)
            obstacles = done.obstacles
        if plan.unreadable or obstacles:
            from pycache_guard.clean.removal_errors import error_findings

            self.findings += error_findings(plan, obstacles)
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


def clean(paths: Sequence[str], mode: CleanOptions, *, dry_run: bool = False) -> CleanResult:
    """Remove caches below `paths`; with `dry_run` only plan it.

    Everything is planned before the first removal. Raises `Failure` if a path is not a directory, or if
    git cannot say what is tracked.
    """
    outcome = CleanResult(dry_run=dry_run)
    roots = [root_for(path) for path in dict.fromkeys(paths)]
    if mode.prefix:
        roots += [root for path in dict.fromkeys(paths) for root in prefix_roots(path)]
    try:
        plans = [make_plan(root, mode) for root in roots]
        deduplicate(plans)
        for plan in plans:
            outcome.add(plan)
    finally:
        for root in roots:
            root.way.close()
    outcome.sort()
    return outcome
