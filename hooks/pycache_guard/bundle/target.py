"""The Python that a bundle is for: a version from the table, an executable, or the likeliest one."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.magic_numbers import ROWS
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pycache_guard.interpreters.identity import Interpreter

_VERSION = re.compile(r"(?:CPython[ -]?)?(3\.\d{1,2})(?:\.\d+)?t?", re.IGNORECASE)
_TAGS = {"CPython": "cpython-", "PyPy": "pypy"}
#: The tag in the name of a cache. It is looked for in every name, so nothing else is read of it.
_TAG = re.compile(r"\.?((?:cpython-|pypy)(\d)(\d+))(?:\.opt-[0-9A-Za-z]+)?\.pyc$")
#: PEP 552, Python 3.7: what a header has, and so which rules apply.
_HEADER_BYTES = 16


class Target(NamedTuple):
    """A Python, as far as it decides which bytecode it uses."""

    #: `CPython 3.13`, or `CPython 3.13.0` of an executable.
    title: str
    implementation: str
    #: `3.13`.
    version: str
    #: `cpython-313`.
    tag: str
    #: The magic numbers that its releases accept, 4 bytes each.
    magics: frozenset[bytes]
    #: The interpreter, if one was named.
    executable: str | None = None

    @property
    def magic(self) -> bytes:
        """The magic number of its newest release."""
        return max(self.magics)


def known_target(implementation: str, version: str) -> Target | None:
    """Return a Python by the table of magic numbers, None for an unknown or too old one."""
    numbers = [
        number
        for row_implementation, row_version, header_length, _, releases in ROWS
        if (row_implementation, row_version, header_length)
        == (implementation, version, _HEADER_BYTES)
        for number in releases
    ]
    if not numbers or implementation not in _TAGS:
        return None
    tag = _TAGS[implementation] + version.replace(".", "")
    magics = frozenset(number.to_bytes(2, "little") + b"\r\n" for number in numbers)
    return Target(f"{implementation} {version}", implementation, version, tag, magics)


def is_version(name: str) -> bool:
    """Return whether `--python` names a version, and not an executable."""
    return _VERSION.fullmatch(name) is not None


def target_of_version(name: str) -> Target:
    """Return the Python of a version such as `3.13`, by the table. Raises `Failure`."""
    version = _VERSION.fullmatch(name)
    target = known_target("CPython", version[1]) if version else None
    if target is None:
        rows = [row[1] for row in ROWS if row[0] == "CPython" and row[2] == _HEADER_BYTES]
        raise Failure(
            f"--python {name}: no such version is known; there are {', '.join(dict.fromkeys(rows))}"
        )
    return target


def target_of_interpreter(name: str, who: Interpreter) -> Target:
    """Return the Python of an executable, which the user named `name`. Raises `Failure`."""
    magic = identify_magic(who.magic)
    if magic is None or magic.header_length != _HEADER_BYTES or not who.tag:
        raise Failure(f"--python {name}: {who.title} is not supported; Python 3.7 and later are")
    short = ".".join(who.version.split(".")[:2])
    magics = frozenset({who.magic})
    return Target(who.title, magic.implementation, short, who.tag, magics, who.executable)


def likeliest_target(cache_names: Iterable[str], heads: Iterable[bytes]) -> Target | None:
    """Return the Python that most files are for, None if there is no bytecode of a known one.

    `cache_names` are the names of caches; `heads`, the first bytes of legacy files, count only if no
    cache has a known tag. Of two with equally many files the newer one is returned.
    """
    found: Counter[tuple[str, str]] = Counter()
    for name in cache_names:
        tag = _TAG.search(name)
        if tag:
            implementation = "PyPy" if tag[1].startswith("pypy") else "CPython"
            found[implementation, f"{tag[2]}.{tag[3]}"] += 1
    targets = _by_number(found)
    if not targets:
        for head in heads:
            magic = identify_magic(head)
            if magic is not None:
                found[magic.implementation, magic.version] += 1
        targets = _by_number(found)
    return targets[0] if targets else None


def _by_number(found: Counter[tuple[str, str]]) -> list[Target]:
    """Return the known targets, those of most files first."""
    by_number = sorted(
        found.items(),
        key=lambda item: (
            item[1],
            [int(part) for part in item[0][1].split(".") if part.isdecimal()],
        ),
        reverse=True,
    )
    targets = [known_target(*key) for key, _ in by_number]
    return [target for target in targets if target is not None]
