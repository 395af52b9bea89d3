"""Run the program and inject a fault at its N-th step that changes something.

`python inject.py FAULT N WITNESS WHICH ARGUMENT…`: a step is a call of `os` that writes, makes, renames
or removes a file, or starts a process; with WHICH `files`, only calls that name a user file count.
The fault comes before the step, or after it if the name of the fault ends with `after`:

- `kill`, `signal NUMBER`: this process gets a signal
- `errno NUMBER`: the call fails with it
- `shell COMMAND`: another process runs a command

The file WITNESS gets one byte per step.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMED = ("replace", "rename", "unlink", "remove", "rmdir", "mkdir", "chmod", "open")
OTHERS = ("write", "fsync", "fchown", "posix_spawnp")
fault, number, witness, which, *arguments = sys.argv[1:]
kind, _, value = fault.removesuffix(" after").partition(" ")
is_after = fault.endswith(" after")
temporary = os.path.join(tempfile.gettempdir(), "pycache-guard-")
plain_open, plain_write, plain_close = os.open, os.write, os.close
#: `next` is one operation: no step of another thread comes between.
steps = itertools.count(1)


def inject_fault() -> None:
    """Inject the fault."""
    if kind == "errno":
        raise OSError(int(value), os.strerror(int(value)))
    if kind == "shell":
        subprocess.run(["sh", "-c", value], check=True)
    else:
        os.kill(os.getpid(), signal.SIGKILL if kind == "kill" else int(value))


def is_step(name: str, args: Sequence[Any], above: int | None) -> bool:
    """Return whether a call is a step."""
    if name == "open" and not args[1] & (os.O_CREAT | os.O_TRUNC):
        return False
    if which == "everything":
        return True
    if name not in NAMED:
        return name != "posix_spawnp"
    # Where a temporary directory is removed, names are relative to a descriptor.
    place = os.readlink(f"/proc/self/fd/{above}") if above is not None else ""
    return not os.path.join(place, os.fsdecode(args[0])).startswith(temporary)


def step(call: Callable[..., object], name: str) -> Callable[..., object]:
    """Return `call` with the fault injected."""

    def stepped(*args: Any, **kwargs: Any) -> object:
        if not is_step(name, args, kwargs.get("dir_fd")):
            return call(*args, **kwargs)
        is_now = next(steps) == int(number)
        descriptor = plain_open(witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        plain_write(descriptor, b"x")
        plain_close(descriptor)
        if is_now and not is_after:
            inject_fault()
        done = call(*args, **kwargs)
        if is_now and is_after:
            inject_fault()
        return done

    return stepped


for name in (*NAMED, *OTHERS):
    if hasattr(os, name):
        setattr(os, name, step(getattr(os, name), name))

# Imported after patching, so that its modules use the patched functions.
from pycache_guard.cli import run

sys.argv = ["pycache-guard", *arguments]
run()
