"""For programs: JSON, version 1. New keys may come; none changes its meaning."""

from __future__ import annotations

import base64
import json
import os

from pycache_guard.report.escape import decodable
from pycache_guard.report.escape import is_utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.findings import Finding


def render(findings: list[Finding], command: str) -> str:
    """Return one object with all findings, ASCII only."""
    report = {"version": 1, "command": command, "findings": [item(f) for f in findings]}
    return json.dumps(report, indent=2) + "\n"


def item(finding: Finding) -> dict[str, object]:
    """Return a finding with every key, `None` where it does not apply."""
    path = finding.path
    odd = path is not None and not is_utf8(path)
    return {
        "code": finding.rule.name,
        "rule": finding.rule.value,
        "path": None if path is None else decodable(path),
        "path_base64": base64.b64encode(os.fsencode(path or "")).decode() if odd else None,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "commit": finding.commit,
        "blob": finding.blob,
        "size": finding.size,
        "count": finding.commits,
        "message": decodable(finding.message),
        "remedy": None if finding.remedy is None else decodable(finding.remedy),
    }
