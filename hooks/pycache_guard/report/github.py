"""GitHub Actions: workflow commands, shown as annotations at the place.

The escapes are those of the runner's own toolkit (actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.report.escape import escape_text

if TYPE_CHECKING:
    from pycache_guard.findings import Finding


def render(findings: list[Finding], command: str) -> str:
    """Return one `::error` line per finding."""
    return "".join(f"::error {format_properties(f)}::{format_message(f)}\n" for f in findings)


def format_properties(finding: Finding) -> str:
    """Return `file=…,line=…,title=…`, leaving out what does not apply."""
    values = {
        "file": finding.path,
        "line": finding.line,
        "col": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
        "title": f"{finding.rule.name} {finding.rule.value}",
    }
    return ",".join(
        f"{key}={escape_data(str(value)).replace(':', '%3A').replace(',', '%2C')}"
        for key, value in values.items()
        if value is not None
    )


def format_message(finding: Finding) -> str:
    """Return the message, the fix and the address of the rule page, as one escaped line."""
    remedy = f"\nTo fix: {finding.instruction}" if finding.instruction else ""
    return escape_data(f"{finding.message}{remedy}\nAbout: {finding.rule.docs_url}")


def escape_data(text: str) -> str:
    """Escape the text of a workflow command; other control characters are shown as escapes."""
    lines = text.replace("%", "%25").replace("\r", "%0D").split("\n")
    return "%0A".join(map(escape_text, lines))
