"""Remove the planned files and directories, and nothing else."""

from __future__ import annotations

import errno
from typing import NamedTuple

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pycache_guard.clean.plan import DirectoryPlan
    from pycache_guard.clean.plan import Plan
    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.fs.cursor import DirectoryCursor

#: The directory is not empty: a file could not be removed, or is new (rmdir(2)).
NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)
#: Another process removed or replaced the directory: nothing is left to remove.
VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

#: Removing waits for the disk: four threads need a third of the time. Threads are started for at least
#: this number of directories.
WORKERS = 4
THREADING_THRESHOLD = 64
#: The number of descriptors that cursors must leave free.
RESERVED_DESCRIPTORS = 32


class RemovalError(NamedTuple):
    """A file or directory that could not be removed."""

    spot: DirectoryPlan
    #: The file; empty for the directory itself.
    name: str
    error: OSError
    #: The status of the file, and of the directory that contains it; None if unknown.
    status: os.stat_result | None
    directory: os.stat_result | None


class RemovalBatch:
    """The result of one share of a plan. Each thread has its own."""

    def __init__(self, root: CleanRoot, way: DirectoryCursor) -> None:
        self._root = root
        self._way = way
        #: Directories with the files that were removed from them.
        self.files: list[tuple[DirectoryPlan, list[str]]] = []
        self.directories: list[DirectoryPlan] = []
        self.obstacles: list[RemovalError] = []
        self._failure: BaseException | None = None

    def remove_in_thread(self, spots: Sequence[DirectoryPlan]) -> None:
        """Remove, and keep an exception for `close`."""
        try:
            self.remove(spots)
        except BaseException as error:  # noqa: BLE001 - `close` raises it
            self._failure = error

    def remove(self, spots: Sequence[DirectoryPlan]) -> None:
        """Remove files, and those directories that contain no other directory to remove."""
        for spot in spots:
            is_empty = not spot.files or self.remove_files(spot)
            if is_empty and spot.remove_directory and not spot.has_removed_children:
                self.remove_directory(spot)
        self._way.cd(())

    def remove_files(self, spot: DirectoryPlan) -> bool:
        """Remove the files of one directory if it is still the listed directory.

        Return whether all files were removed.
        """
        way = self._way
        try:
            way.cd(spot.parts)
            if way.identity() != spot.identity:
                return False
        except OSError as error:
            if error.errno not in VANISHED:
                self.obstacles += [
                    RemovalError(spot, name, error, None, None) for name in spot.files
                ]
            return False
        failed = way.remove(spot.files)
        self.obstacles += [
            RemovalError(spot, name, error, directory_status(way, name), directory_status(way))
            for name, error in failed
        ]
        left = {name for name, _ in failed}
        gone = [name for name in spot.files if name not in left] if left else spot.files
        self.files.append((spot, gone))
        return not failed

    def remove_directory(self, spot: DirectoryPlan) -> None:
        """Remove a directory. If it is not empty, keep it: the reason is a finding already."""
        way = self._way
        name = spot.parts[-1]
        try:
            way.cd(spot.parts[:-1])
            way.remove_directory(name)
        except OSError as error:
            if error.errno not in (*NOT_EMPTY, *VANISHED):
                self.obstacles.append(
                    RemovalError(
                        spot, "", error, directory_status(way, name), directory_status(way)
                    )
                )
        else:
            self.directories.append(spot)

    def counts(self) -> tuple[int, int]:
        """Return how many files and directories were removed."""
        return sum(len(names) for _, names in self.files), len(self.directories)

    def paths(self) -> list[str]:
        """Return the removed paths; those of directories end with a slash."""
        shown = self._root.display_path
        gone = [shown(spot.parts, name) for spot, names in self.files for name in names]
        return gone + [f"{shown(spot.parts)}/" for spot in self.directories]

    def close(self) -> None:
        """Close the cursor, and raise the exception of the thread."""
        self._way.close()
        if self._failure is not None:
            raise self._failure

    def merge(self, other: RemovalBatch) -> None:
        """Add the result of another share."""
        self.files += other.files
        self.directories += other.directories
        self.obstacles += other.obstacles


def execute(plan: Plan) -> RemovalBatch:
    """Remove children before parents. Errors are noted, and everything else is removed anyway."""
    done = RemovalBatch(plan.root, plan.root.way)
    spots = [spot for spot in reversed(plan.spots) if spot.files or spot.remove_directory]
    if len(spots) < THREADING_THRESHOLD:
        done.remove(spots)
    else:
        for share in _remove_in_threads(plan.root, spots):
            done.merge(share)
    filled = {o.spot.parts[:n] for o in done.obstacles for n in range(len(o.spot.parts))}
    for spot in spots:
        if spot.remove_directory and spot.has_removed_children and spot.parts not in filled:
            done.remove_directory(spot)
    plan.root.way.cd(())
    return done


def _remove_in_threads(root: CleanRoot, spots: Sequence[DirectoryPlan]) -> list[RemovalBatch]:
    """Remove in up to `WORKERS` threads, each with its own cursor."""
    from threading import Thread

    size = -(-len(spots) // count_workers())
    shares = [spots[start : start + size] for start in range(0, len(spots), size)]
    removals = [RemovalBatch(root, root.way.clone()) for _ in shares]
    threads = [
        Thread(target=removal.remove_in_thread, args=(share,))
        for removal, share in zip(removals, shares, strict=True)
    ]
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    except RuntimeError:
        # The limit of threads is reached (RLIMIT_NPROC): remove the other shares in this thread.
        for removal, share in [*zip(removals, shares, strict=True)][len(started) :]:
            removal.remove_in_thread(share)
    for thread in started:
        thread.join()
    for removal in removals:
        removal.close()
    return removals


def count_workers() -> int:
    """Return how many cursors can be open within the limit of descriptors (getrlimit(2))."""
    if not compat.HAS_DIR_FD:
        return WORKERS
    import resource

    from pycache_guard.fs.fd_cursor import MAX_OPEN

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return WORKERS
    return max(1, min(WORKERS, (limit - RESERVED_DESCRIPTORS) // MAX_OPEN))


def directory_status(way: DirectoryCursor, name: str = "") -> os.stat_result | None:
    """Return the status of an entry of the current directory, or of the directory; None on errors."""
    try:
        return way.status(name)
    except OSError:
        return None
