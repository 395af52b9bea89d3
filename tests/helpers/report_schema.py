"""Validation of JSON reports against the published schema, for every run of the tests."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pycache_guard.schemas import load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_json_report(argv: Sequence[str], out: str) -> bool:
    """Return whether a run with the arguments `argv` has printed a JSON report."""
    words = [*argv]
    asks = "--format=json" in words or ("--format", "json") in pairwise(words)
    return asks and out != ""


def validate_report(out: str) -> None:
    """Raise `ValidationError` or `AssertionError` for a report that does not match the schema.

    The schema allows unknown keys in findings, because new ones may be added; the tests do not.
    """
    report = json.loads(out)
    load_validator().validate(report)
    known = load_schema("report")["properties"]["findings"]["items"]["properties"].keys()
    for finding in report["findings"]:
        assert finding.keys() == known


@cache
def load_validator() -> Any:
    """Return a validator of reports. jsonschema is imported only here: few tests need it."""
    from jsonschema import Draft7Validator

    return Draft7Validator(load_schema("report"))
