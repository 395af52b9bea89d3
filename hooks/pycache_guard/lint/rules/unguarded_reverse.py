"""PYC435: `source_from_cache` raises `ValueError` for many bytecode paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.context import is_caught
from pycache_guard.lint.module import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC435
FIX_HINT = "catch ValueError"
TRIGGER_WORDS = (("source_from_cache",),)

REVERSE = frozenset(
    {"importlib.util.source_from_cache", "importlib._bootstrap_external.source_from_cache"}
)
CAUGHT = ("ValueError", "Exception", "BaseException")


def check(module: Module) -> Iterator[Violation]:
    """Find calls around which nothing catches `ValueError`."""
    for call in module.calls(REVERSE):
        if not is_caught(module, call, CAUGHT):
            yield Violation(
                call,
                "source_from_cache raises ValueError for bytecode outside __pycache__"
                " and for sources with a dot in their name, and nothing catches it here",
            )
