"""The completion of a `.gitignore`, judged by git itself."""

from __future__ import annotations

import os
from functools import partial

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.bytecode.probes import PATTERNS
from pycache_guard.bytecode.probes import probes
from pycache_guard.git.ignore import Ignoring
from pycache_guard.ignorefiles.gitignore import completed
from pycache_guard.ignorefiles.gitignore import fault
from pycache_guard.ignorefiles.gitignore import meant_for_bytecode
from pycache_guard.ignorefiles.gitignore import wide_encoding

TOKENS = (
    *(b"\n", b"\r\n", b"\r", b"\\", b" ", b"\t", b"#", b"!", b"/", b"*", b"**/", b"*.pyc", b"."),
    *(b"__pycache__/", b"*.py[co]", b"!*.pyc", b"!__pycache__/", b"!**", b"\xef\xbb\xbf", b"\0"),
    *(b'"', b"'", b"[", b"]", b"{py,pyc}", b"pkg/", b"!pkg/**", b"*$py.class"),
)
#: Of other things nothing changes.
OTHERS = [b"a", b"pkg/a.py", b"pkg/b.txt", b"x y"]


def complete(data: bytes) -> str:
    """Complete a file, and ask git about it before and after."""
    for _, line in meant_for_bytecode(data):
        why = fault(line)
        assert why is None or why.isprintable()
    if wide_encoding(data):
        return "wide"
    new = completed(data, PATTERNS.values())
    paths = [path for kind in PATTERNS for path in probes(kind, b"pkg", b"m")]
    before, after = rules(data, OTHERS), rules(new, [*OTHERS, *paths])
    for path, rule in zip(paths, after[len(OTHERS) :], strict=True):
        assert rule[2] and rule[2][:1] != b"!", f"{os.fsdecode(path)} is decided by {rule!r}"
    assert before == after[: len(OTHERS)], "other paths are judged otherwise"
    return "completed"


def rules(content: bytes, paths: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    """Return which rule of the file decides about each path."""
    with Ignoring({b".gitignore": content}) as ignoring:
        return ignoring.rules(paths)


TARGETS = {"gitignore": Target(complete, partial(seeds, "gitignore"), TOKENS)}
