"""The documentation as a site: a strict build, its navigation, its links and its search."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from scripts import site_links

from helpers.runners import ROOT
from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("material", reason="it builds the site: install the extra `docs`")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a warning is an error."""
    into = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-d", into],
        cwd=ROOT,
        # The theme prints an advertisement otherwise.
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return into


class Addresses(HTMLParser):
    """Collects what a page loads and links to, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the addresses of one tag."""
        values = dict(attrs)
        self.anchors |= {values["id"] or ""} if "id" in values else set()
        if tag == "a" and values.get("href"):
            self.linked.append(str(values["href"]))
        elif tag in ("img", "script") and values.get("src"):
            self.loaded.append(str(values["src"]))
        elif tag == "link" and values.get("rel") == "stylesheet":
            self.loaded.append(str(values["href"]))


def read_pages(site: Path) -> Iterator[tuple[Path, Addresses]]:
    """Yield each page with its addresses; the page of errors has absolute ones."""
    for path in sorted(site.rglob("*.html")):
        if path.name != "404.html":
            found = Addresses()
            found.feed(path.read_text("utf-8"))
            yield path, found


def test_links_of_the_site_lead_somewhere(site: Path) -> None:
    """And nothing is loaded from another server."""
    pages = dict(read_pages(site))
    assert len(pages) == len([*(ROOT / "docs").rglob("*.md")])
    for path, found in pages.items():
        assert [address for address in found.loaded if "//" in address] == []
        for address in (*found.loaded, *found.linked):
            target, _, anchor = unquote(address).partition("#")
            if "://" in target:
                continue
            where = path if target in ("", ".") else Path(os.path.normpath(path.parent / target))
            where = where / "index.html" if where.is_dir() else where
            assert where.exists(), f"{path}: {address}"
            if anchor and where in pages and anchor != "__skip":
                assert anchor in pages[where].anchors, f"{path}: {address}"


def test_every_rule_has_a_page_that_search_finds(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("#")[0]: entry["title"] for entry in index["docs"][::-1]}
    for rule in Rule:
        assert found[f"rules/{rule.name}.html"] == f"{rule.name} {rule.value}"


def test_site_has_both_colour_schemes_and_fits_narrow_screens(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    assert 'name="viewport" content="width=device-width' in text
    schemes = re.findall(r'data-md-color-scheme="(\w+)"', text)
    assert {"default", "slate"} <= set(schemes)


def pages_of(entries: list[site_links.NavigationEntry]) -> Iterator[str]:
    """Yield the paths of a navigation."""
    for entry in entries:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from pages_of(value)


def test_navigation_has_every_page_once() -> None:
    text = (ROOT / "docs" / "README.md").read_text("utf-8")
    listed = sorted(pages_of(site_links.read_navigation(text)))
    docs = ROOT / "docs"
    assert listed == sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))


@pytest.mark.parametrize(
    ("page", "link", "target"),
    [
        ("ci.md", "server.md", "server.md"),
        ("ci.md", "../README.md", f"{site_links.GITHUB}README.md"),
        ("ci.md", "../README.md#start", f"{site_links.GITHUB}README.md#start"),
        ("rules/PYC001.md", "../history.md#x", "../history.md#x"),
        ("rules/PYC001.md", "../../README.md", f"{site_links.GITHUB}README.md"),
        ("ci.md", "https://example.com/../x", "https://example.com/../x"),
        ("ci.md", "#anchor", "#anchor"),
    ],
)
def test_links_that_leave_the_documentation_lead_to_github(
    page: str, link: str, target: str
) -> None:
    assert site_links.link_to_github(f"a [b]({link}).", page) == f"a [b]({target})."
