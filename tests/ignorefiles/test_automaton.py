"""Against `re`, which backtracks, on texts short enough for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.ignorefiles import automaton
from pycache_guard.ignorefiles.automaton import ANY
from pycache_guard.ignorefiles.automaton import ANYTHING
from pycache_guard.ignorefiles.automaton import Automaton
from pycache_guard.ignorefiles.automaton import Chars
from pycache_guard.ignorefiles.automaton import Step

A, SLASH = Chars((("a", "a"),)), Chars((("/", "/"),))
NOT_A_TO_C = Chars((("a", "c"), ("/", "/")), negated=True)

#: Each with what `re` calls the same.
PIECES: list[tuple[list[Step], str]] = [
    ([Step(A)], "a"),
    ([Step(SLASH)], "/"),
    ([Step(NOT_A_TO_C)], "[^a-c/]"),
    ([Step(NOT_A_TO_C, repeated=True)], "[^a-c/]*"),
    ([Step(ANY, repeated=True)], ".*"),
    ([Step(ANYTHING)], r"[\s\S]"),
    ([Step(None, optional=2), Step(ANY, repeated=True), Step(SLASH)], "(?:.*/)?"),
    ([Step(None, at_start=True)], "^"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.text("abd/\n", max_size=8))
def test_the_same_as_re(pieces: list[tuple[list[Step], str]], text: str) -> None:
    steps = [step for found, _ in pieces for step in found]
    expected = re.fullmatch("".join(source for _, source in pieces), text) is not None
    assert Automaton(steps).matches(text) == expected


def test_no_text_takes_years() -> None:
    steps = [Step(ANY, repeated=True), Step(A)] * 50 + [Step(SLASH)]
    assert not Automaton(steps).matches("a" * 4000)
    assert Automaton(steps).matches("a" * 4000 + "/")


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "_REMEMBERED", 2)
    matcher = Automaton([Step(A), Step(SLASH), Step(A), Step(SLASH)])
    assert [matcher.matches(text) for text in ("a/a/", "a/a", "a/a/", "/")] == [1, 0, 1, 0]
