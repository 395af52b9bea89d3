"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ ."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from pycache_guard import __version__
from pycache_guard.findings import DOCS_URL, Rule
from pycache_guard.report.escape import escape_surrogates, quiet_json

if TYPE_CHECKING:
    from pycache_guard.findings import Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(findings: list[Finding], command: str) -> str:
    """Return a log with one run. It lists every rule, so that alerts can close."""
    run = {
        "tool": {
            "driver": {
                "name": "pycache-guard",
                "semanticVersion": __version__,
                "informationUri": DOCS_URL,
                "rules": [rule_to_dict(rule) for rule in Rule],
            }
        },
        "automationDetails": {"id": f"pycache-guard/{command}/"},
        "results": [finding_to_result(finding) for finding in findings],
    }
    return (
        quiet_json(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2))
        + "\n"
    )


def rule_to_dict(rule: Rule) -> dict[str, object]:
    """Return a rule with the texts that code scanning shows next to an alert."""
    return {
        "id": rule.name,
        "name": rule.value,
        "shortDescription": {"text": rule.value},
        "fullDescription": {"text": rule.summary},
        "help": {
            "text": f"{rule.summary} {rule.docs_url}",
            "markdown": f"{rule.summary} [More]({rule.docs_url})",
        },
        "helpUri": rule.docs_url,
    }


def finding_to_result(finding: Finding) -> dict[str, object]:
    """Return one result, always with a location: code scanning rejects a result without one."""
    remedy = f"\nTo fix: {finding.instruction}" if finding.instruction else ""
    return {
        "ruleId": finding.rule.name,
        "ruleIndex": list(Rule).index(finding.rule),
        "level": "error",
        "message": {"text": escape_surrogates(finding.message + remedy)},
        "locations": [{"physicalLocation": format_location(finding)}],
    }


def format_location(finding: Finding) -> dict[str, object]:
    """Return file and region; the URI has exactly the bytes of the path, percent-encoded (RFC 3986)."""
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
    }
    uri = quote(os.fsencode(finding.path or "."))
    return {
        "artifactLocation": {"uri": uri},
        "region": {key: value for key, value in region.items() if value is not None}
        or {"startLine": 1},
    }
