"""Files in a directory `__pycache__` that are not bytecode: a program, data, `.gitkeep`.

Python leaves them alone, and nothing here untracks or ignores them: they may be the only copy. Their fix
is to move them out. Every command that reports paths asks `is_misplaced`.
"""

from __future__ import annotations

import os

from pycache_guard.bytecode.cache_names import CACHE
from pycache_guard.bytecode.cache_names import is_cache_directory
from pycache_guard.bytecode.cache_names import is_cache_name
from pycache_guard.bytecode.names import is_bytecode_path
from pycache_guard.bytecode.sniff import is_bytecode
from pycache_guard.git.entries import FILE
from pycache_guard.git.entries import LINK
from pycache_guard.git.entries import SUBMODULE
from pycache_guard.remedies import MAX_COMMAND_CHARS
from pycache_guard.remedies import cut_list
from pycache_guard.remedies import shell_quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

#: What to call one, by mode; a regular file of any other mode.
_KINDS = {
    LINK: f"a symbolic link in `{CACHE}` that is not bytecode",
    SUBMODULE: f"a submodule in `{CACHE}`",
}
#: What a file is called that has the name itself, when it is moved.
_PLAIN = "pycache"


def may_be_misplaced(path: str) -> bool:
    """Whether `path` is reported for its directory alone: its own name is not that of a cache.

    `path` has `/` between parts. Its content tells whether the file is bytecode all the same.
    """
    return is_bytecode_path(os.fsencode(path)) and not is_cache_name(path.rpartition("/")[2])


def is_misplaced(path: str, head: bytes, mode: str = FILE) -> bool:
    """Whether the entry at `path`, whose first bytes are `head`, is not bytecode but lies among it.

    A link that is itself named `__pycache__` is in the place of a cache directory: Python follows it.
    """
    if mode == LINK and is_cache_directory(path.rpartition("/")[2]):
        return False
    return may_be_misplaced(path) and (mode == SUBMODULE or not is_bytecode(head))


def describe_kind(path: str, mode: str = FILE) -> str:
    """Return what to call a misplaced entry, as the subject of a sentence."""
    if is_cache_directory(path.rpartition("/")[2]):
        what = "a submodule" if mode == SUBMODULE else "a file"
        return f"{what} named `{CACHE}` that is not bytecode"
    return _KINDS.get(mode, f"a file in `{CACHE}` that is not bytecode")


def advise_move(path: str) -> str:
    """Return what to do with a misplaced entry where no command is printed."""
    if is_cache_directory(path.rpartition("/")[2]):
        return "rename it"
    return f"move it out of `{CACHE}`"


def choose_targets(paths: Iterable[str], is_taken: Callable[[str], bool]) -> dict[str, str]:
    """Return for each of `paths` a path outside of the cache directory that nothing has yet.

    That is the file's own name in the directory that the outermost `__pycache__` is in: it exists,
    which git-mv(1) asks for. `is_taken` tells whether a path exists, in any case of letters.
    """
    targets: dict[str, str] = {}
    chosen: set[str] = set()
    for path in sorted(paths):
        parts = path.split("/")
        outermost = next(n for n, part in enumerate(parts) if is_cache_directory(part))
        name = _PLAIN if is_cache_directory(parts[-1]) else parts[-1]
        stem, dot, suffix = name.rpartition(".")
        if not stem:
            stem, dot, suffix = name, "", ""
        target = "/".join([*parts[:outermost], name])
        number = 0
        while target.casefold() in chosen or is_taken(target):
            number += 1
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
