"""Temporary directories and files of which nothing is left when the program is interrupted."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.git.spawn import _live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

#: Variables that name the directory for temporary files.
VARIABLES = ("TMPDIR", "TEMP", "TMP")
#: How long to wait, each time, for a process that has a file open on Windows.
_WAITS_SECONDS = (0.05, 0.2, 0.8)


class TemporaryDirectory:
    """A new directory; as a context manager, its path.

    An interrupted `tempfile.TemporaryDirectory` cleanup leaves files behind, and importing `tempfile`
    takes 6 ms.
    """

    def __init__(self) -> None:
        with compat.signals_blocked():
            self.path = make_private_directory()
            _live.append(self)

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove it with all that is in it. Raises `OSError`.

        On Windows, a file that another process keeps open (a virus scanner, an indexer) stays in the
        directory for temporary files: the answer for which it was made is right anyway.
        """
        for seconds in (*_WAITS_SECONDS, None):
            try:
                self._remove_tree()
                break
            except PermissionError:
                if not compat.WINDOWS:
                    raise
                if seconds is not None:
                    import time

                    time.sleep(seconds)
        _live.remove(self)

    def _remove_tree(self) -> None:
        """Remove what is in it, from the lowest level upwards, and the directory.

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

    def stop(self) -> None:
        """Remove it as far as that is possible."""
        try:
            self.remove()
        except OSError:
            _live.remove(self)


def open_unnamed_file() -> IO[bytes]:
    """Open a temporary file without a name, for reading and writing. Raises `OSError`.

    Without `O_TMPFILE` (open(2)), as on macOS and in PyPy, Python makes a file with a name and removes the
    name. A signal between the two would leave the file behind.
    """
    import tempfile  # takes 6 ms

    with compat.signals_blocked():
        return tempfile.TemporaryFile()


def make_private_directory() -> str:
    """Make a directory for this user alone where temporary files belong; return its absolute path.

    The places are those of `tempfile.gettempdir`, except the current directory, which can be a
    repository. Raises `OSError` if no place takes a directory.
    """
    refusals: list[OSError] = []
    for place in filter(None, [*map(os.environ.get, VARIABLES), *compat.TEMPORARY_PLACES]):
        path = os.path.join(os.path.abspath(place), f"pycache-guard-{os.urandom(8).hex()}")
        try:
            os.mkdir(path, 0o700)
        except OSError as error:
            refusals.append(error)
        else:
            return path
    raise refusals[0]
