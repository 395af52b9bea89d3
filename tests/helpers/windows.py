"""What tests use and Windows lacks. A test that uses it is skipped, with the reason."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest


def words_of_missing_file(path: str = "a file that does not exist") -> str:
    """Return what this system says of a file that does not exist: Windows has words of its own.

    It has others for a file in a directory that does not exist, and for a `*` in a name.
    """
    try:
        os.stat(path)
    except OSError as error:
        return error.strerror or ""
    raise AssertionError("the file exists")


def run_in_sh(command: str) -> None:
    """Run a command of a report with `sh`. Skips the test without one: Windows has it only with Git Bash."""
    if shutil.which("sh") is None:
        pytest.skip("there is no `sh` here")
    subprocess.run(["sh", "-c", command], check=True)


#: Marks a test in which a script with `#!/bin/sh` stands for a program.
needs_shell_scripts = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows does not run shell scripts as programs"
)

if sys.platform == "win32":
    _symlink = os.symlink

    def skip_without(feature: str) -> None:
        """Skip the test that calls this."""
        pytest.skip(f"Windows has no {feature}")

    def make_link_or_skip(
        target: str, path: str, target_is_directory: bool = False, **options: int | None
    ) -> None:
        """Make a symbolic link; skip the test if this user may not (ERROR_PRIVILEGE_NOT_HELD) or wine cannot."""
        try:
            _symlink(target, path, target_is_directory, **options)
        except (NotImplementedError, OSError) as error:
            reason = f": {error}"
        else:
            reason = ""
        if not os.path.islink(path):
            if is_called_by_pytest():
                raise OSError("symbolic links cannot be made here")
            pytest.skip(f"symbolic links cannot be made here{reason}")

    def is_called_by_pytest() -> bool:
        """Return whether `tmp_path` makes the link, which does without it."""
        frame = sys._getframe(2)
        while frame.f_back is not None and frame.f_globals["__name__"].startswith("pathlib"):
            frame = frame.f_back
        return str(frame.f_globals["__name__"]).startswith("_pytest")

    def install() -> None:
        """Replace the functions of `os`."""
        os.symlink = make_link_or_skip
        os.mkfifo = lambda *_: skip_without("named pipes")
        os.mknod = lambda *_: skip_without("devices")

else:

    def install() -> None:
        """Do nothing: POSIX has everything."""
