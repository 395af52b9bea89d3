"""What the compose files of the index build, with paths from the top."""

from __future__ import annotations

import os
import posixpath
from typing import NamedTuple

from pycache_guard.containers.compose import Included
from pycache_guard.containers.compose import builds
from pycache_guard.containers.yaml_nodes import Unreadable
from pycache_guard.git.objects import stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator


class Composed(NamedTuple):
    """One build. Paths are git's bytes, from the top, which is `b""`."""

    context: bytes
    dockerfile: bytes


def composed(files: Iterable[bytes], failures: list[str]) -> list[Composed]:
    """Return what compose files build, and what the files that they include do.

    What cannot be known is added to `failures`, as a line that names the place.
    """
    found: list[Composed] = []
    pending = [*files]
    seen = set(pending)
    while pending:
        file = pending.pop()
        for item in read(file, failures):
            if isinstance(item, Composed):
                found.append(item)
            elif item not in seen:
                seen.add(item)
                pending.append(item)
    return found


def read(file: bytes, failures: list[str]) -> Iterator[Composed | bytes]:
    """Yield the builds of one file, and the paths of those that it includes."""
    name = os.fsdecode(file)
    data = stored(f":0:{name}")
    if data is None:
        failures.append(f"{name}: a compose file includes it, and git does not track it")
        return
    base = posixpath.dirname(file)
    try:
        for item in builds(data):
            where = f"{name}:{item.line}"
            if isinstance(item, Included):
                yield from local(base, item.file, where, failures)
                continue
            for context in local(base, item.context, where, failures):
                named = item.dockerfile or "Dockerfile"
                for dockerfile in local(context, named, where, failures):
                    yield Composed(context, dockerfile)
    except Unreadable as why:
        failures.append(f"{name}:{why.line}: {why}; name the contexts that are to be judged")


def local(base: bytes, path: str, where: str, failures: list[str]) -> Iterator[bytes]:
    """Yield `path`, seen from `base`, as one from the top, if it is in the repository."""
    joined = posixpath.normpath(posixpath.join(base, os.fsencode(path)))
    if (joined + b"/").startswith((b"/", b"../")):
        failures.append(f"{where}: {path} lies outside the repository, where nothing is judged")
    else:
        yield b"" if joined == b"." else joined
