"""Find interpreters: on PATH, below pyenv and similar tools, in the usual places."""

from __future__ import annotations

import os
import re
from typing import Any

from pycache_guard import compat

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
    # The install manager of 2025 and later (PEP 773): pythoncore-3.14-64 and the like.
    ("~/AppData/Local/Python", ""),
    # Only an administrator writes there; in C:\\ anybody makes directories.
    ("C:/Program Files", ""),
)
_REGISTRY = r"Software\Python"
#: Not on Windows, where they would be on the current drive.
_BIN = ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")


def find_candidates(version: str) -> list[str]:
    """Return the executables that may be interpreters, likely ones of `version` (`3.12`) first.

    Follows links, so that no file appears twice. Only running them shows what they are.
    """
    paths = [
        *registered(),
        *(path for folder in interpreter_dirs() for path in _interpreters_in(folder)),
    ]
    found = dict.fromkeys(os.path.realpath(path) for path in paths)
    return sorted(found, key=lambda path: version not in path)


def interpreter_dirs() -> Iterator[str]:
    """Yield the directories that may contain interpreters, all absolute.

    Ignores relative paths in PATH, PYENV_ROOT and HOME, because the current directory may be an
    untrusted repository. Ignores the shims of pyenv: they start the interpreters in `versions`.
    """
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if compat.is_absolute(folder) and os.path.basename(folder) != "shims":
            yield folder
    own = os.environ.get("PYENV_ROOT")
    roots = ((os.path.join(own, "versions"), "bin"),) if own else ()
    for root, inside in (*roots, *(_VERSIONS_WINDOWS if compat.WINDOWS else _VERSIONS)):
        whole = os.path.expanduser(root)
        if compat.is_absolute(whole):
            for name in names_in(whole):
                yield os.path.join(whole, name, inside)
    if not compat.WINDOWS:
        yield from _BIN


def registered() -> Iterator[str]:
    """Yield the interpreters that are registered on Windows (PEP 514); nothing on other systems."""
    if not compat.WINDOWS:
        return
    registry: Any = __import__("winreg")
    views = (registry.KEY_WOW64_64KEY, registry.KEY_WOW64_32KEY)
    for root in (registry.HKEY_CURRENT_USER, registry.HKEY_LOCAL_MACHINE):
        for view in views:
            for company in keys_below(registry, root, _REGISTRY, view):
                for tag in keys_below(registry, root, company, view):
                    try:
                        with registry.OpenKey(
                            root, rf"{tag}\InstallPath", access=registry.KEY_READ | view
                        ) as key:
                            path = registry.QueryValueEx(key, "ExecutablePath")[0]
                    except OSError:
                        continue
                    if isinstance(path, str) and compat.is_absolute(path) and os.path.isfile(path):
                        yield path


def keys_below(registry: Any, root: object, path: str, view: int) -> list[str]:
    """Return the paths of the subkeys of a registry key, an empty list if it does not exist."""
    found: list[str] = []
    try:
        with registry.OpenKey(root, path, access=registry.KEY_READ | view) as key:
            while True:
                found.append(rf"{path}\{registry.EnumKey(key, len(found))}")
    except OSError:  # this was the last one
        return found


def _interpreters_in(folder: str) -> Iterator[str]:
    """Yield the files of a directory that have names of interpreters."""
    for name in names_in(folder):
        path = os.path.join(folder, name)
        if _NAME.fullmatch(name) and os.path.isfile(path) and os.access(path, os.X_OK):
            yield path


def names_in(folder: str) -> list[str]:
    """Return the sorted names in a directory, an empty list if it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
