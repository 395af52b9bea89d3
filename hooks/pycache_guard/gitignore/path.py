"""Explain one path: which line decides about it, here and for everybody."""

from __future__ import annotations

import os
from typing import NamedTuple

from pycache_guard.errors import Failure
from pycache_guard.git.check_ignore import IsolatedIgnoreRules
from pycache_guard.git.check_ignore import rules_for_user
from pycache_guard.git.repository import require_toplevel
from pycache_guard.gitignore.project import read_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.git.check_ignore import MatchedRule
    from pycache_guard.git.index import Index


class PathExplanation(NamedTuple):
    """Which rule decides about a path."""

    text: str
    #: Whether rules of the index, which every clone has, ignore the path.
    is_ignored_for_all: bool


def explain(index: Index, path: str) -> PathExplanation:
    """Return which rule decides about `path`, as seen from the current directory.

    The file need not exist; a path that ends with `/` is a directory. Raises `Failure` for a path
    outside the work tree. The rules of the index are asked in isolation, this person's by
    `git check-ignore`.
    """
    top = require_toplevel()
    asked = _from_top(path, top)
    with IsolatedIgnoreRules(read_project(index).ignore_files) as ignoring:
        (for_all,) = ignoring.rules([asked])
    (here,) = rules_for_user(top, [asked])
    name = os.fsdecode(asked)
    if _ignores(for_all):
        text = f"{name}: ignored for everybody by {_describe(for_all)}"
    elif _ignores(here):
        text = f"{name}: ignored only here, by {_describe(here)}, which others do not have"
    elif for_all[2]:
        text = f"{name}: not ignored; {_describe(for_all)} re-includes it"
    elif here[2]:
        text = f"{name}: not ignored; {_describe(here)}, which others do not have, re-includes it"
    else:
        text = f"{name}: not ignored; no rule matches it"
    if _ignores(for_all) and not _ignores(here):
        text += f"; not ignored here{f', because of {_describe(here)}' if here[2] else ''}"
    return PathExplanation(text, _ignores(for_all))


def _from_top(path: str, top: str) -> bytes:
    """Return a path from the top of the work tree. Links above its last part are followed."""
    directory, name = os.path.split(path.rstrip("/") or path)
    whole = os.path.join(os.path.realpath(directory or os.curdir), name)
    relative = os.path.relpath(whole, os.path.realpath(top))
    parts = relative.split(os.sep)
    if parts[0] in (os.pardir, os.curdir):
        raise Failure(f"{path}: is not below the top of the work tree")
    return os.fsencode("/".join(parts) + "/" * path.endswith("/"))


def _ignores(rule: MatchedRule) -> bool:
    return bool(rule[2]) and not rule[2].startswith(b"!")


def _describe(rule: MatchedRule) -> str:
    file, line, pattern = map(os.fsdecode, rule)
    return f"{file}:{line}: `{pattern}`"
