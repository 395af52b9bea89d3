"""Files in a directory `__pycache__` that are not bytecode: a program, data, `.gitkeep`.

Python does not delete them, and this program never untracks or ignores them: they may be the only
copy. Their fix is to move them. Every command that reports paths uses `is_misplaced`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.bytecode.cache_names import CACHE, is_cache_directory, is_cache_name
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.sniff import is_bytecode
from pycache_guard.git.entries import FILE, LINK, SUBMODULE
from pycache_guard.remedies import MAX_COMMAND_CHARS, cut_list, shell_quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Descriptions by mode; other modes are regular files.
_KINDS = {
    LINK: f"a symbolic link in `{CACHE}` that is not bytecode",
    SUBMODULE: f"a submodule in `{CACHE}`",
}
#: The new name of a file that is named `__pycache__`.
_PLAIN = "pycache"


def may_be_misplaced(path: str) -> bool:
    """Return whether `path` is reported only for its directory: its own name is not that of a cache.

    `path` has `/` between parts. The content decides whether the file is bytecode anyway.
    """
    return is_bytecode_path(os.fsencode(path)) and not is_cache_name(path.rpartition("/")[2])


def is_misplaced(path: str, head: bytes, mode: str = FILE) -> bool:
    """Return whether the entry at `path` is in a cache directory and, by its first bytes, not bytecode.

    A link that is named `__pycache__` is not misplaced: Python follows it to caches.
    """
    if mode == LINK and is_cache_directory(path.rpartition("/")[2]):
        return False
    return may_be_misplaced(path) and (mode == SUBMODULE or not is_bytecode(head))


def describe_kind(path: str, mode: str = FILE) -> str:
    """Return a description of a misplaced entry, as the subject of a sentence."""
    if is_cache_directory(path.rpartition("/")[2]):
        what = "a submodule" if mode == SUBMODULE else "a file"
        return f"{what} named `{CACHE}` that is not bytecode"
    return _KINDS.get(mode, f"a file in `{CACHE}` that is not bytecode")


def advise_move(path: str) -> str:
    """Return the fix for a misplaced entry in words, for reports without a command."""
    if is_cache_directory(path.rpartition("/")[2]):
        return "rename it"
    return f"move it out of `{CACHE}`"


def choose_targets(paths: Iterable[str], is_taken: Callable[[str], bool]) -> dict[str, str]:
    """Return for each of `paths` a free path outside the cache directory.

    The file keeps its name and moves to the parent of the outermost `__pycache__`: git-mv(1) needs an
    existing directory. `is_taken` returns whether a path exists, ignoring case.
    """
    targets: dict[str, str] = {}
    chosen: set[str] = set()
    #: By the path without a number, the last number that was tried.
    numbers: dict[str, int] = {}
    for path in sorted(paths):
        parts = path.split("/")
        outermost = next(n for n, part in enumerate(parts) if is_cache_directory(part))
        name = _PLAIN if is_cache_directory(parts[-1]) else parts[-1]
        stem, dot, suffix = name.rpartition(".")
        if not stem:
            stem, dot, suffix = name, "", ""
        target = plain = "/".join([*parts[:outermost], name])
        while target.casefold() in chosen or is_taken(target):
            number = numbers[plain] = numbers.get(plain, 0) + 1
            target = "/".join([*parts[:outermost], f"{stem}_{number}{dot}{suffix}"])
        chosen.add(target.casefold())
        targets[path] = target
    return targets


def move_commands(targets: dict[str, str], *, rooted: bool, sparse: bool = False) -> dict[str, str]:
    """Return for each path the command that moves it, together with others of its directory.

    The command works in a subdirectory if `rooted`, and in a `sparse` checkout, where git 2.34 and
    later wants `--sparse` for what is outside. `git mv` takes paths, not pathspecs.
    """
    start = 'git -C "$(git rev-parse --show-toplevel)" mv' if rooted else "git mv"
    start += " --sparse --" if sparse else " --"
    groups: dict[tuple[str, str], list[str]] = {}
    for path, target in targets.items():
        directory, _, name = target.rpartition("/")
        keeps_name = name == path.rpartition("/")[2]
        groups.setdefault((directory or ".", "" if keeps_name else target), []).append(path)
    commands: dict[str, str] = {}
    for (directory, renamed), paths in groups.items():
        if len(paths) == 1:
            commands[paths[0]] = f"{start} {shell_quote(paths[0])} {shell_quote(targets[paths[0]])}"
            continue
        for together in cut_list(paths, MAX_COMMAND_CHARS):
            words = " ".join(map(shell_quote, together))
            commands.update(
                dict.fromkeys(together, f"{start} {words} {shell_quote(renamed or directory)}")
            )
    return commands
