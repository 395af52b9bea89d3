"""Keep measured numbers as text in docs/internals/, and draw the page and the picture from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import scaling
from benchmarks.measure import HEAD, ROOT, amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

DOCS = ROOT / "docs" / "internals"
PAGE = DOCS / "speed.md"
PICTURE = DOCS / "growth.svg"

#: Between these two lines of the page stands what is made here.
BLOCK = "<!-- {name}: made by `python -m benchmarks --draw` -->\n"
END = "<!-- end -->\n"


class Table(NamedTuple):
    """Measured rows in a file: tabs between cells, the part of the benchmarks in the first."""

    file: Path
    columns: Sequence[str]

    def rows(self) -> list[list[str]]:
        """Return what was measured last."""
        if not self.file.exists():
            return []
        lines = self.file.read_text(encoding="utf-8").splitlines()[1:]
        return [line.split("\t") for line in lines]

    def replace(self, part: str, rows: Iterable[Sequence[str]]) -> None:
        """Put a part's new rows in the place of its old ones."""
        old = self.rows()
        first = next((n for n, row in enumerate(old) if row[0] == part), len(old))
        kept = [(n, row) for n, row in enumerate(old) if row[0] != part]
        before = [row for n, row in kept if n < first]
        after = [row for n, row in kept if n > first]
        table = [self.columns, *before, *([part, *row] for row in rows), *after]
        text = "".join("\t".join(row) + "\n" for row in table)
        self.file.write_text(text, encoding="utf-8")


RATIOS = Table(DOCS / "speed.tsv", ["part", *HEAD, "measured on"])
GROWTH = Table(DOCS / "growth.tsv", ["part", *scaling.COLUMNS, "measured on"])


def draw_picture() -> None:
    """Draw the picture again from the measured numbers; needs matplotlib."""
    from benchmarks.plot import draw_growth

    PICTURE.write_text(draw_growth(scaling_results()), encoding="utf-8")


def scaling_results() -> list[scaling.ScalingResult]:
    """Return the measured numbers of `GROWTH`."""
    return [scaling.read(row[1:-1]) for row in GROWTH.rows()]


def write_page() -> None:
    """Write the tables of the page again from the measured numbers."""
    grown = scaling_results()
    ratios = RATIOS.rows()
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (
        ("ratios", markdown(HEAD, [row[1:-1] for row in ratios if row[0] != "adoption"])),
        ("adoption", markdown(HEAD, [row[1:-1] for row in ratios if row[0] == "adoption"])),
        ("growth", markdown(GROWN, steps(grown))),
        ("machines", machines(ratios, GROWTH.rows())),
    ):
        before, start, rest = text.partition(BLOCK.format(name=name))
        _, end, after = rest.partition(END)
        assert start, f"{PAGE}: has no place for {name}"
        text = f"{before}{start}{table}{end}{after}"
    PAGE.write_text(text, encoding="utf-8")


GROWN = ["command", "x1", "time at x100", "x10 to x100", "memory, largest process", "our own"]


def steps(grown: Sequence[scaling.ScalingResult]) -> list[list[str]]:
    """Return a row for each command: its largest size, and by how much the last step grew."""
    by_place = {(row.command, row.factor): row for row in grown}
    return [
        [
            f"`{row.command}`",
            row.unit,
            amount(row.seconds, "s"),
            f"{row.seconds / by_place[row.command, 10].seconds:.1f}",
            amount(row.largest, "MB"),
            amount(row.own, "MB"),
        ]
        for row in grown
        if row.factor == max(scaling.FACTORS)
    ]


def machines(*tables: Sequence[Sequence[str]]) -> str:
    """Return what was measured on which machine."""
    parts: dict[str, list[str]] = {}
    for part, *_, machine in (row for table in tables for row in table):
        parts.setdefault(machine, []).append(part)
    return "".join(
        f"- {', '.join(dict.fromkeys(names))}: {machine}\n" for machine, names in parts.items()
    )


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(escaped(line))} |\n" for line in lines)


def escaped(cells: Sequence[str]) -> list[str]:
    """Return cells of a table, in which a bar would begin the next."""
    return [cell.replace("|", r"\|") for cell in cells]
