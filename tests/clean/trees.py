"""Trees to clean, written as lists of paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def make_tree(root: Path, paths: Iterable[str]) -> None:
    """Make files, directories (`a/`), links (`a -> b`) and pipes (`a|`)."""
    for path in paths:
        name, arrow, target = path.partition(" -> ")
        where = root / name.rstrip("|/")
        where.parent.mkdir(parents=True, exist_ok=True)
        if arrow:
            where.symlink_to(target)
        elif path.endswith("/"):
            where.mkdir(exist_ok=True)
        elif path.endswith("|"):
            os.mkfifo(where)
        else:
            where.write_bytes(b"x")


def list_tree(root: Path) -> set[str]:
    """Return what is there, directories with a slash behind."""
    found = set()
    for directory, directories, files in os.walk(root):
        below = os.path.relpath(directory, root).replace(os.sep, "/") + "/"
        start = "" if below == "./" else below
        links = {name for name in directories if os.path.islink(os.path.join(directory, name))}
        found |= {start + name for name in (*files, *links)}
        found |= {f"{start}{name}/" for name in directories if name not in links}
    return found
