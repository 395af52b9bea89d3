"""JSON, version 1. New keys may be added; the meaning of a key never changes."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

from pycache_guard.report.escape import escape_surrogates, is_utf8, quiet_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycache_guard.findings import Finding
    from pycache_guard.report import Summary


def render(
    findings: list[Finding],
    command: str,
    details: Mapping[str, object] | None = None,
    summary: Summary | None = None,
) -> str:
    """Return one object with all findings and a command's own `details`, ASCII only."""
    report: dict[str, object] = {
        "version": 1,
        "command": command,
        "checked": summary.checked if summary else None,
        "notes": [escape_surrogates(note) for note in summary.notes] if summary else [],
        "findings": [finding_to_dict(f) for f in findings],
    }
    return quiet_json(json.dumps({**report, **(details or {})}, indent=2)) + "\n"


def finding_to_dict(finding: Finding) -> dict[str, object]:
    """Return a finding with every key, `None` where it does not apply."""
    remedy = finding.instruction
    return {
        "code": finding.rule.name,
        "rule": finding.rule.value,
        "url": finding.rule.docs_url,
        **path_fields(finding.path),
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "commit": finding.commit,
        "blob": finding.blob,
        "size": finding.size,
        "count": finding.commit_count,
        "message": escape_surrogates(finding.message),
        "fixed": finding.is_fixed,
        "remedy": None if remedy is None else escape_surrogates(remedy),
    }


def path_fields(path: str | None) -> dict[str, str | None]:
    """Return the two keys of a path."""
    if path is None:
        return {"path": None, "path_base64": None}
    odd = not is_utf8(path)
    whole = base64.b64encode(os.fsencode(path)).decode("ascii") if odd else None
    return {"path": escape_surrogates(path), "path_base64": whole}


def escape_strings(value: object) -> object:
    r"""Return `value` with undecodable bytes as `\xNN` in every string that it holds."""
    if isinstance(value, str):
        return escape_surrogates(value)
    if isinstance(value, dict):
        return {key: escape_strings(item) for key, item in value.items()}
    return value
