"""rdjson against the messages of reviewdog.proto: no unknown key, every type as there."""

from __future__ import annotations

import json

import jsonschema
import pytest

from pycache_guard.findings import DOCS_URL, Finding, Rule
from pycache_guard.report import render
from report.samples import ALL


def message(required: tuple[str, ...], **fields: object) -> dict[str, object]:
    """Return the schema of a protobuf message in JSON: unknown keys are errors."""
    return {
        "type": "object",
        "required": [*required],
        "properties": fields,
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 1}
SEVERITY = {"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]}
POSITION = message(("line",), line=NUMBER, column=NUMBER)
RANGE = message(("start",), start=POSITION, end=POSITION)
SOURCE = message(("name",), name=TEXT, url=TEXT)
CODE = message(("value",), value=TEXT, url=TEXT)
LOCATION = message(("path",), path={"type": "string", "minLength": 1}, range=RANGE)
DIAGNOSTIC = message(
    ("message", "location"),
    message=TEXT,
    location=LOCATION,
    severity=SEVERITY,
    source=SOURCE,
    code=CODE,
    suggestions={"type": "array"},
    original_output=TEXT,
)
RESULT = message(
    ("diagnostics",),
    diagnostics={"type": "array", "items": DIAGNOSTIC},
    source=SOURCE,
    severity=SEVERITY,
)


@pytest.mark.parametrize("findings", [[], ALL], ids=["nothing", "all"])
def test_rdjson_is_valid(findings: list[Finding]) -> None:
    text = render(findings, "forbid-bytecode", "rdjson")
    assert text.isascii()
    assert text.endswith("}\n")
    jsonschema.Draft202012Validator(RESULT).validate(json.loads(text))


def test_rdjson_values() -> None:
    result = json.loads(render(ALL, "forbid-bytecode", "rdjson"))
    assert result["source"] == {"name": "pycache-guard", "url": DOCS_URL}
    plain, placed, odd, nowhere = result["diagnostics"]
    assert plain == {
        "message": "bytecode is tracked\nTo fix: git rm a.pyc",
        "location": {"path": "a.pyc"},
        "severity": "ERROR",
        "code": {"value": "PYC001", "url": Rule.PYC001.docs_url},
    }
    assert placed["location"] == {
        "path": "p q.toml",
        "range": {"start": {"line": 3}, "end": {"line": 3}},
    }
    assert odd["location"] == {"path": "\\xff,:%\n\r/x y.pyc"}
    assert nowhere["message"] == "no file"
    assert nowhere["location"] == {"path": "."}


@pytest.mark.parametrize(("end", "expected"), [(None, 5), (5, 5), (8, 8)])
def test_rdjson_range_includes_the_last_line(end: int | None, expected: int) -> None:
    finding = Finding("a.py", Rule.PYC401, "m", line=5, column=2, end_line=end)
    (diagnostic,) = json.loads(render([finding], "lint", "rdjson"))["diagnostics"]
    assert diagnostic["location"]["range"] == {"start": {"line": 5}, "end": {"line": expected}}
