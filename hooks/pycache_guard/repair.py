"""Change what the user has: the index, or one file, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat

from pycache_guard import system
from pycache_guard.errors import Failure
from pycache_guard.findings import Rule
from pycache_guard.git.repository import directory_around
from pycache_guard.git.repository import index_is_temporary
from pycache_guard.regular import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.findings import Finding
    from pycache_guard.git.index import Index

COMMIT = 'git commit -m "Untrack bytecode"'


def untracked(index: Index, findings: list[Finding]) -> list[Finding]:
    """Untrack what was found by path; return the findings as they stand now.

    Under `git commit -a` or `git commit PATH` nothing is changed, because git would lose or undo
    it: the findings then keep the command that mends them.
    """
    paths = [f.path for f in findings if is_untracked_by_fix(f) and f.path is not None]
    if not paths:
        return findings
    if index_is_temporary():
        why = "; not untracked, since this commit has an index of its own"
        return [with_message(f, f"{f.message}{why}") for f in findings]
    index.untrack(paths)
    done = "untracked; the file stays on disk"
    return [with_message(f, done, remedy=COMMIT) for f in findings]


def is_untracked_by_fix(finding: Finding) -> bool:
    """Whether a finding is one of bytecode by its path, which may be untracked without a loss."""
    return finding.rule is Rule.PYC001 and not finding.is_kept


def with_message(finding: Finding, message: str, remedy: str | None = None) -> Finding:
    """Return a finding of what is untracked with another message; every other finding as it is."""
    if not is_untracked_by_fix(finding):
        return finding
    is_fixed = remedy is not None
    return finding._replace(message=message, remedy=remedy or finding.remedy, is_fixed=is_fixed)


def write_whole(path: str, data: bytes) -> None:
    """Put `data` in the place of the file `path` in one step, or leave it as it is.

    A new file is written, brought to disk and renamed over it, with its mode and owner; a kill or a
    full disk in between leaves the old one whole. Raises `Failure` for a read-only file, a link,
    what is no file, and where the system refuses.
    """
    put(path, data, nothing_to_check)


def rewrite(path: str, old: bytes | None, data: bytes) -> None:
    """Put `data` in the place of what a file holds, as `write_whole` does.

    `old` is what it held when it was read, `None` if it was not there: raises `Failure` too if that
    has changed.
    """

    def check() -> None:
        if held_by(path) != old:
            raise Failure(f"{path}: has changed meanwhile; nothing was written")

    put(path, data, check)


def put(path: str, data: bytes, check: Callable[[], None]) -> None:
    """Write a file and, if `check` does not raise, rename it.

    Where a work tree is round it, it is written in git's directory first: were we killed there, git
    would not track what is left.
    """
    old = replaceable(path)
    around = directory_around(os.path.dirname(os.path.abspath(path)))
    name = f"{os.urandom(4).hex()}.tmp"
    if around is not None:
        with contextlib.suppress(OSError):  # another file system, or not ours to write in
            replace(path, os.path.join(around, f"pycache-guard.{name}"), data, old, check)
            return
    try:
        replace(path, f"{path}.{name}", data, old, check)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}; nothing was written") from None


def replace(
    path: str, temporary: str, data: bytes, old: os.stat_result | None, check: Callable[[], None]
) -> None:
    """Write `temporary` and rename it; leave no trace of it otherwise. Raises `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.O_BINARY
    try:
        # A signal can come between any two steps, also right after the file was made or renamed.
        descriptor = os.open(temporary, flags, 0o666)
        fill(descriptor, temporary, data, old)
        check()
        os.replace(temporary, path)
    except FileExistsError:  # it is somebody else's
        raise
    except BaseException:
        with contextlib.suppress(OSError):  # it may have been renamed already
            os.unlink(temporary)
        raise


def nothing_to_check() -> None:
    """Let whatever is there be replaced."""


def held_by(path: str) -> bytes | None:
    """Return what a file holds, `None` where there is none; no link is followed. Raises `OSError`."""
    try:
        with opened(path, follow=False) as file:
            return file.read()
    except FileNotFoundError:
        return None


def fill(descriptor: int, temporary: str, data: bytes, old: os.stat_result | None) -> None:
    """Write a new file, bring it to disk, and close it."""
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if old is not None:
            keep(file.fileno(), temporary, old)
        os.fsync(file.fileno())


def replaceable(path: str) -> os.stat_result | None:
    """Return what is at `path` if it may be replaced, `None` if nothing is there."""
    try:
        old = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(old.st_mode):
        raise Failure(f"{path}: is a symbolic link; nothing was written")
    if stat.S_ISDIR(old.st_mode):
        raise Failure(f"{path}: is a directory; nothing was written")
    if not stat.S_ISREG(old.st_mode):
        raise Failure(f"{path}: is not a regular file; nothing was written")
    if not old.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        raise Failure(f"{path}: is read-only; nothing was written")
    return old


def keep(descriptor: int, temporary: str, old: os.stat_result) -> None:
    """Give a new file the owner, as far as we may, and the mode of the old one."""
    if system.OWNERS:
        # Another's file in a directory of ours becomes ours, as with any editor.
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    os.chmod(temporary, stat.S_IMODE(old.st_mode))
