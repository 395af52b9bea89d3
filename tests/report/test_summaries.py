from __future__ import annotations

import pytest

from helpers.runners import ROOT
from pycache_guard.findings import DOCS_URL
from pycache_guard.findings import Rule
from pycache_guard.report.meanings import MEANINGS


def test_every_rule_means_something() -> None:
    assert list(MEANINGS) == [rule.name for rule in Rule]


@pytest.mark.parametrize("rule", Rule)
def test_a_meaning_is_what_the_page_begins_with(rule: Rule) -> None:
    page = ROOT / "docs" / rule.docs_url.removeprefix(f"{DOCS_URL}/")
    assert page.read_text(encoding="utf-8").split("\n\n")[1] == MEANINGS[rule.name]
