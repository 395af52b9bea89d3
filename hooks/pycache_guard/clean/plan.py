"""Plan the removal: walk, choose files, and ask git which of them are tracked."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import errno
import os

from pycache_guard.bytecode.cache_names import is_cache_directory, legacy_source_names
from pycache_guard.clean import select
from pycache_guard.clean.roots import skip_reason_by_content, skip_reason_by_name
from pycache_guard.clean.select import SOURCELESS, SUBMODULE, TRACKED
from pycache_guard.fs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.clean.select import CleanOptions, KeepReason, Selection
    from pycache_guard.fs.walk import Directory

#: The identity of a directory without files to remove.
NO_IDENTITY = (0, 0)


class DirectoryPlan:
    """One directory that contains files to remove, or may be removed itself."""

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
        #: The number of its entries.
        self.entries = entries
        #: The names of the files to remove.
        self.files: list[str] = []
        #: The legacy files without a source; they are removed only if git knows their source.
        self.maybe_orphans: list[str] = []
        #: Whether the directory itself is removed.
        self.remove_directory = False
        #: Whether directories in it are removed.
        self.has_removed_children = False


class Plan:
    """What to remove below one root, what to keep, and what was skipped."""

    def __init__(self, root: CleanRoot, options: CleanOptions) -> None:
        self.root = root
        self.options = options
        #: Parents before children.
        self.directory_plans: list[DirectoryPlan] = []
        #: Paths of files that look like caches and are kept, with the reason.
        self.kept: list[tuple[str, KeepReason]] = []
        #: Skipped directories, with the reason.
        self.skipped: list[tuple[str, str]] = []
        #: Git directories with an index, which may track files here.
        self.stores: list[str] = []
        #: Directories and files that could not be read.
        self.unreadable: list[tuple[tuple[str, ...], OSError]] = []
        #: The numbers of directories and files that were checked.
        self.directories = 0
        self.files = 0

    def paths(self) -> list[str]:
        """Return the paths to remove; those of directories end with a slash."""
        shown = self.root.display_path
        gone = [
            shown(directory_plan.parts, name)
            for directory_plan in self.directory_plans
            for name in directory_plan.files
        ]
        return gone + [
            f"{shown(directory_plan.parts)}/"
            for directory_plan in self.directory_plans
            if directory_plan.remove_directory
        ]

    def keep(self, directory_plan: DirectoryPlan, names: Iterable[str], why: KeepReason) -> None:
        """Note that the files `names` are kept."""
        self.kept += [(self.root.display_path(directory_plan.parts, name), why) for name in names]


def deduplicate(plans: Sequence[Plan]) -> None:
    """Keep a file or directory only in the first of several plans, because arguments can overlap."""
    files: dict[tuple[int, int], set[str]] = {}
    whole: set[tuple[int, int]] = set()
    for plan in plans:
        for directory_plan in plan.directory_plans:
            known = files.setdefault(directory_plan.identity, set())
            if known:
                directory_plan.files = [name for name in directory_plan.files if name not in known]
            known.update(directory_plan.files)
            if directory_plan.remove_directory and directory_plan.identity != NO_IDENTITY:
                directory_plan.remove_directory = directory_plan.identity not in whole
                whole.add(directory_plan.identity)


def finalize(plan: Plan) -> None:
    """Decide which orphans had a source, which files are tracked, and which directories become empty."""
    resolve_orphans(plan)
    if not plan.options.include_tracked and any(
        directory_plan.files for directory_plan in plan.directory_plans
    ):
        keep_tracked(plan, find_protected(plan.root.path, plan.stores))
    mark_empty_directories(plan)


def resolve_orphans(plan: Plan) -> None:
    """Remove legacy files whose source was once checked out here; keep the others."""
    sources = {
        "/".join((*directory_plan.parts, source)): (directory_plan, name)
        for directory_plan in plan.directory_plans
        for name in directory_plan.maybe_orphans
        for source in legacy_source_names(name)
    }
    if not sources:
        return
    from pycache_guard.git.tracked import paths_ever_checked_out

    orphans = {sources[path] for path in paths_ever_checked_out(plan.root.path, [*sources])}
    for directory_plan in plan.directory_plans:
        gone = [name for name in directory_plan.maybe_orphans if (directory_plan, name) in orphans]
        directory_plan.files += gone
        plan.keep(directory_plan, set(directory_plan.maybe_orphans).difference(gone), SOURCELESS)


def keep_tracked(plan: Plan, tracked: Iterable[str]) -> None:
    """Keep tracked files. `tracked` contains paths of bytecode and submodules relative to the root.

    Submodule paths end with `/`. Everything in a submodule is kept: one with a `.git` is not entered,
    and without it git cannot say what it tracks.
    """
    from pycache_guard.git.tracked import fold_path

    known = {fold_path(path) for path in tracked}
    if not known:
        return
    for directory_plan in plan.directory_plans:
        directory = "".join(f"{part}/" for part in directory_plan.parts)
        if any(fold_path(above) in known for above in _directories(directory_plan.parts)):
            plan.keep(directory_plan, directory_plan.files, SUBMODULE)
            directory_plan.files = []
            directory_plan.entries += 1
            continue
        names = [name for name in directory_plan.files if fold_path(directory + name) in known]
        if names:
            kept = {*names}
            directory_plan.files = [name for name in directory_plan.files if name not in kept]
            plan.keep(directory_plan, names, TRACKED)


def _directories(parts: tuple[str, ...]) -> Iterable[str]:
    """Return the paths of a directory and of those above it below the root, each with a final slash."""
    return ("/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1))


def mark_empty_directories(plan: Plan) -> None:
    """Find the directories that are removed themselves, from the deepest upwards.

    A cache directory is removed if nothing in it is kept. Any other directory is removed only with
    `--orphans` or below `sys.pycache_prefix`, and only if something in it was removed: it contained only
    caches, and Python would import it as a namespace package.
    """
    below: dict[tuple[str, ...], int] = {}
    for directory_plan in reversed(plan.directory_plans):
        directory_plan.has_removed_children = directory_plan.parts in below
        lost = len(directory_plan.files) + below.get(directory_plan.parts, 0)
        if lost < directory_plan.entries or not directory_plan.parts:
            continue
        is_cache = is_cache_directory(directory_plan.parts[-1])
        if is_cache or (lost and (plan.options.orphans or plan.root.source_dir is not None)):
            directory_plan.remove_directory = True
            below[directory_plan.parts[:-1]] = below.get(directory_plan.parts[:-1], 0) + 1


#: Maximum size of a cache that is read; no compiler writes a larger one.
MAX_CACHE_BYTES = 64 << 20
#: Errors for a file that was removed, and for links, pipes and other files that are never read.
NOT_A_FILE = (errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENOTDIR)


def make_plan(root: CleanRoot, options: CleanOptions) -> Plan:
    """Return the plan for `root`. Nothing is changed.

    Raises `GitFailure` if git cannot say what is tracked.
    """
    plan = Plan(root, options)
    for directory in walk(root.cursor, root.start, root.parent_files):
        plan.directories += 1
        plan.files += len(directory.files)
        if directory.error is not None:
            plan.unreadable.append((directory.parts, directory.error))
        else:
            _plan_directory(plan, directory)
    root.cursor.cd(())
    finalize(plan)
    return plan


def _plan_directory(plan: Plan, directory: Directory) -> None:
    """Choose files in one directory, and remove skipped directories from its list."""
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
    chosen = _select(directory, plan.options, real)
    if chosen is not None:
        directory_plan = DirectoryPlan(parts, root.cursor.identity(), entries)
        directory_plan.files, kept, directory_plan.maybe_orphans = chosen
        if plan.options.broken:
            directory_plan.files = [
                name for name in directory_plan.files if is_broken(plan, parts, name)
            ]
        plan.directory_plans.append(directory_plan)
        for name, reason in kept:
            plan.keep(directory_plan, [name], reason)
    elif plan.options.orphans or real is not None:
        plan.directory_plans.append(DirectoryPlan(parts, NO_IDENTITY, entries))


def _select(
    directory: Directory, options: CleanOptions, real: tuple[list[str], list[str]] | None
) -> Selection | None:
    """Return the choice for the files of a directory, or None if it contains no caches."""
    if real is not None:
        return select.select_in_prefix(directory.files, real[0], options)
    if directory.parts and is_cache_directory(directory.parts[-1]):
        return select.select_in_cache(
            directory.files, directory.parent_files, directory.special, options
        )
    return select.select_legacy(directory.files, options)


def is_broken(plan: Plan, parts: tuple[str, ...], name: str) -> bool:
    """Return whether a cache in the current directory of the cursor is damaged (`pyc.is_broken`).

    A cache that cannot be read is noted in the plan. Links, and files larger than any cache, are not
    broken.
    """
    from pycache_guard.bytecode import pyc
    from pycache_guard.bytecode.cache_names import parse_cache_name

    try:
        data = plan.root.cursor.read(name, MAX_CACHE_BYTES + 1)
    except OSError as error:
        if error.errno not in NOT_A_FILE:
            plan.unreadable.append(((*parts, name), error))
        return False
    parsed = parse_cache_name("/".join((*parts[-1:], name)))
    return parsed is not None and len(data) <= MAX_CACHE_BYTES and pyc.is_broken(data, parsed)


def _source_directory(
    top: str, start: tuple[str, ...], parts: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Return the files and directories of the source directory of a directory below `sys.pycache_prefix`.

    Both are empty if the source directory does not exist.
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


def find_protected(directory: str, stores: Sequence[str]) -> set[str]:
    """Return the tracked bytecode below `directory`, as relative paths; submodules end with `/`.

    `stores` contains git directories below it. For a bind mount, the repository at the other path of the
    mounted directory is asked too. Raises `GitFailure` if git cannot answer for a repository.
    """
    from pycache_guard.fs.mounts import find_sources
    from pycache_guard.git.tracked import tracked_bytecode

    known = tracked_bytecode(directory, stores)
    for parts, source in find_sources(directory):
        start = "".join(f"{part}/" for part in parts)
        known.update(start + path for path in tracked_bytecode(source))
    return known
