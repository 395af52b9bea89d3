"""What cleaning came to: removed, kept, left out, in the way."""

from __future__ import annotations

from pycache_guard.cleaning.plan import once
from pycache_guard.cleaning.roots import below_prefix
from pycache_guard.cleaning.roots import named
from pycache_guard.cleaning.visit import planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.cleaning.apply import Removal
    from pycache_guard.cleaning.choice import Mode
    from pycache_guard.cleaning.choice import Why
    from pycache_guard.cleaning.plan import Plan
    from pycache_guard.findings import Finding


class Outcome:
    """The result of a run. Paths are as people write them; those of directories end with a slash."""

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._plans: list[Plan] = []
        self._removals: list[Removal] = []
        self.kept: list[tuple[str, Why]] = []
        #: Directories with the reason why they were not looked into.
        self.skipped: list[tuple[str, str]] = []
        #: What could not be removed: PYC501.
        self.findings: list[Finding] = []
        #: How many were looked at.
        self.files = 0
        self.directories = 0

    def add(self, plan: Plan) -> None:
        """Carry a plan out, unless `dry_run`, and add what came of it."""
        obstacles = []
        if self.dry_run:
            self._plans.append(plan)
        elif any(spot.files or spot.is_whole for spot in plan.spots):
            from pycache_guard.cleaning.apply import apply

            done = apply(plan)
            self._removals.append(done)
            obstacles = done.obstacles
        if plan.unreadable or obstacles:
            from pycache_guard.cleaning.obstacles import told

            self.findings += told(plan, obstacles)
        self.kept += plan.kept
        self.skipped += plan.skipped
        self.files += plan.files
        self.directories += plan.directories

    @property
    def removed(self) -> list[str]:
        """The paths that were removed, or with `dry_run` would be, in order."""
        gone = [path for plan in self._plans for path in plan.paths()]
        gone += [path for removal in self._removals for path in removal.paths()]
        return sorted({*gone})

    def counts(self) -> tuple[int, int]:
        """Return how many files and directories were removed, which is cheaper than to name them."""
        counts = [removal.counts() for removal in self._removals]
        return sum(files for files, _ in counts), sum(directories for _, directories in counts)

    def sort(self) -> None:
        """Put everything in order, once: places that were named may overlap."""
        self.kept = sorted(dict.fromkeys(self.kept), key=lambda kept: kept[0])
        self.skipped = sorted(dict.fromkeys(self.skipped))
        self.findings = [*dict.fromkeys(self.findings)]


def clean(paths: Sequence[str], mode: Mode, *, dry_run: bool = False) -> Outcome:
    """Remove caches below `paths`; with `dry_run` only say which.

    Everything is planned before anything is removed. Raises `Failure` for a path that is no
    directory, and where git does not tell what it tracks.
    """
    outcome = Outcome(dry_run=dry_run)
    roots = [named(path) for path in dict.fromkeys(paths)]
    if mode.prefix:
        roots += [root for path in dict.fromkeys(paths) for root in below_prefix(path)]
    try:
        plans = [planned(root, mode) for root in roots]
        once(plans)
        for plan in plans:
            outcome.add(plan)
    finally:
        for root in roots:
            root.way.close()
    outcome.sort()
    return outcome
