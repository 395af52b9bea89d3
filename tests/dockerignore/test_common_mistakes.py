from __future__ import annotations

import pytest

from pycache_guard.dockerignore.check import common_mistakes

SAMPLES = ["d/__pycache__/m.cpython-313.pyc", "d/m.pyc"]
ROOTED = "patterns are rooted at the context, unlike git's: `**/` in front matches at every depth"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("__pycache__/", ROOTED),
        ("*.py[co]", ROOTED),
        ("src/__pycache__", ROOTED),
        ("**/__pycache__ # caches", "a comment must have a line of its own"),
        ('"**/__pycache__"', "quotes belong to the pattern"),
        ("**/__pycache__`", "quotes belong to the pattern"),
        ("**/__pycache__ **/*.pyc", "one line holds one pattern"),
        ("**/*.{pyc,pyo}", "there are no alternatives: `**/*.py[co]`"),
        ("**/*.py[!a-bd-z]", "`[!` excludes nothing from a class: `[^`"),
        ("**\\\\__pycache__", "a backslash escapes; `/` parts directories"),
        ("**/pycache", "the directory is `__pycache__`"),
        ("**/.pyc", "it names one file: `**/*.pyc`"),
        ("**/__PYCACHE__", "upper case is not lower case"),
    ],
)
def test_why(line: str, why: str) -> None:
    assert list(common_mistakes(b"a\n" + line.encode() + b"\n", SAMPLES)) == [(2, line, why)]


def test_what_works_has_no_fault() -> None:
    assert (
        list(common_mistakes(b"**/__pycache__\n  **/*.pyc  \n# __pycache__\n!*.pyc\n", SAMPLES))
        == []
    )
