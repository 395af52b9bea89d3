"""PYC405: Python is started with a bytecode file as its script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation
from pycache_guard.lint.paths import BYTECODE, BYTECODE_WORDS
from pycache_guard.lint.processes import COMMAND_WORDS, find_commands, script_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC405
FIX_HINT = "run the source, `python x.py`, or the module, `python -m x`"
TRIGGER_WORDS = (BYTECODE_WORDS, COMMAND_WORDS)


def check(module: Module) -> Iterator[Violation]:
    """Find `subprocess.run([sys.executable, "x.pyc"])` and its like."""
    for call, words in find_commands(module):
        script = script_arguments(words)
        if script and script[0].lower().endswith(BYTECODE):
            yield Violation(
                call,
                "bytecode is run as a script: the source is not checked, and only one Python version can run it",
            )
