"""PYC412: bytecode is written that replaces its source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pycache_guard.findings import Rule
from pycache_guard.lint.module import Violation, find_argument, find_receiver
from pycache_guard.lint.processes import find_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.lint.module import Module

RULE = Rule.PYC412
FIX_HINT = "omit `legacy` (`-b`), and ship the sources"
TRIGGER_WORDS = (("compileall", "PyZipFile"),)

#: Position of `legacy` among the arguments (Lib/compileall.py).
LEGACY = {"compileall.compile_dir": 6, "compileall.compile_file": 5, "compileall.compile_path": 4}
MESSAGE = "bytecode is written in its source's place, where it is imported once the source is gone"


def check(module: Module) -> Iterator[Violation]:
    """Find `compileall.compile_dir(…, legacy=True)`, `python -m compileall -b` and `PyZipFile.writepy`."""
    for call in module.calls(LEGACY):
        for origin in sorted(module.qualified_names(call.func) & LEGACY.keys())[:1]:
            legacy = find_argument(call, LEGACY[origin], "legacy")
            if isinstance(legacy, ast.Constant) and legacy.value:
                yield Violation(call, MESSAGE)
    for call, words in find_commands(module):
        if "compileall" in words and "-b" in words[words.index("compileall") :]:
            yield Violation(call, MESSAGE)
    for call in module.all(ast.Call):
        archive = find_receiver(call, {"writepy"})
        if archive and module.is_call(module.value(archive), {"zipfile.PyZipFile"}):
            yield Violation(
                call,
                "the archive gets bytecode only, so it runs on one Python version"
                " and cannot be reviewed",
            )
