"""A fuzz target: a function, and inputs for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Target(NamedTuple):
    """A function that takes any bytes."""

    #: Returns a word for the branch it took. Every exception is a finding.
    run: Callable[[bytes], str]
    #: Inputs to start from, smallest first.
    seeds: Callable[[], list[bytes]]
    #: Pieces of valid inputs, which random bytes would hardly produce.
    tokens: tuple[bytes, ...] = ()
