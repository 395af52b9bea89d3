"""What this system is, and has: asked here and nowhere else, so that tests can say otherwise in one place.

Sources: the availability notes of the `os` module; docs/internals/systems.md lists what depends on these.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` imports enum, which costs 3 ms
import os
import sys

WINDOWS = sys.platform == "win32"
MACOS = sys.platform == "darwin"

#: A child process without `subprocess`, which is dear to import.
HAS_POSIX_SPAWN = hasattr(os, "posix_spawnp")
#: Of the signals that end a process, those that people, runners and terminals send. Windows lacks SIGHUP.
TERMINATION_SIGNALS: tuple[int, ...] = tuple(
    getattr(_signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(_signal, name)
)
#: They can be held back for a time.
HAS_SIGMASK = hasattr(_signal, "pthread_sigmask")
#: Files belong to users, and processes to one of them.
HAS_FILE_OWNERS = hasattr(os, "geteuid")
#: A file system tells whether it is mounted read-only.
HAS_STATVFS = hasattr(os, "statvfs")
#: Every call that a walk by directory descriptors needs: openat(2), unlinkat(2) and the like.
HAS_DIR_FD = (
    hasattr(os, "O_DIRECTORY")
    and hasattr(os, "O_NOFOLLOW")
    and {os.open, os.stat, os.unlink, os.rmdir} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
)

#: Windows would otherwise turn every `\n` that is written into two bytes.
O_BINARY: int = getattr(os, "O_BINARY", 0)
#: Where it is missing there is a moment between a look at a file and its opening.
O_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
O_NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
O_DIRECTORY: int = getattr(os, "O_DIRECTORY", 0)

#: Programs that were found: by name and `PATH`.
_FOUND: dict[tuple[str, str], str] = {}
#: Where POSIX systems keep their programs, for an environment without `PATH` (confstr(3), `_CS_PATH`).
DEFAULT_PATH = "" if WINDOWS else "/usr/local/bin:/usr/bin:/bin"


def find_program(name: str, path: str | None) -> str:
    """Return the absolute path of the program `name` in `path`, a value of `PATH`.

    Every program that this package starts by name is found here. Relative and empty entries of `PATH`
    do not count, on any system: they mean the current directory, which may be anybody's repository and
    hold a `git` of its own. Windows looks there before `PATH` (`CreateProcessW`). Raises
    `FileNotFoundError`, and `PermissionError` where only files are found that cannot be run.
    """
    where = DEFAULT_PATH if path is None else path
    found = _FOUND.get((name, where))
    if found is not None:
        return found
    names = [f"{name}.exe", name] if WINDOWS else [name]
    refused = False
    for directory in filter(is_absolute, where.split(os.pathsep)):
        for each in names:
            candidate = os.path.join(directory, each)
            if os.path.isfile(candidate):
                if os.access(candidate, os.X_OK):
                    _FOUND[name, where] = candidate
                    return candidate
                refused = True
    if refused:
        raise PermissionError(13, "Permission denied", name)
    raise FileNotFoundError(2, "not found on PATH", name)


def absolute_entries(path: str) -> str:
    """Return a value of `PATH` without its relative and empty entries."""
    return os.pathsep.join(filter(is_absolute, path.split(os.pathsep)))


def is_absolute(path: str) -> bool:
    """Whether a path says the same wherever we stand: on Windows it names a drive or a share too."""
    return os.path.isabs(path) and (os.sep == "/" or bool(os.path.splitdrive(path)[0]))


def processor_ticks(process: int) -> tuple[bytes, ...] | None:
    """Return how long a process has been at work, as values to compare; `None` where it is not known.

    These are `utime` and `stime` of proc(5), which Linux alone has.
    """
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return (*fields[11:13],)
