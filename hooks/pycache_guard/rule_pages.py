"""Pages of the rules as plain text, for `pycache-guard explain`.

A wheel has the pages in `pages/` of this package. An editable installation reads those of the
checkout, docs/rules/. The few Markdown constructs of these pages are converted here: a Markdown
library would be a run-time dependency for one command.
"""

from __future__ import annotations

import os
import re
import textwrap
from typing import TYPE_CHECKING

from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.findings import Rule

COLUMNS = 80
_PACKAGE = os.path.dirname(os.path.abspath(__file__))
#: Directories that can have the pages, the first that exists counts.
DIRECTORIES = (
    os.path.join(_PACKAGE, "pages"),
    os.path.join(os.path.dirname(os.path.dirname(_PACKAGE)), "docs", "rules"),
)

_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)\)")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})([^\s*](?:[^*]*[^\s*])?)\1(?![\w*])")
_ITEM = re.compile(r"(?:[-*]|\d+\.) ")


def read_page(rule: Rule) -> str:
    """Return the page of `rule` in Markdown. Raises `Failure` if this installation has no pages."""
    for directory in DIRECTORIES:
        try:
            with open(os.path.join(directory, f"{rule.name}.md"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            continue
    raise Failure(f"this installation has no pages of rules; see {rule.docs_url}")


def render_plain(markdown: str) -> str:
    """Return Markdown as plain text of at most 80 columns; code blocks and tables keep their lines."""
    return "".join(f"{line}\n" for line in _render_lines(markdown))


def _render_lines(markdown: str) -> Iterator[str]:
    """Yield the lines of the plain text."""
    paragraph: list[str] = []
    in_code = False
    for line in markdown.splitlines():
        is_fence = line.lstrip().startswith("```")
        starts_block = _ITEM.match(line) is not None
        if in_code or is_fence or starts_block or not line or line.startswith(("#", "|")):
            yield from _fill(paragraph)
            paragraph = []
        if is_fence:
            in_code = not in_code
        elif in_code:
            yield f"    {line}".rstrip()
        elif line.startswith("#"):
            yield line.lstrip("# ")
        elif line.startswith("|"):
            yield _plain_words(line)
        elif line:
            paragraph.append(line)
        else:
            yield ""
    yield from _fill(paragraph)


def _fill(lines: list[str]) -> list[str]:
    """Return the lines of a paragraph or of a list item, wrapped."""
    text = _plain_words(" ".join(line.strip() for line in lines))
    item = _ITEM.match(text)
    return textwrap.wrap(
        text,
        COLUMNS,
        subsequent_indent=" " * len(item.group()) if item else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain_words(text: str) -> str:
    """Return text without emphasis and link targets; an address on the web stays, in parentheses."""

    def show_link(found: re.Match[str]) -> str:
        label, target = found.groups()
        is_address = target.startswith("https://") and target != label
        return f"{label} ({target})" if is_address else label

    parts = re.split(r"(`[^`]*`)", _LINK.sub(show_link, text))  # code spans have odd numbers
    return "".join(part if n % 2 else _EMPHASIS.sub(r"\2", part) for n, part in enumerate(parts))
