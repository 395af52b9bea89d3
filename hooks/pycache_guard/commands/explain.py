"""`pycache-guard explain CODE`: print the page of a rule, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.commands import print_safely
from pycache_guard.commands._arguments import Parser, non_empty
from pycache_guard.config import suggest_rule
from pycache_guard.errors import Failure
from pycache_guard.findings import Rule
from pycache_guard.rule_pages import read_page, render_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "explain"
SUMMARY = "print the page of a rule, or list the rules"
EXAMPLE = "pycache-guard explain PYC001"
DOCS_PAGE = "commands.md"
POSITIONALS = "[CODE]"
EXIT_CODES = ("success", "not used", "error")


def main(argv: Sequence[str]) -> int:
    """Return 0. Raises `Failure` for an unknown rule."""
    parser = Parser(NAME, "Print the page of a rule. Without a code, list all rules.")
    parser.add_argument(
        "code",
        metavar="CODE",
        nargs="?",
        type=non_empty,
        help="code or name of a rule: PYC001, pyc001, bytecode-path",
    )
    word = parser.parse(argv).code
    if word is None:
        print_safely(list_rules())
        return 0
    rule = find_rule(word)
    print_safely(f"{render_plain(read_page(rule))}\nMore: {rule.docs_url}\n")
    return 0


def find_rule(word: str) -> Rule:
    """Return the rule with the code or the name `word`, in any case. Raises `Failure`."""
    words: dict[str, Rule] = {rule.name.lower(): rule for rule in Rule}
    words.update({rule.value: rule for rule in Rule})
    rule = words.get(word.lower().replace("_", "-"))
    if rule is None:
        raise Failure(f"{word!r} is not a rule{suggest_rule(word)} (see `pycache-guard explain`)")
    return rule


def list_rules() -> str:
    """Return a line for each rule: code, name, summary."""
    width = max(len(rule.value) for rule in Rule)
    return "".join(f"{rule.name}  {rule.value:{width}}  {rule.summary}\n" for rule in Rule)
