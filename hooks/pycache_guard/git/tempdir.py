"""Temporary directories that are removed when the program is interrupted."""

from __future__ import annotations

import os
import tempfile

from pycache_guard.git.spawn import _live
from pycache_guard.git.spawn import signals_blocked


class TemporaryDirectory:
    """A new directory; as a context manager, its path.

    An interrupted `tempfile.TemporaryDirectory` cleanup leaves files behind.
    """

    def __init__(self) -> None:
        with signals_blocked():
            self.path = tempfile.mkdtemp(prefix="pycache-guard-")
            _live.append(self)

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove it with all that is in it, from the lowest level upwards. Raises `OSError`.

        `shutil.rmtree` calls itself for each level, before Python 3.13.
        """
        directories = [self.path]
        try:
            for directory in directories:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            directories.append(entry.path)
                        else:
                            os.unlink(entry.path)
            for directory in reversed(directories):
                os.rmdir(directory)
        except FileNotFoundError:  # interrupted behind the last step, or somebody was faster
            pass
        _live.remove(self)

    def stop(self) -> None:
        """Remove it as far as that is possible."""
        try:
            self.remove()
        except OSError:
            _live.remove(self)
