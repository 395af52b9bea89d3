"""Hooks of MkDocs: navigation from docs/README.md, and links that leave docs/ lead to GitHub.

https://www.mkdocs.org/user-guide/configuration/#hooks
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    #: A section is a title with a list, a page is a title with a path.
    NavigationEntry = dict[str, "str | list[NavigationEntry]"]

DOCS = Path(__file__).resolve().parents[1] / "docs"
GITHUB = "https://github.com/pycache-guard/pycache-guard/blob/main/"
#: A link to a file, and in docs/README.md a line of a list with its title.
LINK = re.compile(r"\]\(([^)\s:#]+)(#[^)\s]*)?\)")
ITEM = re.compile(r"^- \[([^]]+)\]\(([^)#]+\.md)\)")


def on_config(config: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Set the navigation."""
    config["nav"] = read_navigation((DOCS / "README.md").read_text(encoding="utf-8"))
    return config


def read_navigation(text: str) -> list[NavigationEntry]:
    """Return the sections of docs/README.md with their pages; the rules have all of theirs."""
    entries: list[NavigationEntry] = [{"Start": "README.md"}]
    pages: list[NavigationEntry] = []
    for line in text.splitlines():
        item = ITEM.match(line)
        if line.startswith("## "):
            pages = []
            entries.append({line.removeprefix("## "): pages})
        elif item and not item[2].startswith(".."):
            title = item[1].replace("`", "")
            pages.append({title: rule_pages() if item[2] == "rules/README.md" else item[2]})
    return entries


def rule_pages() -> list[NavigationEntry]:
    """Return the list of rules and the page of each."""
    pages: list[NavigationEntry] = [{"All rules": "rules/README.md"}]
    for path in sorted((DOCS / "rules").glob("PYC*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        pages.append({title: f"rules/{path.name}"})
    return pages


def on_page_markdown(markdown: str, page: object, **_: object) -> str:
    """Return a page whose links to files outside of docs/ lead to GitHub."""
    return link_to_github(markdown, str(page.file.src_uri))  # type: ignore[attr-defined]


def link_to_github(markdown: str, path: str) -> str:
    """Return the text of the page `path`, relative to docs/, with such links replaced."""
    here = posixpath.dirname(path)

    def replace(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", here, found[1]))
        if target.startswith("docs/"):
            return found[0]
        return f"]({GITHUB}{target}{found[2] or ''})"

    return LINK.sub(replace, markdown)
