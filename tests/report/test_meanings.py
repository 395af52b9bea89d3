from __future__ import annotations

import pytest

from pycache_guard.findings import DOCUMENTATION
from pycache_guard.findings import Rule
from pycache_guard.report.meanings import MEANINGS
from runners import ROOT


def test_every_rule_means_something() -> None:
    assert list(MEANINGS) == [rule.name for rule in Rule]


@pytest.mark.parametrize("rule", Rule)
def test_a_meaning_is_what_the_page_begins_with(rule: Rule) -> None:
    page = ROOT / "docs" / rule.page.removeprefix(f"{DOCUMENTATION}/")
    assert page.read_text(encoding="utf-8").split("\n\n")[1] == MEANINGS[rule.name]
