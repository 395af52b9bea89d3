"""What tests use and Windows lacks. A test that uses it is skipped, with the reason."""

from __future__ import annotations

import os
import sys

import pytest

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
            pytest.skip(f"symbolic links cannot be made here: {error}")
        if not os.path.islink(path):
            pytest.skip("symbolic links cannot be made here")

    def install() -> None:
        """Replace the functions of `os`."""
        os.symlink = make_link_or_skip
        os.mkfifo = lambda *_: skip_without("named pipes")
        os.mknod = lambda *_: skip_without("devices")

else:

    def install() -> None:
        """Do nothing: POSIX has everything."""
