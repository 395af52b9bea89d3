"""Against `re`, which backtracks, on texts short enough for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.dockerignore import patterns
from pycache_guard.dockerignore.patterns import ANY, ANYTHING, CharClass, Nfa, State

if TYPE_CHECKING:
    import pytest

A, SLASH = CharClass((("a", "a"),)), CharClass((("/", "/"),))
NOT_A_TO_C = CharClass((("a", "c"), ("/", "/")), negated=True)

#: Each with what `re` calls the same.
PIECES: list[tuple[list[State], str]] = [
    ([State(A)], "a"),
    ([State(SLASH)], "/"),
    ([State(NOT_A_TO_C)], "[^a-c/]"),
    ([State(NOT_A_TO_C, repeated=True)], "[^a-c/]*"),
    ([State(ANY, repeated=True)], ".*"),
    ([State(ANYTHING)], r"[\s\S]"),
    ([State(None, optional=2), State(ANY, repeated=True), State(SLASH)], "(?:.*/)?"),
    ([State(None, at_start=True)], "^"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.text("abd/\n", max_size=8))
def test_nfa_agrees_with_re(pieces: list[tuple[list[State], str]], text: str) -> None:
    steps = [step for found, _ in pieces for step in found]
    expected = re.fullmatch("".join(source for _, source in pieces), text) is not None
    assert Nfa(steps).matches(text) == expected


def test_nfa_takes_linear_time() -> None:
    steps = [State(ANY, repeated=True), State(A)] * 50 + [State(SLASH)]
    assert not Nfa(steps).matches("a" * 4000)
    assert Nfa(steps).matches("a" * 4000 + "/")


def test_nfa_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "MAX_CACHED_ROWS", 2)
    matcher = Nfa([State(A), State(SLASH), State(A), State(SLASH)])
    assert [matcher.matches(text) for text in ("a/a/", "a/a", "a/a/", "/")] == [1, 0, 1, 0]
