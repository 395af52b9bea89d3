"""Where interpreters are: on PATH, with pyenv and its like, in the usual places."""

from __future__ import annotations

import os
import re

from pycache_guard import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"(?:python|pypy|graalpy)[\d.]*(?:t|d)?(?:\.exe)?")

#: Directories that hold one directory for each version, and where its interpreter is in there.
_VERSIONS = (
    ("~/.pyenv/versions", "bin"),
    ("~/.local/share/uv/python", "bin"),
    ("~/.asdf/installs/python", "bin"),
    ("~/.local/share/mise/installs/python", "bin"),
    ("/opt/python", "bin"),
    ("/opt/hostedtoolcache/Python", "x64/bin"),
    ("/Library/Frameworks/Python.framework/Versions", "bin"),
)
_VERSIONS_WINDOWS = (
    ("~/.pyenv/pyenv-win/versions", ""),
    ("~/AppData/Local/Programs/Python", ""),
    ("~/AppData/Roaming/uv/python", ""),
    ("C:/Program Files", ""),
    ("C:/", ""),
)
_BIN = ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")


def candidates(version: str) -> list[str]:
    """Return the executables that may be interpreters, likely ones of `version` (`3.12`) first.

    Links are followed, so that no file is named twice. Their names promise nothing.
    """
    found = dict.fromkeys(os.path.realpath(path) for folder in folders() for path in named(folder))
    return sorted(found, key=lambda path: version not in path)


def folders() -> Iterator[str]:
    """Name the directories that may hold interpreters.

    Of PATH only what is absolute: the current directory may be anybody's repository. pyenv's shims
    are scripts that start what stands in its `versions`.
    """
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(folder) and os.path.basename(folder) != "shims":
            yield folder
    own = os.environ.get("PYENV_ROOT")
    roots = ((os.path.join(own, "versions"), "bin"),) if own else ()
    for root, inside in (*roots, *(_VERSIONS_WINDOWS if system.WINDOWS else _VERSIONS)):
        for name in names_in(os.path.expanduser(root)):
            yield os.path.join(os.path.expanduser(root), name, inside)
    yield from _BIN


def named(folder: str) -> Iterator[str]:
    """Yield the files of a directory that are named as interpreters are."""
    for name in names_in(folder):
        path = os.path.join(folder, name)
        if _NAME.fullmatch(name) and os.path.isfile(path) and os.access(path, os.X_OK):
            yield path


def names_in(folder: str) -> list[str]:
    """Return the sorted names in a directory; of one that cannot be listed, none."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
