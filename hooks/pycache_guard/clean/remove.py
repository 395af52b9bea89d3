"""Remove the planned files and directories."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import errno

from pycache_guard import compat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pycache_guard.clean.plan import DirectoryPlan, Plan
    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.fs.cursors import DirectoryCursor

#: The directory is not empty: a file could not be removed, or is new (rmdir(2)).
NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)
#: Another process removed or replaced the directory: nothing is left to remove.
VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

#: The number of threads if removing waits for the disk: four need half of the time. If it does not
#: (tmpfs), more than two mostly wait for each other.
MAX_WORKER_COUNT = 4
MEMORY_WORKER_COUNT = 2
#: Threads are started for at least this number of directories; the first ones show whether removing waits.
THREADING_THRESHOLD = 64
SAMPLE_SIZE = 16
#: The number of descriptors that cursors must leave free.
RESERVED_DESCRIPTOR_COUNT = 32


class RemovalError:
    """A file or directory that could not be removed."""

    __slots__ = ("directory", "directory_plan", "error", "name", "status")

    def __init__(
        self,
        directory_plan: DirectoryPlan,
        name: str,
        error: OSError,
        status: os.stat_result | None,
        directory: os.stat_result | None,
    ) -> None:
        self.directory_plan = directory_plan
        #: The file; empty for the directory itself.
        self.name = name
        self.error = error
        #: The status of the file, and of the directory that contains it; None if unknown.
        self.status = status
        self.directory = directory


class RemovalBatch:
    """The result of one share of a plan. Each thread has its own."""

    def __init__(self, root: CleanRoot, cursor: DirectoryCursor) -> None:
        self._root = root
        self._way = cursor
        #: Directories with the files that were removed from them.
        self.files: list[tuple[DirectoryPlan, list[str]]] = []
        self.directories: list[DirectoryPlan] = []
        self.errors: list[RemovalError] = []
        self._failure: BaseException | None = None

    def remove_in_thread(self, directory_plans: Sequence[DirectoryPlan]) -> None:
        """Remove, and keep an exception for `close`."""
        try:
            self.remove(directory_plans)
        except BaseException as error:  # noqa: BLE001 - `close` raises it
            self._failure = error

    def remove(self, directory_plans: Sequence[DirectoryPlan]) -> None:
        """Remove files, and those directories that contain no other directory to remove."""
        for directory_plan in directory_plans:
            is_empty = not directory_plan.files or self.remove_files(directory_plan)
            if (
                is_empty
                and directory_plan.remove_directory
                and not directory_plan.has_removed_children
            ):
                self.remove_directory(directory_plan)
        self._way.cd(())

    def remove_files(self, directory_plan: DirectoryPlan) -> bool:
        """Remove the files of one directory if it is still the listed directory.

        Return whether all files were removed.
        """
        cursor = self._way
        try:
            cursor.cd(directory_plan.parts)
            if cursor.identity() != directory_plan.identity:
                return False
        except OSError as error:
            if error.errno not in VANISHED:
                self.errors += [
                    RemovalError(directory_plan, name, error, None, None)
                    for name in directory_plan.files
                ]
            return False
        failed = cursor.remove(directory_plan.files)
        self.errors += [
            RemovalError(
                directory_plan,
                name,
                error,
                directory_status(cursor, name),
                directory_status(cursor),
            )
            for name, error in failed
        ]
        left = {name for name, _ in failed}
        gone = (
            [name for name in directory_plan.files if name not in left]
            if left
            else directory_plan.files
        )
        self.files.append((directory_plan, gone))
        return not failed

    def remove_directory(self, directory_plan: DirectoryPlan) -> None:
        """Remove a directory. If it is not empty, keep it: the reason is a finding already."""
        cursor = self._way
        name = directory_plan.parts[-1]
        try:
            cursor.cd(directory_plan.parts[:-1])
            cursor.remove_directory(name)
        except OSError as error:
            if error.errno not in (*NOT_EMPTY, *VANISHED):
                self.errors.append(
                    RemovalError(
                        directory_plan,
                        "",
                        error,
                        directory_status(cursor, name),
                        directory_status(cursor),
                    )
                )
        else:
            self.directories.append(directory_plan)

    def counts(self) -> tuple[int, int]:
        """Return how many files and directories were removed."""
        return sum(len(names) for _, names in self.files), len(self.directories)

    def paths(self) -> list[str]:
        """Return the removed paths; those of directories end with a slash."""
        shown = self._root.display_path
        gone = [
            shown(directory_plan.parts, name)
            for directory_plan, names in self.files
            for name in names
        ]
        return gone + [f"{shown(directory_plan.parts)}/" for directory_plan in self.directories]

    def close(self) -> None:
        """Close the cursor, and raise the exception of the thread."""
        self._way.close()
        if self._failure is not None:
            raise self._failure

    def merge(self, other: RemovalBatch) -> None:
        """Add the result of another share."""
        self.files += other.files
        self.directories += other.directories
        self.errors += other.errors


def execute(plan: Plan) -> RemovalBatch:
    """Remove children before parents. Errors are noted, and everything else is removed anyway."""
    done = RemovalBatch(plan.root, plan.root.cursor)
    directory_plans = [
        directory_plan
        for directory_plan in reversed(plan.directory_plans)
        if directory_plan.files or directory_plan.remove_directory
    ]
    if len(directory_plans) < THREADING_THRESHOLD:
        done.remove(directory_plans)
    else:
        before = count_waits()
        done.remove(directory_plans[:SAMPLE_SIZE])
        workers = count_workers(count_waits() - before)
        for share in _remove_in_threads(plan.root, directory_plans[SAMPLE_SIZE:], workers):
            done.merge(share)
    filled = {
        o.directory_plan.parts[:n] for o in done.errors for n in range(len(o.directory_plan.parts))
    }
    for directory_plan in directory_plans:
        if (
            directory_plan.remove_directory
            and directory_plan.has_removed_children
            and directory_plan.parts not in filled
        ):
            done.remove_directory(directory_plan)
    plan.root.cursor.cd(())
    return done


def _remove_in_threads(
    root: CleanRoot, directory_plans: Sequence[DirectoryPlan], workers: int
) -> list[RemovalBatch]:
    """Remove in `workers` threads, each with its own cursor."""
    from threading import Thread

    size = -(-len(directory_plans) // workers)
    shares = [
        directory_plans[start : start + size] for start in range(0, len(directory_plans), size)
    ]
    removals = [RemovalBatch(root, root.cursor.clone()) for _ in shares]
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


def count_waits() -> int:
    """Return how often this process has waited, for a disk or anything else (getrusage(2))."""
    if not compat.HAS_DIR_FD:
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


def count_workers(waits: int) -> int:
    """Return the number of threads, if removing `SAMPLE_SIZE` directories has waited `waits` times.

    Their cursors fit the limit of descriptors (getrlimit(2)).
    """
    if not compat.HAS_DIR_FD:
        return MAX_WORKER_COUNT
    import resource

    from pycache_guard.fs.cursors import MAX_OPEN_FDS

    wanted = MAX_WORKER_COUNT if waits >= SAMPLE_SIZE else MEMORY_WORKER_COUNT
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (limit - RESERVED_DESCRIPTOR_COUNT) // MAX_OPEN_FDS))


def directory_status(cursor: DirectoryCursor, name: str = "") -> os.stat_result | None:
    """Return the status of an entry of the current directory, or of the directory; None on errors."""
    try:
        return cursor.status(name)
    except OSError:
        return None
