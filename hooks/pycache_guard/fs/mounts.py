"""Find the other paths of a directory that is bind-mounted (Linux).

A mounted subdirectory of a repository has no `.git` above it. The table of mounts
(proc_pid_mountinfo(5)) contains the root of each mount within its file system, so another mount of
the same file system gives the other path.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "/proc/self/mountinfo"


class Mount:
    """A line of the table."""

    __slots__ = ("device", "point", "root")

    def __init__(self, device: str, root: str, point: str) -> None:
        #: `MAJOR:MINOR` of the file system.
        self.device = device
        #: The mounted directory, as a path from the top of the file system.
        self.root = root
        #: The mount point.
        self.point = point


def find_sources(directory: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield other paths of a directory and of the mount points below it.

    Each path comes with the names from `directory` to the mount point: none for the directory itself.
    Yields nothing without a table of mounts, or if no other mount contains the directory: a container
    does not know the directories above a mounted one.
    """
    mounts = _read_table()
    here = os.path.realpath(directory)
    around = [mount for mount in mounts if _is_below(here, mount.point)]
    inside = [m for m in mounts if m.point != here and _is_below(m.point, here)]
    # The later of two mounts on the same mount point hides the earlier.
    nearest = max(enumerate(around), key=lambda n: (len(n[1].point), n[0]), default=None)
    if nearest is not None:
        mount = nearest[1]
        rest = here.removeprefix(mount.point.rstrip("/"))
        yield from (((), source) for source in _other_paths(mounts, mount, rest, here))
    for mount in inside:
        parts = tuple(mount.point[len(here.rstrip("/")) + 1 :].split("/"))
        yield from ((parts, source) for source in _other_paths(mounts, mount, "", mount.point))


def _other_paths(mounts: list[Mount], mount: Mount, rest: str, here: str) -> Iterator[str]:
    """Yield the paths of `here`, which is `rest` below `mount`, through other mounts."""
    whole = mount.root.rstrip("/") + rest
    for other in mounts:
        if other.device == mount.device and _is_below(whole, other.root):
            path = other.point.rstrip("/") + whole.removeprefix(other.root.rstrip("/"))
            if path != here and _is_same(path, here):
                yield path
    if all(other.point != "/" for other in mounts):
        # After chroot(2) the table lacks the file system that contains `/`, and with it how much of `whole`
        # is the path of that directory.
        for place, character in enumerate(whole):
            if character == "/" and whole[place:] != here and _is_same(whole[place:], here):
                yield whole[place:]


def _read_table() -> list[Mount]:
    try:
        with open(TABLE, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    # 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
    fields = (line.split(b" ") for line in lines)
    return [Mount(f[2].decode("ascii"), _unescape(f[3]), _unescape(f[4])) for f in fields]


def _unescape(field: bytes) -> str:
    r"""Decode octal escapes such as `\040`: blanks, tabs, newlines and backslashes."""
    first, *rest = field.split(b"\\")
    return os.fsdecode(first + b"".join(bytes([int(p[:3], 8)]) + p[3:] for p in rest))


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
