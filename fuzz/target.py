"""What is fed, and what with."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Target(NamedTuple):
    """One function for any bytes."""

    #: Returns in a word how far it went. Anything that it raises is a finding.
    run: Callable[[bytes], str]
    #: Inputs to start from, smallest first.
    seeds: Callable[[], list[bytes]]
    #: What such inputs are made of: bytes at random would hardly come by it.
    tokens: tuple[bytes, ...] = ()
