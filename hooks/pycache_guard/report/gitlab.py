"""GitLab: a Code Quality report, https://docs.gitlab.com/ci/testing/code_quality/ ."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pycache_guard.report.escape import escape_surrogates, quiet_json

if TYPE_CHECKING:
    from pycache_guard.findings import Finding


def render(findings: list[Finding], command: str) -> str:
    """Return the report: an array, ASCII only."""
    return (
        quiet_json(json.dumps([finding_to_issue(finding) for finding in findings], indent=2)) + "\n"
    )


def finding_to_issue(finding: Finding) -> dict[str, object]:
    """Return one issue with every key that GitLab requires, including a line."""
    remedy = f" To fix: {finding.instruction}" if finding.instruction else ""
    return {
        "description": escape_surrogates(
            f"{finding.rule.name} {finding.message}{remedy} About: {finding.rule.docs_url}"
        ),
        "check_name": finding.rule.name,
        "fingerprint": fingerprint(finding),
        "severity": "major",
        "location": {
            "path": escape_surrogates(finding.path or "."),
            "lines": {"begin": finding.line or 1},
        },
    }


def fingerprint(finding: Finding) -> str:
    """Return an identifier of this finding that is the same in every run."""
    parts = (finding.rule.name, finding.path, finding.line, finding.commit, finding.message)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
