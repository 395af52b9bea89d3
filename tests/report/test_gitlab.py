from __future__ import annotations

import json

from pycache_guard.findings import Rule
from pycache_guard.report import render
from report.samples import ALL


def test_gitlab_without_findings_is_an_empty_array() -> None:
    assert render([], "forbid-bytecode", "gitlab") == "[]\n"


def test_gitlab_issue_has_every_required_key() -> None:
    """The keys and their types are those of GitLab's page on Code Quality reports."""
    text = render(ALL, "forbid-bytecode", "gitlab")
    assert text.isascii()
    issues = json.loads(text)
    for issue in issues:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["location"]["path"]
        assert not issue["location"]["path"].startswith("./")
    assert len({issue["fingerprint"] for issue in issues}) == len(ALL)
    assert issues[0]["description"] == (
        f"PYC001 bytecode is tracked To fix: git rm a.pyc About: {Rule.PYC001.docs_url}"
    )
    assert issues[1]["location"] == {"path": "p q.toml", "lines": {"begin": 3}}
    assert issues[3]["description"] == f"PYC003 no file About: {Rule.PYC003.docs_url}"


def test_gitlab_fingerprint_is_stable() -> None:
    assert render(ALL, "forbid-bytecode", "gitlab") == render(ALL, "forbid-bytecode", "gitlab")
