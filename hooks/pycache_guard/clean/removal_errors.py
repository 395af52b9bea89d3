"""Rule PYC501: what could not be removed, with the reason, the owner, and the command that helps."""

from __future__ import annotations

import errno
import os
import re
import stat

from pycache_guard import compat
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.remedies import shell_quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.clean.plan import Plan
    from pycache_guard.clean.remove import RemovalError


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
