from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lint.tables import TABLES, of
from pycache_guard.findings import Rule
from pycache_guard.lint import lint_source
from pycache_guard.lint.rules import CHECKS
from pycache_guard.lint.triggers import checks_for

if TYPE_CHECKING:
    from pycache_guard.lint.rules import Check

CASES = [
    pytest.param(source, codes, id=f"{rule}-{n}")
    for rule, table in TABLES.items()
    for n, (source, codes) in enumerate(table)
]


@pytest.mark.parametrize(("source", "codes"), CASES)
def test_source_has_exactly_these_codes(source: str, codes: list[str]) -> None:
    text, path = of(source)
    found = lint_source(text.encode(), path)
    assert [finding.rule.name for finding in found] == codes
    assert {finding.path for finding in found} <= {path}


def test_rule_has_true_and_false_positives_in_the_tables() -> None:
    lint_rules = {rule.name for rule in Rule if rule.name.startswith("PYC4")}
    assert {check.RULE.name for check in CHECKS} == lint_rules == TABLES.keys()
    for rule, table in TABLES.items():
        assert any(rule in codes for _, codes in table)
        assert any(codes == [] for _, codes in table)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.RULE.name)
def test_source_with_a_finding_has_trigger_words(check: Check) -> None:
    """The words are what lets nearly every file pass unread: none may be missing."""
    rule = check.RULE.name
    for source, codes in TABLES[rule]:
        if rule in codes:
            assert checks_for(source, [check]) == [check]
