from __future__ import annotations

import pytest

from pycache_guard.doctor.task_files import Makefile, TaskFile

RULES = """\
a: b c ; echo no
\t@a1
\t-a2
b := c: d
b:: e
\tb1
b: a
\tb2
c
\tno
e = f: g
d:
\tno
e : a
\te1
"""


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (["a"], ["a1", "a2", "b1", "b2", "e1"]),
        (["e", "d"], ["no", "e1", "a1", "a2", "b1", "b2"]),
        (["d"], ["no"]),
        (["c", "x"], []),
    ],
)
def test_recipes_of_targets_and_their_prerequisites(
    targets: list[str], expected: list[str]
) -> None:
    assert sorted(Makefile(RULES).list_recipes(targets)) == sorted(expected)


TASKS = """\
a:
  one
  a: two
b: three
[testenv:a]
four =
  five
[six]
def a(c):
    seven
"quoted" = eight
[x.a
async def eight():
    nine
no definition
"""


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a"], ["a:\n  one\n  a: two", "[testenv:a]\nfour =\n  five", "def a(c):\n    seven"]),
        (["b", "quoted"], ["b: three", '"quoted" = eight']),
        (["four", "six"], ["four =\n  five", '[six]\ndef a(c):\n    seven\n"quoted" = eight']),
        (["eight"], ["async def eight():\n    nine"]),
        (["no", "x"], []),
    ],
)
def test_definitions_of_tasks(names: list[str], expected: list[str]) -> None:
    assert [text.rstrip() for text in TaskFile(TASKS).list_definitions(names)] == expected
