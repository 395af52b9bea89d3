"""SARIF reports against the schema of OASIS; `sarif-2.1.0.json` is the copy of schemastore.org."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pycache_guard.findings import Finding, Rule
from pycache_guard.report import render
from report.samples import ALL

URL = "https://json.schemastore.org/sarif-2.1.0.json"


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_bytes())


@pytest.mark.parametrize("found", [[], ALL], ids=["nothing", "all"])
def test_sarif_is_valid(schema: Any, found: list[Finding]) -> None:
    text = render(found, "forbid-bytecode", "sarif")
    assert text.isascii()
    log = json.loads(text)
    assert log["$schema"] == URL
    jsonschema.Draft7Validator(schema).validate(log)


def test_sarif_schema_refuses_an_unknown_level(schema: Any) -> None:
    log = json.loads(render(ALL, "forbid-bytecode", "sarif"))
    log["runs"][0]["results"][0]["level"] = "loud"
    assert not jsonschema.Draft7Validator(schema).is_valid(log)


def test_sarif_results_have_rule_place_and_message() -> None:
    (run,) = json.loads(render(ALL, "forbid-bytecode", "sarif"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.name for rule in Rule]
    assert [rule["helpUri"] for rule in rules] == [rule.docs_url for rule in Rule]
    assert run["automationDetails"]["id"] == "pycache-guard/forbid-bytecode/"
    for finding, result in zip(ALL, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule.name
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == [
        "a.pyc",
        "p%20q.toml",
        # Windows has no such names: there the byte is a surrogate, which is written as UTF-8.
        f"{'%ED%B3%BF' if sys.platform == 'win32' else '%FF'}%2C%3A%25%0A%0D/x%20y.pyc",
        ".",
    ]
    assert [place["region"] for place in places] == [
        {"startLine": 1},
        {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9},
        {"startLine": 1},
        {"startLine": 1},
    ]
    assert run["results"][0]["message"]["text"] == "bytecode is tracked\nTo fix: git rm a.pyc"
