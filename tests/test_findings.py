from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.runners import ROOT
from pycache_guard.findings import DOCS_URL, Finding, Rule, sort_findings


def test_names_of_rules_are_unique_and_well_formed() -> None:
    assert all(re.fullmatch(r"PYC[0-9]{3}", rule.name) for rule in Rule)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.value) for rule in Rule)
    assert len({rule.value for rule in Rule}) == len(Rule.__members__)


@pytest.mark.parametrize("rule", Rule)
def test_rule_page_begins_with_the_summary(rule: Rule) -> None:
    page = (ROOT / "docs" / rule.docs_url.removeprefix(f"{DOCS_URL}/")).read_text(encoding="utf-8")
    heading, summary = page.split("\n\n")[:2]
    assert heading == f"# {rule.name} {rule.value}"
    assert summary == rule.summary


def finding(path: str | None, rule: Rule, line: int | None, commit: str | None) -> Finding:
    return Finding(path, rule, "m", line=line, column=line, commit=commit)


TEXT = st.none() | st.sampled_from(["a", "b", "\udcff"])
FINDINGS = st.builds(
    finding, TEXT, st.sampled_from(Rule), st.none() | st.integers(1, 3), st.none() | st.just("c")
)


@given(
    st.lists(FINDINGS, max_size=6).flatmap(lambda fs: st.tuples(st.just(fs), st.permutations(fs)))
)
def test_sort_findings_does_not_depend_on_the_given_order(
    orders: tuple[list[Finding], list[Finding]],
) -> None:
    found, mixed = orders
    assert sort_findings(found) == sort_findings(mixed)


def test_sort_findings_orders_by_place_and_code() -> None:
    first = Finding(None, Rule.PYC003, "m")
    a = Finding("a", Rule.PYC002, "m", line=2)
    b = Finding("a", Rule.PYC001, "m", line=2, column=1)
    c = Finding("a", Rule.PYC001, "m", line=10)
    assert sort_findings([c, b, a, first]) == [first, a, b, c]
