"""Find what each of many pathspec globs matches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.git.listing import parse_entry, path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pycache_guard.git.entries import Entry

#: For more globs than this, git is not asked about each of them if that is not necessary.
MAX_SINGLE_GLOBS = 8


def match_globs(
    globs: Sequence[str],
    ask: Callable[[str], list[Entry]],
    list_records: Callable[[], Iterable[bytes]],
) -> list[list[Entry]]:
    """Return for each glob the entries that it matches, as git reads it.

    `ask` asks git about one glob, which takes a process that reads every entry. Many plain paths are
    looked up among the records of `list_records` instead, which are those that git would read.
    """
    plain = {os.fsencode(glob): glob for glob in globs if is_plain_path(glob)}
    found: dict[str, list[Entry]] = {}
    if len(plain) > MAX_SINGLE_GLOBS:
        found = {glob: [] for glob in plain.values()}
        for record in list_records():
            path = path_of(record)
            while path:
                if path in plain:
                    found[plain[path]].append(parse_entry(record))
                path = path.rpartition(b"/")[0]
    return [found[glob] if glob in found else ask(glob) for glob in globs]


def is_plain_path(glob: str) -> bool:
    r"""Return whether a glob is a path as git writes it: it matches the file, or all files below the directory.

    `*`, `?`, `[` and `\` are special (gitglossary(7), pathspec); git normalizes `a//b`, `./a` and `a/`.
    """
    return not set("*?[\\") & set(glob) and not {"", ".", ".."} & set(glob.split("/"))
