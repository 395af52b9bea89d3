from __future__ import annotations

import pytest

from pycache_guard.dockerignore.check import common_mistakes

SAMPLES = ["d/__pycache__/m.cpython-313.pyc", "d/m.pyc"]
ROOTED = "patterns start at the context, unlike in git; `**/` in front matches at every depth"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("__pycache__/", ROOTED),
        ("*.py[co]", ROOTED),
        ("src/__pycache__", ROOTED),
        ("**/__pycache__ # caches", "a comment must have a line of its own"),
        ('"**/__pycache__"', "quotes are part of the pattern"),
        ("**/__pycache__`", "quotes are part of the pattern"),
        ("**/__pycache__ **/*.pyc", "a line holds one pattern"),
        ("**/*.{pyc,pyo}", "Docker has no alternatives; write `**/*.py[co]`"),
        ("**/*.py[!a-bd-z]", "`[!` does not negate a class; write `[^`"),
        ("**\\\\__pycache__", "a backslash escapes; write `/` between directories"),
        ("**/pycache", "the directory is `__pycache__`"),
        ("**/.pyc", "it matches one file name; write `**/*.pyc`"),
        ("**/__PYCACHE__", "matching is case-sensitive; use lower case"),
    ],
)
def test_common_mistake_is_named_with_its_line(line: str, why: str) -> None:
    assert list(common_mistakes(b"a\n" + line.encode() + b"\n", SAMPLES)) == [(2, line, why)]


def test_effective_lines_have_no_mistake() -> None:
    assert (
        list(common_mistakes(b"**/__pycache__\n  **/*.pyc  \n# __pycache__\n!*.pyc\n", SAMPLES))
        == []
    )
