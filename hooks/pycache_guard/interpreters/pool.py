"""Find the interpreters of this machine, and keep one compiler process for each.

Interpreters are searched on PATH, below pyenv and similar tools, and in the usual places.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.interpreters.process import CompilerProcess, InterpreterUnusable, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.interpreters.identity import Interpreter


class CompilerPool:
    """Finds interpreters: the given ones, the running one, then those of the machine."""

    def __init__(
        self,
        named: Sequence[str] = (),
        limits: Limits | None = None,
        *,
        is_repeatable: bool = False,
    ) -> None:
        """Identify the given executables. Raises `Failure` if one is not an interpreter.

        For `is_repeatable` see `CompilerProcess`.
        """
        self._limits = limits or Limits()
        self._is_repeatable = is_repeatable
        #: By executable; None if it is not an interpreter.
        self._asked: dict[str, CompilerProcess | None] = {}
        self._named = [os.path.realpath(resolve_executable(name)) for name in named]
        for name, path in zip(named, self._named, strict=True):
            if self._ask(path) is None:
                raise Failure(f"--python {name}: does not answer as an interpreter does")

    def for_magic(self, magic: Magic, tag: str) -> Iterator[CompilerProcess]:
        """Yield a compiler of each available patch level that writes files with `magic` and `tag`.

        Starts the next interpreter only when the caller asks for it.
        """
        versions = set()
        for path in self._candidates(magic.version):
            process = self._ask(path)
            if process is None:
                continue
            who = process.interpreter
            if who.writes(magic.data, tag) and who.title not in versions:
                versions.add(who.title)
                yield process
            process.close()  # it starts again when it is used again

    def named_interpreters(self) -> list[Interpreter]:
        """Return the interpreters that were given."""
        processes = [self._asked[path] for path in self._named]
        return [process.interpreter for process in processes if process is not None]

    def close(self) -> None:
        """End every process."""
        for process in self._asked.values():
            if process is not None:
                process.close()

    def _candidates(self, version: str) -> Iterator[str]:
        """Yield the executables to ask; the machine is searched only if these before do not suffice."""
        first = [*self._named, *([os.path.realpath(sys.executable)] if sys.executable else [])]
        yield from dict.fromkeys(first)
        yield from (path for path in find_candidates(version) if path not in first)

    def _ask(self, path: str) -> CompilerProcess | None:
        if path not in self._asked:
            try:
                self._asked[path] = CompilerProcess(
                    path, self._limits, is_repeatable=self._is_repeatable
                )
            except InterpreterUnusable:
                self._asked[path] = None
        return self._asked[path]


def resolve_executable(name: str) -> str:
    """Return the path of an executable that the user named: a path, or a name on PATH."""
    if os.path.dirname(name):
        return name
    try:
        return compat.find_program(name, os.environ.get("PATH"))
    except OSError as error:
        raise Failure(f"--python {name}: {error.strerror}") from None


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
        *(
            path
            for folder in dict.fromkeys(interpreter_dirs())
            for path in _interpreters_in(folder)
        ),
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
    for name in filter(_NAME.fullmatch, names_in(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            yield path


def names_in(folder: str) -> list[str]:
    """Return the sorted names in a directory, an empty list if it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
