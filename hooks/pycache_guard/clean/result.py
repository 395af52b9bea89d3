"""What stood in the way: rule PYC501, with the reason, the owner, and the command that helps."""

from __future__ import annotations

import errno
import os
import re
import stat

from pycache_guard import compat
from pycache_guard.clean.plan import deduplicate
from pycache_guard.clean.plan import make_plan
from pycache_guard.clean.roots import prefix_roots
from pycache_guard.clean.roots import root_for
from pycache_guard.clean.select import REASONS
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.remedies import shell_quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.clean.plan import Plan
    from pycache_guard.clean.remove import RemovalBatch
    from pycache_guard.clean.remove import RemovalError
    from pycache_guard.clean.select import CleanOptions
    from pycache_guard.clean.select import KeepReason


#: The limit is the process's own; most systems let it be raised (getrlimit(2)).
MORE_DESCRIPTORS = "ulimit -n 4096"
#: A path that cmd and PowerShell read alike inside double quotes.
PLAIN = re.compile(r"[\w./\\:@+~ ()\[\]{}#,;=-]+")
BACKSLASH = "\\"


def error_findings(plan: Plan, obstacles: list[RemovalError]) -> list[Finding]:
    """Return a finding for each thing that could not be removed, or not be looked into."""
    return [
        *(unreadable_finding(plan, parts, error) for parts, error in plan.unreadable),
        *(removal_error_finding(plan, obstacle) for obstacle in obstacles),
    ]


def removal_error_finding(plan: Plan, obstacle: RemovalError) -> Finding:
    """Name a file, or a directory, that stayed."""
    spot, name, error, status, directory = obstacle
    path = plan.root.display_path(spot.parts, name)
    above = plan.root.display_path(spot.parts if name else spot.parts[:-1])
    holder = directory or status
    facts = [_ownership(status, directory), error.strerror or str(error)]
    message = f"not removed: {'; '.join(fact for fact in facts if fact)}"
    whole = plan.root.display_path(spot.parts) if spot.remove_directory else None
    return Finding(path, Rule.PYC501, message, remedy(error, path, above, holder, whole=whole))


def unreadable_finding(plan: Plan, parts: tuple[str, ...], error: OSError) -> Finding:
    """Name a directory, or with `--broken` a file, that could not be read."""
    path = plan.root.display_path(parts)
    try:
        plan.root.way.cd(parts[:-1])
        status = plan.root.way.status(parts[-1]) if parts else plan.root.way.status()
    except OSError:
        status = None
    facts = [_ownership(status, status), error.strerror or str(error)]
    message = f"not looked into: {'; '.join(fact for fact in facts if fact)}"
    if compat.WINDOWS:
        return Finding(path, Rule.PYC501, message)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return Finding(path, Rule.PYC501, message, MORE_DESCRIPTORS)
    if status is not None and stat.S_ISREG(status.st_mode):
        right, command = (
            "u+r",
            f"clean --broken -- {shell_quote(plan.root.display_path(parts[:-1]))}",
        )
    else:
        right, command = "u+rwx", f"clean -- {shell_quote(path)}"
    if status is not None and compat.HAS_FILE_OWNERS and status.st_uid == os.geteuid():
        return Finding(path, Rule.PYC501, message, f"chmod {right} -- {shell_quote(path)}")
    return Finding(path, Rule.PYC501, message, f"sudo pycache-guard {command}")


def _ownership(status: os.stat_result | None, directory: os.stat_result | None) -> str:
    """Say whose it is, and whose the directory is that would have to be changed."""
    if status is None or not compat.HAS_FILE_OWNERS:
        return ""
    whose = f"belongs to {owner(status.st_uid)}"
    if directory is None or directory.st_uid == status.st_uid:
        return whose
    return f"{whose}, its directory to {owner(directory.st_uid)}"


def owner(uid: int) -> str:
    """Return the name of a user, the number where nobody here has it (a container's user)."""
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def remedy(
    error: OSError,
    path: str,
    above: str,
    holder: os.stat_result | None,
    *,
    whole: str | None,
) -> str | None:
    """Return the command that removes it, or after which it can be removed; `None` without one.

    `whole` is the directory that would go with all that is in it. The meanings of the errors are
    those of unlink(2) and rmdir(2).
    """
    if compat.WINDOWS:
        return windows_remedy(path) if error.errno in (errno.EPERM, errno.EACCES) else None
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return MORE_DESCRIPTORS
    if error.errno == errno.EROFS:
        return f"sudo mount -o remount,rw {shell_quote(read_only_mount(above))}"
    if error.errno == errno.EBUSY:
        return f"sudo umount {shell_quote(path)}"
    if error.errno not in (errno.EPERM, errno.EACCES):
        return None
    ours = holder is not None and holder.st_uid == os.geteuid()
    if error.errno == errno.EPERM and (ours or os.geteuid() == 0):
        # Permissions would allow it: an attribute forbids it.
        attribute = "chflags nouchg,nouappnd" if compat.MACOS else "chattr -i -a"
        return f"sudo {attribute} -- {shell_quote(above)} {shell_quote(path)}"
    if error.errno == errno.EACCES and ours:
        return f"chmod u+rwx -- {shell_quote(above)}"
    return f"sudo rm -rf -- {shell_quote(whole)}" if whole else f"sudo rm -f -- {shell_quote(path)}"


def windows_remedy(path: str) -> str | None:
    """Return the command that lifts the read-only attribute; `None` for a path that shells change.

    `attrib` takes `/` for the start of an option.
    """
    if not PLAIN.fullmatch(path):
        return None
    return f'attrib -R "{path.replace("/", BACKSLASH)}"'


def read_only_mount(directory: str) -> str:
    """Return the highest directory above that is read-only too: a mount point (statvfs(3))."""
    here = os.path.abspath(directory)
    while True:
        above = os.path.dirname(here)
        if above == here or not os.statvfs(above).f_flag & os.ST_RDONLY:
            return here
        here = above


class CleanResult:
    """The result of a run. Paths are as people write them; those of directories end with a slash."""

    def __init__(self, *, dry_run: bool) -> None:
        self.dry_run = dry_run
        self._plans: list[Plan] = []
        self._removals: list[RemovalBatch] = []
        self.kept: list[tuple[str, KeepReason]] = []
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
        elif any(spot.files or spot.remove_directory for spot in plan.spots):
            from pycache_guard.clean.remove import execute

            done = execute(plan)
            self._removals.append(done)
            obstacles = done.obstacles
        if plan.unreadable or obstacles:
            self.findings += error_findings(plan, obstacles)
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


def clean(paths: Sequence[str], mode: CleanOptions, *, dry_run: bool = False) -> CleanResult:
    """Remove caches below `paths`; with `dry_run` only say which.

    Everything is planned before anything is removed. Raises `Failure` for a path that is no
    directory, and where git does not tell what it tracks.
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


#: So many of what was kept for one reason are named unless everything is.
MAX_NAMED = 5


def format_text(result: CleanResult, *, verbose: bool = False, quiet: bool = False) -> list[str]:
    """Return the lines for people; none where there is nothing to say.

    With `verbose` everything is named. With `quiet` what was kept is not spoken of.
    """
    lines = []
    if result.dry_run or verbose:
        verb = "would remove" if result.dry_run else "removed"
        lines += [f"{verb} {path}" for path in result.removed]
    elif any(result.counts()):
        lines.append(f"removed {format_counts(*result.counts())}")
    if verbose or not quiet:
        lines += kept_lines(result.kept, limit=None if verbose else MAX_NAMED)
    if verbose:
        lines += [f"skipped {path}: {why}" for path, why in result.skipped]
        looked = format_count(result.files, "file")
        where = format_count(result.directories, "directory")
        lines.append(f"looked at {looked} in {where}")
    return lines


def kept_lines(kept: Sequence[tuple[str, KeepReason]], *, limit: int | None) -> list[str]:
    """Name what was kept, by reason."""
    lines = []
    for why in REASONS:
        paths = [path for path, reason in kept if reason is why]
        lines += [f"kept {path}: {why.words}" for path in paths[:limit]]
        if limit is not None and len(paths) > limit:
            lines.append(f"kept {len(paths) - limit} more: {why.words}")
    return lines


def format_counts(files: int, directories: int) -> str:
    """Say how many files and directories there are."""
    parts = ((files, "file"), (directories, "directory"))
    return " and ".join(format_count(count, word) for count, word in parts if count)


def format_count(count: int, word: str) -> str:
    """Return `1 file`, `2 files`, `2 directories`."""
    if count == 1:
        return f"1 {word}"
    return f"{count} {word[:-1]}ies" if word.endswith("y") else f"{count} {word}s"
