"""Every link of the documentation leads somewhere, and every page can be reached."""

from __future__ import annotations

import posixpath
import re

import pytest

from documentation.blocks import PAGES
from helpers.runners import ROOT

LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"(?ms)^\s*```.*?^\s*```$", "", (ROOT / page).read_text("utf-8"))


def anchors(page: str) -> set[str]:
    """Return what a heading is called in an address, as GitHub has it."""
    headings = re.findall(r"(?m)^#+ (.*)$", text_of(page))
    words = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in words}


def links(page: str) -> list[tuple[str, str]]:
    """Return the links of a page to others of the project: path from the top, anchor."""
    found = [link for link in LINK.findall(text_of(page)) if "://" not in link]
    parts = [link.partition("#") for link in found]
    here = posixpath.dirname(page)
    return [
        (posixpath.normpath(posixpath.join(here, path)) if path else page, a)
        for path, _, a in parts
    ]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for path, anchor in links(page):
        assert (ROOT / path).is_file(), path
        assert not anchor or anchor in anchors(path), f"{path}#{anchor}"


def test_every_page_can_be_reached() -> None:
    reached, new = set(), {"README.md"}
    while new:
        reached |= new
        new = {path for page in new for path, _ in links(page) if path.endswith(".md")} - reached
    assert set(PAGES) - reached == set()
