"""Python source that makes, hides or loads bytecode unsafely: rules PYC4xx.

Pure: text and trees in, findings out. Sources are parsed, never compiled or run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.findings import Finding, sort_findings
from pycache_guard.lint.module import Module
from pycache_guard.lint.rules import CHECKS
from pycache_guard.lint.source import (
    Suppressions,
    check_syntax,
    decode_source,
    lines_of,
    parse_source,
)
from pycache_guard.lint.triggers import checks_for

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

    from pycache_guard.lint.module import Violation
    from pycache_guard.lint.rules import Check


def lint_source(data: bytes, path: str) -> list[Finding]:
    """Return the findings in the source `data`, except those that a `# noqa` comment suppresses.

    `path` is for the findings, and distinguishes scripts from modules. Raises `Unparsable`.
    """
    text = decode_source(data, path)
    checks = checks_for(text, CHECKS)
    if not checks:
        check_syntax(text, path)
        return []
    lines = lines_of(text)
    findings = run_checks(checks, parse_source(text, path), lines, path)
    if not findings:
        return []
    suppressions = Suppressions(lines)
    return [f for f in findings if not suppressions.cover(f.line or 1, f.rule.name)]


def lint(tree: ast.Module, lines: Sequence[str], path: str) -> list[Finding]:
    """Return the findings in a module, in order.

    `lines` are its source's, with their ends and without a byte order mark. A source without
    trigger words of any rule is skipped: that is nearly every one.
    """
    checks = checks_for("".join(lines), CHECKS)
    return run_checks(checks, tree, lines, path) if checks else []


def run_checks(
    checks: Sequence[Check], tree: ast.Module, lines: Sequence[str], path: str
) -> list[Finding]:
    """Return what the checks find in a module, in order."""
    module = Module(tree, "".join(lines), path)
    return sort_findings(
        [to_finding(check, hit, lines, path) for check in checks for hit in check.check(module)]
    )


def to_finding(check: Check, hit: Violation, lines: Sequence[str], path: str) -> Finding:
    """Return a hit as a finding: columns from 1, in characters."""
    node = hit.node
    end_line = node.end_lineno or node.lineno
    end = node.end_col_offset or 0
    return Finding(
        path,
        check.RULE,
        hit.message,
        hint=check.FIX_HINT,
        line=node.lineno,
        column=count_characters(lines, node.lineno, node.col_offset) + 1,
        end_line=end_line,
        end_column=count_characters(lines, end_line, end) + 1,
    )


def count_characters(lines: Sequence[str], line: int, offset: int) -> int:
    """Return how many characters of a line its first `offset` bytes of UTF-8 are, as `ast` counts."""
    if line > len(lines) or lines[line - 1].isascii():
        return offset
    return len(lines[line - 1].encode("utf-8")[:offset].decode("utf-8", "ignore"))
