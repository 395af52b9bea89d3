"""Which of git's hooks are installed."""

from __future__ import annotations

import os

from pycache_guard import system
from pycache_guard.git.process import Git
from pycache_guard.git.process import git
from pycache_guard.git.repository import top
from pycache_guard.regular import opened

#: Hooks are scripts; of a program no more is read.
MAX_HOOK_BYTES = 1 << 20


def directory() -> str:
    """Return the directory that git takes its hooks from, here (githooks(5)).

    `core.hooksPath`, if relative, is from the top of the work tree; the last value is our own.
    """
    process = Git("config", "-z", "--type=path", "--get-all", "core.hooksPath")
    values = process.output().split(b"\0")[:-2]
    if values:
        return os.path.join(top() or os.curdir, os.fsdecode(values[-1]))
    common = os.fsdecode(git("rev-parse", "--git-common-dir")[:-1])
    return os.path.join(common, "hooks")


def installed(stages: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each hook of `stages` that git would run."""
    where = directory()
    found = {}
    for stage in stages:
        path = os.path.join(where, stage)
        if os.path.isfile(path) and (system.WINDOWS or os.access(path, os.X_OK)):
            try:
                with opened(path) as file:
                    found[stage] = file.read(MAX_HOOK_BYTES)
            except OSError:  # it can be run, but not read
                found[stage] = b""
    return found
