"""Pages, messages and help texts are in plain English: the words below stay out of them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from helpers.runners import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Words that readers stumble over, and what to write instead.
REPLACEMENTS = {
    r"mend(?:s|ed|ing)?": "fix",
    r"told": "reported, printed, known",
    r"judg(?:e|es|ed|ing)": "check",
    r"heed(?:s|ed|ing)?": "handle, honour",
    r"befall(?:s|en)?|befell": "happen",
    r"anew": "again",
    r"lest": "so that … not",
    r"but for": "except",
    r"all the same": "anyway, still",
    r"whoever": "anyone who",
    r"meanwhile": "in the meantime, at the same time",
    r"beside": "next to, in addition to",
    r"(?<!there )(?:is|are) no(?:ne)?": "is not a …",
    r"of the very|that very|its very": "exactly that",
    r"a python\b(?! \w)|pythons": "a Python interpreter, Python versions",
    r"bytecode's": "bytecode (as an attribute), of the bytecode",
}
WORST = re.compile(rf"\b(?:{'|'.join(REPLACEMENTS)})\b", re.IGNORECASE)

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "tests" / "faults" / "README.md",
    ROOT / ".pre-commit-hooks.yaml",
]


def find_worst_words(text: str) -> list[str]:
    """Return the words of `text` that have a plainer replacement."""
    return [found.group() for found in WORST.finditer(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("To mend: told whoever", ["mend", "told", "whoever"]),
        ("nothing but for\nthis", ["but for"]),
        ("Heeds what is no finding; there is no file", ["Heeds", "is no"]),
        ("amended, besides, unheeded-compilation, test_nothing_was_judged", []),
        ("a Python interpreter of several Python versions", []),
    ],
)
def test_wording_words_are_found_whole(text: str, words: list[str]) -> None:
    assert find_worst_words(text) == words


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_wording_of_a_page_is_plain(page: Path) -> None:
    lines = page.read_text("utf-8").splitlines()
    found = {n: words for n, line in enumerate(lines, 1) if (words := find_worst_words(line))}
    assert found == {}


#: Worst words in the string literals of hooks/ that are not docstrings. It must only become smaller.
MAX_WORST_WORDS_IN_MESSAGES = 0


def find_messages(source: str) -> Iterator[str]:
    """Yield the string literals of a Python source that are not docstrings."""
    tree = ast.parse(source)
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, owners)]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    for node in constants:
        if isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_wording_messages_are_the_strings_that_are_not_docstrings() -> None:
    source = '"""Told."""\ndef f(x):\n    """Told."""\n    return f"mend {x}" + "told"\n'
    assert sorted(find_messages(source)) == ["mend ", "told"]


def test_wording_of_messages_is_plain() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word} in {text!r}"
        for path in sorted((ROOT / "hooks").rglob("*.py"))
        for text in find_messages(path.read_text("utf-8"))
        for word in find_worst_words(text)
    ]
    assert len(found) <= MAX_WORST_WORDS_IN_MESSAGES, "\n".join(found)
