"""The completion of a `.gitignore`, checked with git."""

from __future__ import annotations

import os
from functools import partial

from fuzz.corpus import seeds
from fuzz.target import Target
from pycache_guard.bytecode.probes import PATTERNS, probe_paths
from pycache_guard.git.check_ignore import IsolatedIgnoreRules
from pycache_guard.gitignore.patterns import (
    append_patterns,
    detect_utf16_32,
    explain_line,
    lines_about_bytecode,
)

TOKENS = (
    *(b"\n", b"\r\n", b"\r", b"\\", b" ", b"\t", b"#", b"!", b"/", b"*", b"**/", b"*.pyc", b"."),
    *(b"__pycache__/", b"*.py[co]", b"!*.pyc", b"!__pycache__/", b"!**", b"\xef\xbb\xbf", b"\0"),
    *(b'"', b"'", b"[", b"]", b"{py,pyc}", b"pkg/", b"!pkg/**", b"*$py.class"),
)
#: Paths that completion must not affect.
OTHERS = [b"a", b"pkg/a.py", b"pkg/b.txt", b"x y"]


def complete(data: bytes) -> str:
    """Complete a file; git must ignore every probe, and treat other paths as before."""
    for _, line in lines_about_bytecode(data):
        why = explain_line(line)
        assert why is None or why.isprintable()
    if detect_utf16_32(data):
        return "wide"
    new = append_patterns(data, PATTERNS.values())
    paths = [path for kind in PATTERNS for path in probe_paths(kind, b"pkg", b"m")]
    before, after = rules(data, OTHERS), rules(new, [*OTHERS, *paths])
    for path, rule in zip(paths, after[len(OTHERS) :], strict=True):
        assert rule[2] and rule[2][:1] != b"!", f"{os.fsdecode(path)} is decided by {rule!r}"
    assert before == after[: len(OTHERS)], "other paths are treated differently"
    return "completed"


def rules(content: bytes, paths: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    """Return the rule of the file that decides about each path."""
    with IsolatedIgnoreRules({b".gitignore": content}) as ignoring:
        return ignoring.rules(paths)


TARGETS = {"gitignore": Target(complete, partial(seeds, "gitignore"), TOKENS)}
