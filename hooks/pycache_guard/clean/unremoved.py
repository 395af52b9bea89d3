"""Report what could not be removed or read, with the command that permits it: PYC501."""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING

from pycache_guard import compat
from pycache_guard.findings import Finding, Rule
from pycache_guard.remedies import full_program, shell_quote

if TYPE_CHECKING:
    from pycache_guard.clean.plan import Plan
    from pycache_guard.clean.remove import RemovalError

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
    directory_plan, name, error = (
        removal_error.directory_plan,
        removal_error.name,
        removal_error.error,
    )
    status, directory = removal_error.status, removal_error.directory
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
        if above == here or not os.statvfs(above).f_flag & compat.ST_RDONLY:
            return here
        here = above
