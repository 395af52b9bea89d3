"""The hooks that git would run: scripts, and commands in the git configuration.

Only `doctor` asks for them. The module is here because only this package starts git.
"""

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.fs.regular import MAX_TEXT_BYTES, open_regular
from pycache_guard.git.process import Git, git_output
from pycache_guard.git.repository import toplevel


def hooks_dir() -> str:
    """Return the path of the hook directory of this repository (githooks(5)).

    A relative `core.hooksPath` starts at the top of the work tree. The last value is that of our own
    command line.
    """
    process = Git("config", "-z", "--type=path", "--get-all", "core.hooksPath")
    values = process.output().split(b"\0")[:-2]
    if values:
        return os.path.join(toplevel() or os.curdir, os.fsdecode(values[-1]))
    common = os.fsdecode(git_output("rev-parse", "--git-common-dir")[:-1])
    return os.path.join(common, "hooks")


def installed_hooks(stages: tuple[str, ...]) -> dict[str, bytes]:
    """Return the content of each hook script of `stages` that git would run; empty if unreadable."""
    where = hooks_dir()
    found = {}
    for stage in stages:
        path = os.path.join(where, stage)
        if os.path.isfile(path) and (compat.WINDOWS or os.access(path, os.X_OK)):
            try:
                with open_regular(path) as file:
                    found[stage] = file.read(MAX_TEXT_BYTES)
            except OSError:  # executable, but not readable
                found[stage] = b""
    return found


def configured_hooks(stages: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return the commands that git runs from `hook.NAME.command`, by stage and name (git-hook(1)).

    Git 2.54 and later run them; older versions ignore the configuration, and nothing is returned.
    """
    process = Git("config", "-z", "--get-regexp", r"^hook\..*\.command$")
    answer = b"".join(iter(process.read, b""))
    if process.wait(allowed=(0, 1)):  # 1: no such key (git-config(1))
        return {}
    commands = dict(map(_parse_command, answer.split(b"\0")[:-1]))
    found = {}
    for stage in stages:
        listed = Git("hook", "list", "-z", stage)
        names = b"".join(iter(listed.read, b""))
        # 1: no hook of this stage; 128, 129: `list` is unknown.
        if listed.wait(allowed=(0, 1, 128, 129)) == 0:
            active = [os.fsdecode(name) for name in names.split(b"\0")]
            found[stage] = {name: commands[name] for name in active if name in commands}
    return {stage: names for stage, names in found.items() if names}


def _parse_command(entry: bytes) -> tuple[str, str]:
    """Return name and command of an entry `hook.NAME.command\\nCOMMAND`."""
    key, _, command = os.fsdecode(entry).partition("\n")
    return key.removeprefix("hook.").removesuffix(".command"), command
