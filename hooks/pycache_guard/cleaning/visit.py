"""Walk from a root, and choose directory by directory."""

from __future__ import annotations

import errno
import os

from pycache_guard.bytecode.cache_names import is_cache_directory
from pycache_guard.cleaning import choice
from pycache_guard.cleaning.boundaries import reason_not_to_enter
from pycache_guard.cleaning.boundaries import reason_to_leave
from pycache_guard.cleaning.plan import NO_FILES
from pycache_guard.cleaning.plan import Plan
from pycache_guard.cleaning.plan import Spot
from pycache_guard.cleaning.plan import settle
from pycache_guard.worktree.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.cleaning.choice import Choice
    from pycache_guard.cleaning.choice import Mode
    from pycache_guard.cleaning.roots import Root
    from pycache_guard.worktree.walk import Directory

#: No compiler writes more; no more is held in memory.
MAX_BYTES = 64 << 20
#: Gone in the meantime, or a link, a pipe or another thing that is never read.
NOT_A_FILE = (errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENOTDIR)


def planned(root: Root, mode: Mode) -> Plan:
    """Return what is to go below `root`. Nothing is changed.

    Raises `GitFailure` where git does not tell what it tracks.
    """
    plan = Plan(root, mode)
    for directory in walk(root.way, root.start, root.beside):
        plan.directories += 1
        plan.files += len(directory.files)
        if directory.error is not None:
            plan.unreadable.append((directory.parts, directory.error))
        else:
            visit(plan, directory)
    root.way.enter(())
    settle(plan)
    return plan


def visit(plan: Plan, directory: Directory) -> None:
    """Choose in one directory, and take from it the directories that are not to be entered."""
    root, parts = plan.root, directory.parts
    real = None if root.mirrored is None else real_directory(root.mirrored, root.start, parts)
    if parts != root.start or real is not None:
        why = reason_to_leave((*directory.files, *directory.special), directory.directories)
        if real is not None and parts != root.start:
            why = why or reason_to_leave(*real)
        if why is not None:
            plan.skipped.append((root.shown(parts), why))
            if "index" in directory.files:
                plan.stores.append(os.path.join(root.path, *parts))
            directory.directories.clear()
            return
    entries = len(directory.files) + len(directory.directories) + len(directory.special)
    for name in tuple(directory.directories):
        why = reason_not_to_enter(name)
        if why is not None:
            plan.skipped.append((root.shown((*parts, name)), why))
            directory.directories.remove(name)
    chosen = choose(directory, plan.mode, real)
    if chosen is not None:
        spot = Spot(parts, root.way.identity(), entries)
        spot.files, kept, spot.doubtful = chosen
        if plan.mode.broken:
            spot.files = [name for name in spot.files if is_broken(plan, parts, name)]
        plan.spots.append(spot)
        for name, reason in kept:
            plan.keep(spot, [name], reason)
    elif plan.mode.orphans or real is not None:
        plan.spots.append(Spot(parts, NO_FILES, entries))


def choose(
    directory: Directory, mode: Mode, real: tuple[list[str], list[str]] | None
) -> Choice | None:
    """Return what becomes of the files of a directory, `None` where nothing is a cache's."""
    if real is not None:
        return choice.mirrored(directory.files, real[0], mode)
    if directory.parts and is_cache_directory(directory.parts[-1]):
        return choice.in_cache(directory.files, directory.beside, directory.special, mode)
    return choice.legacy(directory.files, mode)


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


def real_directory(
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
