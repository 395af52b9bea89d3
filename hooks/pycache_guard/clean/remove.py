"""Remove the planned files and directories, and report what could not be removed: PYC501."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard import compat
from pycache_guard.findings import Finding, Rule
from pycache_guard.remedies import full_program, shell_quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.clean.plan import DirectoryPlan, Plan
    from pycache_guard.clean.roots import CleanRoot
    from pycache_guard.fs.cursors import DirectoryCursor

#: The directory is not empty: a file could not be removed, or is new (rmdir(2)).
NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)
#: Another process removed or replaced the directory: nothing is left to remove.
VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

#: Removing waits for the disk: four threads need a third of the time. Threads are started for at least
#: this number of directories.
MAX_WORKER_COUNT = 4
THREADING_THRESHOLD = 64
#: The number of descriptors that cursors must leave free.
RESERVED_DESCRIPTOR_COUNT = 32


class RemovalError(NamedTuple):
    """A file or directory that could not be removed."""

    directory_plan: DirectoryPlan
    #: The file; empty for the directory itself.
    name: str
    error: OSError
    #: The status of the file, and of the directory that contains it; None if unknown.
    status: os.stat_result | None
    directory: os.stat_result | None


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
        for share in _remove_in_threads(plan.root, directory_plans):
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
    root: CleanRoot, directory_plans: Sequence[DirectoryPlan]
) -> list[RemovalBatch]:
    """Remove in up to `MAX_WORKER_COUNT` threads, each with its own cursor."""
    from threading import Thread

    size = -(-len(directory_plans) // count_workers())
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


def count_workers() -> int:
    """Return how many cursors can be open within the limit of descriptors (getrlimit(2))."""
    if not compat.HAS_DIR_FD:
        return MAX_WORKER_COUNT
    import resource

    from pycache_guard.fs.cursors import MAX_OPEN_FDS

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_WORKER_COUNT
    return max(1, min(MAX_WORKER_COUNT, (limit - RESERVED_DESCRIPTOR_COUNT) // MAX_OPEN_FDS))


def directory_status(cursor: DirectoryCursor, name: str = "") -> os.stat_result | None:
    """Return the status of an entry of the current directory, or of the directory; None on errors."""
    try:
        return cursor.status(name)
    except OSError:
        return None


#: Raises the soft limit of open files, which most systems permit (getrlimit(2)).
MORE_DESCRIPTORS = "ulimit -n 4096"
#: Paths that cmd and PowerShell read in the same way inside double quotes.
PLAIN = re.compile(r"[\w./\\:@+~ ()\[\]{}#,;=-]+")
BACKSLASH = "\\"


def error_findings(plan: Plan, errors: list[RemovalError]) -> list[Finding]:
    """Return a finding for each file that could not be removed and each directory that could not be read."""
    return [
        *(unreadable_finding(plan, parts, error) for parts, error in plan.unreadable),
        *(removal_error_finding(plan, removal_error) for removal_error in errors),
    ]


def removal_error_finding(plan: Plan, removal_error: RemovalError) -> Finding:
    """Return the finding for a file or directory that could not be removed."""
    directory_plan, name, error, status, directory = removal_error
    path = plan.root.display_path(directory_plan.parts, name)
    above = plan.root.display_path(directory_plan.parts if name else directory_plan.parts[:-1])
    holder = directory or status
    facts = [_ownership(status, directory), error.strerror or str(error)]
    message = f"not removed: {'; '.join(fact for fact in facts if fact)}"
    whole = (
        plan.root.display_path(directory_plan.parts) if directory_plan.remove_directory else None
    )
    return Finding(path, Rule.PYC501, message, fix_command(error, path, above, holder, whole=whole))


def unreadable_finding(plan: Plan, parts: tuple[str, ...], error: OSError) -> Finding:
    """Return the finding for a directory, or with `--broken` a file, that could not be read."""
    path = plan.root.display_path(parts)
    try:
        plan.root.cursor.cd(parts[:-1])
        status = plan.root.cursor.status(parts[-1]) if parts else plan.root.cursor.status()
    except OSError:
        status = None
    facts = [_ownership(status, status), error.strerror or str(error)]
    message = f"not read: {'; '.join(fact for fact in facts if fact)}"
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
    return Finding(path, Rule.PYC501, message, f"sudo {full_program()} {command}")


def _ownership(status: os.stat_result | None, directory: os.stat_result | None) -> str:
    """Return the owner of a file, and the owner of its directory if that is another user."""
    if status is None or not compat.HAS_FILE_OWNERS:
        return ""
    whose = f"belongs to {describe_owner(status.st_uid)}"
    if directory is None or directory.st_uid == status.st_uid:
        return whose
    return f"{whose}, its directory to {describe_owner(directory.st_uid)}"


def describe_owner(uid: int) -> str:
    """Return name and number of a user, or the number if the user is unknown (from a container)."""
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def fix_command(
    error: OSError,
    path: str,
    above: str,
    holder: os.stat_result | None,
    *,
    whole: str | None,
) -> str | None:
    """Return the command that removes `path` or permits it; None if there is no such command.

    `whole` is the directory that would be removed with its content. For the errors see unlink(2) and
    rmdir(2).
    """
    if compat.WINDOWS:
        return fix_command_on_windows(path) if error.errno in (errno.EPERM, errno.EACCES) else None
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
        # The permissions allow it, so a file attribute forbids it.
        attribute = "chflags nouchg,nouappnd" if compat.MACOS else "chattr -i -a"
        return f"sudo {attribute} -- {shell_quote(above)} {shell_quote(path)}"
    if error.errno == errno.EACCES and ours:
        return f"chmod u+rwx -- {shell_quote(above)}"
    return f"sudo rm -rf -- {shell_quote(whole)}" if whole else f"sudo rm -f -- {shell_quote(path)}"


def fix_command_on_windows(path: str) -> str | None:
    """Return the command that removes the read-only attribute; None for a path that shells change.

    `attrib` reads `/` as the start of an option.
    """
    if not PLAIN.fullmatch(path):
        return None
    return f'attrib -R "{path.replace("/", BACKSLASH)}"'


def read_only_mount(directory: str) -> str:
    """Return the mount point of a read-only file system: the highest read-only directory (statvfs(3))."""
    here = os.path.abspath(directory)
    while True:
        above = os.path.dirname(here)
        if above == here or not os.statvfs(above).f_flag & os.ST_RDONLY:
            return here
        here = above
