"""Features of the operating system. They are asked for only here, so tests can change them in one place.

Sources: the availability notes of the `os` module. docs/internals/systems.md lists what depends on
each feature.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` imports enum, which costs 3 ms
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WINDOWS = sys.platform == "win32"
MACOS = sys.platform == "darwin"

#: Whether a child process can start without `subprocess`, which is expensive to import.
HAS_POSIX_SPAWN = hasattr(os, "posix_spawnp")
#: Whether a process can make a copy of itself.
HAS_FORK = hasattr(os, "fork")
#: Signals with which people, runners and terminals end a process. Windows has no SIGHUP, and only
#: Windows has SIGBREAK.
TERMINATION_SIGNALS: tuple[int, ...] = tuple(
    getattr(_signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(_signal, name)
)
#: Whether signals can be blocked for a time.
HAS_SIGMASK = hasattr(_signal, "pthread_sigmask")
#: Whether a timer can send a signal to this process.
HAS_TIMER = hasattr(_signal, "setitimer")
#: Whether files and processes belong to users.
HAS_FILE_OWNERS = hasattr(os, "geteuid")
#: Whether a file system reports that it is mounted read-only.
HAS_STATVFS = hasattr(os, "statvfs")
#: The flag of statvfs(3) of a read-only file system: 1 on Linux and macOS. PyPy has no name for it.
ST_RDONLY: int = getattr(os, "ST_RDONLY", 1)
#: Whether all calls for a walk by directory descriptors exist: openat(2), unlinkat(2) and others.
HAS_DIR_FD = (
    hasattr(os, "O_DIRECTORY")
    and hasattr(os, "O_NOFOLLOW")
    and {os.open, os.stat, os.unlink, os.rmdir} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
)

#: Without it, Windows writes two bytes for each `\n`.
O_BINARY: int = getattr(os, "O_BINARY", 0)
#: Without it, a race remains between the check of a file and its opening.
O_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
O_NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
O_DIRECTORY: int = getattr(os, "O_DIRECTORY", 0)

#: Directories for temporary files, if no variable names one (tempfile, `_candidate_tempdir_list`).
TEMPORARY_PLACES = (
    tuple(
        os.path.expanduser(os.path.expandvars(place))
        for place in (r"~\AppData\Local\Temp", r"%SYSTEMROOT%\Temp", r"c:\temp", r"c:\tmp")
    )
    if WINDOWS
    else ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - the directory made there has a random name
)

#: Paths of programs, by name and value of `PATH`.
_FOUND: dict[tuple[str, str], str] = {}
#: Directories of programs on POSIX systems, if `PATH` is not set (confstr(3), `_CS_PATH`).
DEFAULT_PATH = "" if WINDOWS else "/usr/local/bin:/usr/bin:/bin"


def find_program(name: str, path: str | None) -> str:
    """Return the absolute path of the program `name` in `path`, a value of `PATH`.

    Every program that this package starts by name is found here. Relative and empty entries of `PATH`
    do not count on any system: they mean the current directory, which can be a repository with a
    `git` program in it. Windows looks there before `PATH` (`CreateProcessW`). Raises
    `FileNotFoundError`, or `PermissionError` if all files of that name are not executable.
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
    """Return whether a path does not depend on the current directory.

    On Windows it must also name a drive or a share.
    """
    return os.path.isabs(path) and (os.sep == "/" or bool(os.path.splitdrive(path)[0]))


class signals_blocked:  # noqa: N801 - a context manager, named like those of contextlib
    """Block termination signals, so that a new child or directory can be registered before one is handled.

    The other threads block them anyway: `start_thread`.
    """

    def __enter__(self) -> None:
        self._mask: set[int] = set()
        if HAS_SIGMASK:
            self._mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, TERMINATION_SIGNALS)

    def __exit__(self, *_: object) -> None:
        if HAS_SIGMASK:
            _signal.pthread_sigmask(_signal.SIG_SETMASK, self._mask)


def start_thread(work: Callable[[], object]) -> None:
    """Start a daemon thread to which no termination signal is delivered.

    The system delivers a signal to any thread that does not block it, and Python runs the handler in the
    main thread (`signal`, "Signals and threads"). So the main thread can put signals off only if all other
    threads block them. A new thread has the mask of the thread that starts it (pthread_create(3)), and so
    have the processes that it starts, unless they get another one as in `git.spawn`. Raises `RuntimeError` if
    there are too many threads.
    """
    from threading import Thread

    with signals_blocked():
        Thread(target=work, daemon=True).start()


def processor_ticks(process: int) -> tuple[bytes, ...] | None:
    """Return the processor time of a process as values to compare, or None if it is not known.

    The values are `utime` and `stime` of proc(5), which only Linux has.
    """
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return (*fields[11:13],)


def count_processors() -> int:
    """Return the number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))  # Linux
    except (AttributeError, OSError):
        return os.cpu_count() or 1
