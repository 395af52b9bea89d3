"""What this system is, and has: asked here and nowhere else, so that tests can say otherwise in one place.

Sources: the availability notes of the `os` module; docs/systems.md tells what depends on these.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` imports enum, which costs 3 ms
import os
import sys

WINDOWS = sys.platform == "win32"
MACOS = sys.platform == "darwin"

#: A child process without `subprocess`, which is dear to import.
POSIX_SPAWN = hasattr(os, "posix_spawnp")
#: Of the signals that end a process, those that people, runners and terminals send. Windows lacks SIGHUP.
ENDING: tuple[int, ...] = tuple(
    getattr(_signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(_signal, name)
)
#: They can be held back for a time.
SIGNAL_MASKS = hasattr(_signal, "pthread_sigmask")
#: Files belong to users, and processes to one of them.
OWNERS = hasattr(os, "geteuid")
#: A file system tells whether it is mounted read-only.
MOUNTS = hasattr(os, "statvfs")
#: Every call that a walk by directory descriptors needs: openat(2), unlinkat(2) and the like.
DESCRIPTORS = (
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
