"""Reviewdog Diagnostic Format, one `DiagnosticResult`, for `reviewdog -f=rdjson`.

Source: https://github.com/reviewdog/reviewdog/blob/master/proto/rdf/reviewdog.proto .
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pycache_guard.findings import DOCS_URL
from pycache_guard.report.escape import escape_surrogates, quiet_json

if TYPE_CHECKING:
    from pycache_guard.findings import Finding

#: A value of the enumeration `Severity`.
SEVERITY = "ERROR"


def render(findings: list[Finding], command: str) -> str:
    """Return one object with all findings, ASCII only."""
    result = {
        "source": {"name": "pycache-guard", "url": DOCS_URL},
        "severity": SEVERITY,
        "diagnostics": [finding_to_diagnostic(finding) for finding in findings],
    }
    return quiet_json(json.dumps(result, indent=2)) + "\n"


def finding_to_diagnostic(finding: Finding) -> dict[str, object]:
    """Return one `Diagnostic`. A finding without a file gets the directory `.` as its place."""
    remedy = f"\nTo fix: {finding.instruction}" if finding.instruction else ""
    location: dict[str, object] = {"path": escape_surrogates(finding.path or ".")}
    if finding.line is not None:
        location["range"] = line_range(finding.line, finding.end_line)
    return {
        "message": escape_surrogates(finding.message + remedy),
        "location": location,
        "severity": SEVERITY,
        "code": {"value": finding.rule.name, "url": finding.rule.docs_url},
    }


def line_range(line: int, end_line: int | None) -> dict[str, object]:
    """Return a `Range` of whole lines, `end_line` included.

    It has no columns: reviewdog counts them in UTF-8 bytes and findings in characters, and the text
    of the line is not known here.
    """
    return {"start": {"line": line}, "end": {"line": end_line or line}}
