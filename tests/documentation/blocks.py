"""The fenced blocks of the documentation, and how printed output is compared."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from helpers.runners import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "tests/faults/README.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
]


class Block(NamedTuple):
    """One fenced block."""

    page: str
    #: Of the opening fence, 1-based.
    line: int
    language: str
    text: str
    heading: str

    @property
    def name(self) -> str:
        """Return where it stands, for people."""
        return f"{self.page}:{self.line}"

    @property
    def begins(self) -> str:
        """Return its first line."""
        return self.text.partition("\n")[0].strip()


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in order."""
    heading, fence, language, start = "", "", "", 0
    lines: list[str] = []
    for number, line in enumerate((ROOT / page).read_text("utf-8").splitlines(), start=1):
        opened = re.match(r"\s*(`{3,}|~{3,})(.*)$", line)
        if fence:
            if opened and opened[1] == fence and not opened[2]:
                yield Block(page, start, language, "".join(lines), heading)
                fence, lines = "", []
            else:
                lines.append(f"{line}\n")
        elif opened:
            fence, language, start = opened[1], opened[2].strip(), number
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    assert not fence, f"{page}:{start} is not closed"


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks_of_page(*languages: str) -> list[Block]:
    """Return the blocks of languages."""
    return [block for block in BLOCKS if block.language in languages]


class Step(NamedTuple):
    """A command of a `console` block, and what it is printed to answer."""

    command: str
    answer: str


def steps(block: Block) -> list[Step]:
    """Return the commands of a `console` block; each begins with `$ `."""
    found: list[Step] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], ""))
        else:
            assert found, f"{block.name} begins with an answer"
            found[-1] = found[-1]._replace(answer=f"{found[-1].answer}{line}\n")
    return found


def output_matches(printed: str, real: str) -> bool:
    """Whether `real` is what was printed; `…` stands for anything, alone for any lines.

    The pages have the name of CPython, and those that it gives to its caches.
    """
    if sys.implementation.name == "pypy":
        real = real.replace("PyPy", "CPython").replace(sys.implementation.cache_tag, "cpython-311")
    pattern = "".join(
        "(?:.*\n)*"
        if line == "…"
        else ".*".join(map(re.escape, line.rstrip().split("…"))) + "[ \t]*\n"
        for line in printed.strip("\n").splitlines()
    )
    whole = real.strip("\n") + "\n" if real.strip("\n") else ""
    return re.fullmatch(pattern, whole) is not None
