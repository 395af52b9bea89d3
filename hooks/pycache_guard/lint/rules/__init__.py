"""Import the lint rules, one per module, each with its `RULE`, `FIX_HINT`, `TRIGGER_WORDS` and `check`.

The codes: PYC40x bytecode is run, PYC41x it is written, PYC42x caching is switched, PYC43x its path
is computed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from pycache_guard.lint.module import Module, Violation

    class Check(Protocol):
        """A module of this package."""

        RULE: Rule
        #: How to fix a finding, in a few words.
        FIX_HINT: str
        #: Every source with a finding contains a word of each group; see `lint.triggers`.
        TRIGGER_WORDS: tuple[tuple[str, ...], ...]
        check: Callable[[Module], Iterator[Violation]]


#: A rule's module has the rule's name: `kept-mode` is in `kept_mode.py`.
NAMES = tuple(rule.value.replace("-", "_") for rule in Rule if rule.name.startswith("PYC4"))

CHECKS: tuple[Check, ...] = tuple(import_module(f"{__name__}.{name}") for name in NAMES)
