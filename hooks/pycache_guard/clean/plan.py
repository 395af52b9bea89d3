"""What is to be removed, before anything is."""

from __future__ import annotations

import errno
import os

from pycache_guard.bytecode.cache_names import is_cache_directory
from pycache_guard.bytecode.cache_names import legacy_source_names
from pycache_guard.clean import select
from pycache_guard.clean.boundaries import skip_reason_by_content
from pycache_guard.clean.boundaries import skip_reason_by_name
from pycache_guard.clean.select import SOURCELESS
from pycache_guard.clean.select import SUBMODULE
from pycache_guard.clean.select import TRACKED
from pycache_guard.fs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.clean.select import CleanOptions
    from pycache_guard.clean.select import KeepReason
    from pycache_guard.clean.select import Selection
    from pycache_guard.fs.walk import Directory


#: In the place of an identity, where a directory has no files that go.
NO_IDENTITY = (0, 0)


class DirectoryPlan:
    """One directory in which something may go."""

    __slots__ = (
        "entries",
        "files",
        "has_removed_children",
        "identity",
        "maybe_orphans",
        "parts",
        "remove_directory",
    )

    def __init__(self, parts: tuple[str, ...], identity: tuple[int, int], entries: int) -> None:
        self.parts = parts
        #: Device and inode.
        self.identity = identity
        #: How many entries it has.
        self.entries = entries
        #: The files that go.
        self.files: list[str] = []
        #: The legacy files without a source, which go only if there was one.
        self.maybe_orphans: list[str] = []
        #: Whether the directory itself goes.
        self.remove_directory = False
        #: Whether other directories in it go.
        self.has_removed_children = False


class Plan:
    """What is to go below one root, and what was seen on the way."""

    def __init__(self, root: CleanRoot, mode: CleanOptions) -> None:
        self.root = root
        self.mode = mode
        #: Parents before children.
        self.spots: list[DirectoryPlan] = []
        #: What stays although its name is a cache's: paths, with the reason.
        self.kept: list[tuple[str, KeepReason]] = []
        #: Directories that were not looked into, with the reason.
        self.skipped: list[tuple[str, str]] = []
        #: Git directories with an index of their own, which may track what is here.
        self.stores: list[str] = []
        #: Directories that could not be looked into.
        self.unreadable: list[tuple[tuple[str, ...], OSError]] = []
        #: How many of each were seen.
        self.directories = 0
        self.files = 0

    def paths(self) -> list[str]:
        """Return the paths that go; those of directories end with a slash."""
        shown = self.root.display_path
        gone = [shown(spot.parts, name) for spot in self.spots for name in spot.files]
        return gone + [f"{shown(spot.parts)}/" for spot in self.spots if spot.remove_directory]

    def keep(self, spot: DirectoryPlan, names: Iterable[str], why: KeepReason) -> None:
        """Note that files stay."""
        self.kept += [(self.root.display_path(spot.parts, name), why) for name in names]


def deduplicate(plans: Sequence[Plan]) -> None:
    """Leave what is in several plans to the first of them: places that were named may overlap."""
    files: dict[tuple[int, int], set[str]] = {}
    whole: set[tuple[int, int]] = set()
    for plan in plans:
        for spot in plan.spots:
            known = files.setdefault(spot.identity, set())
            spot.files = [name for name in spot.files if name not in known]
            known.update(spot.files)
            if spot.remove_directory and spot.identity != NO_IDENTITY:
                spot.remove_directory = spot.identity not in whole
                whole.add(spot.identity)


def finalize(plan: Plan) -> None:
    """Decide what the walk alone could not: who had a source, what is tracked, what becomes empty."""
    resolve_orphans(plan)
    if not plan.mode.include_tracked and any(spot.files for spot in plan.spots):
        from pycache_guard.clean.protection import find_protected

        keep_tracked(plan, find_protected(plan.root.path, plan.stores))
    mark_empty_directories(plan)


def resolve_orphans(plan: Plan) -> None:
    """Let those legacy files go whose source was once checked out here; all others are kept."""
    sources = {
        "/".join((*spot.parts, source)): (spot, name)
        for spot in plan.spots
        for name in spot.maybe_orphans
        for source in legacy_source_names(name)
    }
    if not sources:
        return
    from pycache_guard.git.tracked import paths_ever_checked_out

    orphans = {sources[path] for path in paths_ever_checked_out(plan.root.path, [*sources])}
    for spot in plan.spots:
        gone = [name for name in spot.maybe_orphans if (spot, name) in orphans]
        spot.files += gone
        plan.keep(spot, set(spot.maybe_orphans).difference(gone), SOURCELESS)


def keep_tracked(plan: Plan, tracked: Iterable[str]) -> None:
    """Keep what git tracks; `tracked` are paths from the root, of bytecode and of submodules.

    Those of submodules end with `/`. Nothing in one of them goes: one that has a `.git` is not
    entered, and of one that has lost it nobody knows what it tracked.
    """
    from pycache_guard.git.tracked import fold_path

    known = {fold_path(path) for path in tracked}
    if not known:
        return
    for spot in plan.spots:
        directory = "".join(f"{part}/" for part in spot.parts)
        if any(fold_path(above) in known for above in _directories(spot.parts)):
            plan.keep(spot, spot.files, SUBMODULE)
            spot.files = []
            spot.entries += 1
            continue
        names = [name for name in spot.files if fold_path(directory + name) in known]
        if names:
            spot.files = [name for name in spot.files if name not in set(names)]
            plan.keep(spot, names, TRACKED)


def _directories(parts: tuple[str, ...]) -> Iterable[str]:
    """Return a directory and those above it up to the root, each with a slash behind."""
    return ("/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1))


def mark_empty_directories(plan: Plan) -> None:
    """Find the directories that go themselves, from the lowest upwards.

    A cache directory goes when nothing stays in it. Any other goes only among orphans, or below
    `sys.pycache_prefix`, and only if something in it went: it was there for caches alone, and
    would go on as a namespace package.
    """
    below: dict[tuple[str, ...], int] = {}
    for spot in reversed(plan.spots):
        spot.has_removed_children = spot.parts in below
        lost = len(spot.files) + below.get(spot.parts, 0)
        if lost < spot.entries or not spot.parts:
            continue
        is_cache = is_cache_directory(spot.parts[-1])
        if is_cache or (lost and (plan.mode.orphans or plan.root.source_dir is not None)):
            spot.remove_directory = True
            below[spot.parts[:-1]] = below.get(spot.parts[:-1], 0) + 1


#: No compiler writes more; no more is held in memory.
MAX_BYTES = 64 << 20
#: Gone in the meantime, or a link, a pipe or another thing that is never read.
NOT_A_FILE = (errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENOTDIR)


def make_plan(root: CleanRoot, mode: CleanOptions) -> Plan:
    """Return what is to go below `root`. Nothing is changed.

    Raises `GitFailure` where git does not tell what it tracks.
    """
    plan = Plan(root, mode)
    for directory in walk(root.way, root.start, root.parent_files):
        plan.directories += 1
        plan.files += len(directory.files)
        if directory.error is not None:
            plan.unreadable.append((directory.parts, directory.error))
        else:
            _plan_directory(plan, directory)
    root.way.cd(())
    finalize(plan)
    return plan


def _plan_directory(plan: Plan, directory: Directory) -> None:
    """Choose in one directory, and take from it the directories that are not to be entered."""
    root, parts = plan.root, directory.parts
    real = (
        None if root.source_dir is None else _source_directory(root.source_dir, root.start, parts)
    )
    if parts != root.start or real is not None:
        why = skip_reason_by_content((*directory.files, *directory.special), directory.directories)
        if real is not None and parts != root.start:
            why = why or skip_reason_by_content(*real)
        if why is not None:
            plan.skipped.append((root.display_path(parts), why))
            if "index" in directory.files:
                plan.stores.append(os.path.join(root.path, *parts))
            directory.directories.clear()
            return
    entries = len(directory.files) + len(directory.directories) + len(directory.special)
    for name in tuple(directory.directories):
        why = skip_reason_by_name(name)
        if why is not None:
            plan.skipped.append((root.display_path((*parts, name)), why))
            directory.directories.remove(name)
    chosen = _select(directory, plan.mode, real)
    if chosen is not None:
        spot = DirectoryPlan(parts, root.way.identity(), entries)
        spot.files, kept, spot.maybe_orphans = chosen
        if plan.mode.broken:
            spot.files = [name for name in spot.files if is_broken(plan, parts, name)]
        plan.spots.append(spot)
        for name, reason in kept:
            plan.keep(spot, [name], reason)
    elif plan.mode.orphans or real is not None:
        plan.spots.append(DirectoryPlan(parts, NO_IDENTITY, entries))


def _select(
    directory: Directory, mode: CleanOptions, real: tuple[list[str], list[str]] | None
) -> Selection | None:
    """Return what becomes of the files of a directory, `None` where nothing is a cache's."""
    if real is not None:
        return select.select_in_prefix(directory.files, real[0], mode)
    if directory.parts and is_cache_directory(directory.parts[-1]):
        return select.select_in_cache(directory.files, directory.beside, directory.special, mode)
    return select.select_legacy(directory.files, mode)


def is_broken(plan: Plan, parts: tuple[str, ...], name: str) -> bool:
    """Return whether a cache of the directory that was just listed is damaged (`pyc.is_broken`).

    One that cannot be read is noted in the plan; a link, and a file larger than any cache, is not
    broken.
    """
    from pycache_guard.bytecode import pyc
    from pycache_guard.bytecode.cache_names import parse_cache_name

    try:
        data = plan.root.way.read(name, MAX_BYTES + 1)
    except OSError as error:
        if error.errno not in NOT_A_FILE:
            plan.unreadable.append(((*parts, name), error))
        return False
    parsed = parse_cache_name("/".join((*parts[-1:], name)))
    return parsed is not None and len(data) <= MAX_BYTES and pyc.is_broken(data, parsed)


def _source_directory(
    top: str, start: tuple[str, ...], parts: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Return the files and directories of the directory that one below `sys.pycache_prefix` stands for.

    Both are empty where it is gone.
    """
    files: list[str] = []
    directories: list[str] = []
    try:
        with os.scandir(os.path.join(top, *parts[len(start) :])) as entries:
            for entry in entries:
                (directories if entry.is_dir() else files).append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        pass
    return files, directories
