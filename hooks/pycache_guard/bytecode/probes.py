"""Paths that bytecode would have and that an ignore file must cover.

One interpreter tag is enough: ignore rules in practice do not name tags.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: An invented module and directory: their result holds for future files.
UNTRACKED_MODULE = b"module_that_nobody_has"
UNTRACKED_DIR = b"directory_that_nobody_has"

#: By probe, what follows the name of a module. `cache`: the caches of Python 3, without and with `-O`
#: (PEP 3147, PEP 488). `temporary`: what an interrupted write leaves (`_write_atomic` in CPython's
#: Lib/importlib/_bootstrap_external.py), and the caches of numba (numba/core/caching.py). `legacy`:
#: what `compileall -b` and Python 2 write. `python2`: what Python 2 writes with `-O`.
SUFFIXES = {
    "cache": (b".cpython-313.pyc", b".cpython-313.opt-1.pyc"),
    "temporary": (
        b".cpython-313.pyc.140162621172480",
        b".function-1.py313.nbi",
        b".function-1.py313.1.nbc",
    ),
    "legacy": (b".pyc",),
    "python2": (b".pyo",),
}

#: The probes whose paths are in `__pycache__`.
IN_CACHE = ("cache", "temporary")

#: Required by default: Python 3 writes nothing else by itself.
REQUIRED = ("cache",)

#: Recommended by default.
ADVISED = ("temporary", "legacy")

#: The line of a `.gitignore` that covers each probe, and nothing else.
PATTERNS = {
    "cache": b"__pycache__/",
    "temporary": b"__pycache__/",
    "legacy": b"*.py[co]",
    "python2": b"*.py[co]",
}

#: The same for a `.dockerignore`, whose patterns are rooted.
DOCKER_PATTERNS = {kind: b"**/" + line.rstrip(b"/") for kind, line in PATTERNS.items()}

#: What writes the paths of each probe.
WRITERS = {
    "cache": "Python 3 writes its caches there",
    "temporary": "an interrupted write leaves NAME.pyc.NUMBER there, numba writes .nbi and .nbc",
    "legacy": "`compileall -b` and Python 2 write NAME.pyc",
    "python2": "Python 2 writes NAME.pyo with -O",
}


class ProbeChoice:
    """The probes that must be ignored, and those that are only recommended to be."""

    def __init__(
        self, required: tuple[str, ...] = REQUIRED, advised: tuple[str, ...] = ADVISED
    ) -> None:
        self.required = required
        self.advised = advised


def choose_probes(
    options: Sequence[str] | None, configured: Sequence[str] | None, *, strict: bool
) -> ProbeChoice:
    """Return the probes to use: those of the command line, else of the configuration, else the default.

    With `strict` everything that is otherwise recommended is required as well.
    """
    named = tuple(options or configured or ())
    if strict:
        return ProbeChoice(tuple(dict.fromkeys((*(named or REQUIRED), *ADVISED))), ())
    return ProbeChoice(named, ()) if named else ProbeChoice()


def lines_for(kinds: Iterable[str], patterns: Mapping[str, bytes] = PATTERNS) -> list[bytes]:
    """Return the lines that cover the probes `kinds`, each once, `__pycache__` first."""
    wanted = set(kinds)
    return [*dict.fromkeys(line for kind, line in patterns.items() if kind in wanted)]


def describe_advice(
    kinds: Iterable[str], name: str = ".gitignore", patterns: Mapping[str, bytes] = PATTERNS
) -> str:
    """Return one sentence that recommends the lines for `kinds` in the file `name`; empty for none."""
    wanted = {*kinds}
    reasons = [
        f"`{pattern.decode('ascii')}` ({WRITERS[kind]})"
        for kind, pattern in patterns.items()
        if kind in wanted
    ]
    if not reasons:
        return ""
    return f"Advice: {name} could also have {' and '.join(reasons)}; `--strict` requires it."


def probe_paths(kind: str, directory: bytes, name: bytes) -> Iterator[bytes]:
    """Yield the paths of one kind for the module `name` in `directory` (`b""` is the top)."""
    below = b"__pycache__/" if kind in IN_CACHE else b""
    start = b"%s/%s%s" % (directory, below, name) if directory else below + name
    for suffix in SUFFIXES[kind]:
        yield start + suffix


def module_name(file: bytes) -> bytes:
    """Return a source's module name as `importlib.util.cache_from_source` cuts it from its file name.

    It ends at the last dot; a name without one, a script's, is taken whole.
    """
    base, _, rest = file.rpartition(b".")
    return base or rest
