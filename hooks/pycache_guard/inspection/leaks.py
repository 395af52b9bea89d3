"""Find what a bytecode file contains and its source does not: what leaked with the file alone."""

from __future__ import annotations

import re
import sys
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.cache_names import CacheName
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.bytecode.unmarshal import read_code
from pycache_guard.inspection.facts import is_absolute
from pycache_guard.inspection.source_text import SourceText
from pycache_guard.inspection.strings import (
    is_readable,
    list_all_strings,
    list_strings,
    string_to_json,
    write_value,
)
from pycache_guard.report.escape import escape_surrogates
from pycache_guard.verify.check import is_uncomparable
from pycache_guard.verify.compare import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.bytecode.stores import FoundSource
    from pycache_guard.inspection.strings import FoundString
    from pycache_guard.interpreters.pool import CompilerPool

#: Directories whose next component is the name of a user.
_USER = re.compile(
    r"(?:/(?:home|Users|export/home|var/home|usr/home)/|[A-Za-z]:[\\/](?:Users|Documents and Settings)[\\/])"
    r"(?P<user>[^\\/]+)[\\/]"
)


class LeakedPath(NamedTuple):
    """A path of the machine that compiled the file."""

    path: str
    #: The user name in it, None if there is none.
    user: str | None


class Leaks(NamedTuple):
    """What only the bytecode contains."""

    #: `compiled` with the matching interpreter, `text`, or `none` without a source.
    method: str
    #: The interpreter that compiled the source, such as `CPython 3.13.0`, if one did.
    compiler: str | None
    #: Why the source was not compiled, or why the code could not be read; empty if both could.
    reason: str
    strings: list[FoundString]
    paths: list[LeakedPath]


def find_leaks(
    pyc: Pyc, name: CacheName | None, source: FoundSource | None, compilers: CompilerPool
) -> Leaks:
    """Compare a file with a source.

    The matching interpreter compiles the source in an isolated process and never runs it. Without it,
    and if the code of the file is damaged, the text of the source is searched. Raises `Failure` if the
    source cannot be read.
    """
    magic = pyc.header.magic
    listed, problem = list_all_strings(pyc, name)
    is_damaged = not is_readable(pyc)
    strings = [string for string in listed if string.kind != "file name"]
    names = [] if is_damaged else file_names(pyc.code)
    paths = find_paths(names, source.path if source else None)
    if source is None:
        return Leaks("none", None, problem, strings, paths)
    data = source.source.read()
    if is_damaged:
        text = SourceText(data, known_strings(compilers, data))
        return Leaks("text", None, problem, [s for s in strings if not is_known(s, text)], paths)
    name = name or CacheName("")
    target = Target("", name, pyc.header, source)
    reason = ""
    if name.is_instrumented or is_uncomparable(name, pyc.header, source):
        reason = "no compiler writes such a file from the source alone"
    else:
        best: Leaks | None = None
        for compiler, texts, problem in compile_strings(
            compilers, magic, name.tag, data, target.levels()
        ):
            if problem:
                reason = f"{compiler} does not compile the source ({problem})"
                continue
            left = [string for string in strings if string.text not in texts]
            if best is None or len(left) < len(best.strings):
                best = Leaks("compiled", compiler, "", left, paths)
            if not left:
                break
        if best is not None:
            return best
        who = f"{magic.implementation} {magic.version}"
        reason = reason or f"no {who} with magic number {magic.number} is available"
    text = SourceText(data, known_strings(compilers, data))
    return Leaks("text", None, reason, [s for s in strings if not is_known(s, text)], paths)


def is_known(string: FoundString, text: SourceText) -> bool:
    """Return whether the text of a source contains a string; bytes also as a literal writes them."""
    value = string.value
    if isinstance(value, int):
        return text.contains(value)
    if text.contains(string.text):
        return True
    return isinstance(value, bytes) and text.contains(value.decode("latin-1"))


def compile_strings(
    compilers: CompilerPool, magic: Magic, tag: str, source: bytes, levels: tuple[int, ...]
) -> Iterator[tuple[str, set[str], str]]:
    """Yield each compiler for `magic` with the strings that it makes of a source, or with its problem.

    The strings are those of all `levels` together.
    """
    dialect = marshal_format(magic)
    if dialect is None:
        return
    for process in compilers.for_magic(magic, tag):
        texts: set[str] = set()
        problem = ""
        for level in levels:
            process.submit(source, level)
            result = process.result()
            if result.code is None:
                problem = result.reason
                break
            try:
                code = read_code(result.code, 0, dialect)[0]
            except MarshalError as error:
                problem = str(error)
                break
            texts.update(string.text for string in list_strings(code, magic))
        yield process.interpreter.title, texts, problem


def known_strings(compilers: CompilerPool, source: bytes) -> set[str]:
    """Return the strings that the running interpreter makes of a source; none if it refuses it."""
    magic, tag = identify_magic(MAGIC_NUMBER), sys.implementation.cache_tag or ""
    results = compile_strings(compilers, magic, tag, source, (0, 2)) if magic else iter(())
    return next((texts for _, texts, _ in results), set())


def find_paths(names: list[str], source: str | None) -> list[LeakedPath]:
    """Return the file names of the code that the path of the source does not show: absolute or other ones."""
    found = []
    for path in names:
        is_own = source is not None and base_name(path) == base_name(source)
        if is_absolute(path) or not is_own:
            user = _USER.match(path)
            found.append(LeakedPath(path, user["user"] if user else None))
    return found


def base_name(path: str) -> str:
    """Return the last part of a POSIX or Windows path."""
    return re.split(r"[\\/]", path)[-1]


def leaks_to_text(leaks: Leaks, source: str | None, limit: int) -> Iterator[str]:
    """Yield the lines of a file after its path. `source` is the place of the source."""
    yield f"  compared with  {describe_comparison(leaks, source)}"
    lines = [
        *(
            f"  path           {path.path}{f' (user {path.user})' if path.user else ''}"
            for path in leaks.paths
        ),
        *(
            f"  {_LABELS.get(s.kind, s.kind):13}  {write_value(s.value)}{f' ({s.place})' if s.place else ''}"
            for s in leaks.strings
        ),
    ]
    yield from lines[:limit]
    if len(lines) > limit:
        yield f"  {len(lines) - limit:,} more: use a larger --limit"
    if not lines:
        yield "  nothing        everything in it is in its source"


#: Labels of the kinds of strings, where they differ.
_LABELS = {"text": "constant", "bytes": "constant"}


def describe_comparison(leaks: Leaks, source: str | None) -> str:
    """Return what the file was compared with, and how."""
    if leaks.method == "compiled":
        return f"{source}, as {leaks.compiler} compiles it"
    if leaks.method == "text":
        return f"the text of {source}, which can list strings that a compiler made: {leaks.reason}"
    damage = f" ({leaks.reason})" if leaks.reason else ""
    return f"nothing: no source was found, so everything in it is listed{damage}"


def leaks_to_json(leaks: Leaks, source: str | None, limit: int) -> dict[str, object]:
    """Return the value of `leaks` in JSON; every key is present."""
    return {
        "method": leaks.method,
        "source": None if source is None else escape_surrogates(source),
        "compiler": leaks.compiler,
        "reason": escape_surrogates(leaks.reason) or None,
        "paths": [
            {
                "path": escape_surrogates(path.path),
                "user": None if path.user is None else escape_surrogates(path.user),
            }
            for path in leaks.paths[:limit]
        ],
        "strings": [string_to_json(string) for string in leaks.strings[:limit]],
        "omitted": max(len(leaks.paths) - limit, 0) + max(len(leaks.strings) - limit, 0),
    }
