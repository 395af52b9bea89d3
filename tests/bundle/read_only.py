"""Make a directory read-only for a command, in each way that also stops an administrator."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Begins a mount namespace in which `$1` is read-only, and runs the rest there (mount(8)).
MOUNT = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
#: Gives up what lets root write anywhere (capabilities(7)).
WITHOUT_POWERS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--securebits=+noroot")


@functools.cache
def can_mount() -> bool:
    """Return whether this user may make a read-only mount in a namespace of their own."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    trial = [*_mounted(os.path.dirname(__file__)), "true"]
    return subprocess.run(trial, check=False, capture_output=True).returncode == 0


def _mounted(directory: str) -> list[str]:
    # An ordinary user may do it in a user namespace (user_namespaces(7)).
    own = ["--map-root-user"] if sys.platform != "win32" and os.geteuid() else []
    return ["unshare", *own, "--mount", "sh", "-c", MOUNT, "sh", directory]


@contextlib.contextmanager
def by_mount(top: Path) -> Iterator[list[str]]:
    """Return what to write before a command for which `top` is a read-only mount, as in an image."""
    if not can_mount():
        pytest.skip("this user may not make a read-only mount")
    yield _mounted(os.fspath(top))


@contextlib.contextmanager
def by_mode(top: Path) -> Iterator[list[str]]:
    """Return what to write before a command for which no mode allows writing into `top`."""
    before: list[str] = []
    if sys.platform == "win32":
        pytest.skip("the mode of a directory there does not stop writing into it")
    if os.geteuid() == 0:
        before = [*WITHOUT_POWERS]
        if shutil.which(before[0]) is None:
            pytest.skip("an administrator is stopped by nothing")
    directories = [top, *(path for path in top.rglob("*") if path.is_dir())]
    try:
        for path in directories:
            path.chmod(0o555)
        yield before
    finally:
        for path in directories:
            path.chmod(0o755)


@contextlib.contextmanager
def not_at_all(_: Path) -> Iterator[list[str]]:
    """Return no words: what follows may write."""
    yield []


#: By name, how a directory is made read-only for a command.
WAYS = {"writable": not_at_all, "mount": by_mount, "mode": by_mode}
