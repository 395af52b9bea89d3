"""The rules, one a file: its `RULE`, how to mend it, what a source must hold for it to find anything.

4 0x: bytecode is run · 4 1x: it is made · 4 2x: it is switched · 4 3x: it is found.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from typing import Protocol

    from pycache_guard.findings import Rule
    from pycache_guard.lint.module import Module
    from pycache_guard.lint.violation import Violation

    class Check(Protocol):
        """A module of this package."""

        RULE: Rule
        #: How to mend what was found, in a few words.
        FIX_HINT: str
        #: One of them stands in every source in which there is something to find.
        TRIGGER_WORDS: tuple[str, ...]
        check: Callable[[Module], Iterator[Violation]]


NAMES = (
    "skipped_header",
    "unmarshalled_code",
    "sourceless_loader",
    "bytecode_import",
    "bytecode_process",
    "unchecked_hash_mode",
    "sourceless_output",
    "unheeded_compilation",
    "kept_mode",
    "global_switch",
    "late_environment",
    "handmade_cache_path",
    "cache_deletion",
    "removed_interface",
    "source_by_suffix",
    "unguarded_reverse",
    "cached_attribute",
)

CHECKS: tuple[Check, ...] = tuple(import_module(f"{__name__}.{name}") for name in NAMES)
