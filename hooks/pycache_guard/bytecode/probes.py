"""Paths that bytecode would have: what an ignore file must cover.

One tag stands for all: nothing in a rule people write tells one interpreter's cache from another's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: A module and a directory that nobody has: what holds for them holds for what is still to come.
INVENTED = b"module_that_nobody_has"
MISSING = b"directory_that_nobody_has"

#: By kind, what follows the module's name: the cache of PEP 3147, the same with `-O` (PEP 488), what
#: a killed interpreter leaves of it; and what Python 2 writes beside the source.
SUFFIXES = {
    "cache": (
        b".cpython-313.pyc",
        b".cpython-313.opt-1.pyc",
        b".cpython-313.pyc.140162621172480",
    ),
    "legacy": (b".pyc", b".pyo"),
}

#: What an ignore file of git's says to cover each kind, and nothing else.
PATTERNS = {"cache": b"__pycache__/", "legacy": b"*.py[co]"}

#: The same for one of Docker's, whose patterns are rooted.
DOCKER_PATTERNS = {"cache": b"**/__pycache__", "legacy": b"**/*.py[co]"}


def probes(kind: str, directory: bytes, name: bytes) -> Iterator[bytes]:
    """Yield the paths of one kind for the module `name` in `directory` (`b""` is the top)."""
    below = b"__pycache__/" if kind == "cache" else b""
    start = b"%s/%s%s" % (directory, below, name) if directory else below + name
    for suffix in SUFFIXES[kind]:
        yield start + suffix


def module_name(file: bytes) -> bytes:
    """Return a source's module name as `importlib.util.cache_from_source` cuts it from its file name.

    It ends at the last dot; a name without one, a script's, is taken whole.
    """
    base, _, rest = file.rpartition(b".")
    return base or rest
