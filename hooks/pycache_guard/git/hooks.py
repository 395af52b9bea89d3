"""Which of git's hooks are installed."""

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.fs.regular import open_regular
from pycache_guard.git.process import Git
from pycache_guard.git.process import git_output
from pycache_guard.git.repository import toplevel

#: Hooks are scripts; of a program no more is read.
MAX_HOOK_BYTES = 1 << 20


def hooks_dir() -> str:
    """Return the directory that git takes its hooks from, here (githooks(5)).

    `core.hooksPath`, if relative, is from the top of the work tree; the last value is our own.
    """
    process = Git("config", "-z", "--type=path", "--get-all", "core.hooksPath")
    values = process.output().split(b"\0")[:-2]
    if values:
        return os.path.join(toplevel() or os.curdir, os.fsdecode(values[-1]))
    common = os.fsdecode(git_output("rev-parse", "--git-common-dir")[:-1])
    return os.path.join(common, "hooks")


def installed_hooks(stages: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each hook of `stages` that git would run."""
    where = hooks_dir()
    found = {}
    for stage in stages:
        path = os.path.join(where, stage)
        if os.path.isfile(path) and (compat.WINDOWS or os.access(path, os.X_OK)):
            try:
                with open_regular(path) as file:
                    found[stage] = file.read(MAX_HOOK_BYTES)
            except OSError:  # it can be run, but not read
                found[stage] = b""
    return found
