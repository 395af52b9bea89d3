"""Draw how time and memory of each command grow, from measured numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.measure import amount

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from benchmarks.scaling import ScalingResult

TITLE = "Time and memory at 1, 10 and 100 times the size"
LINES = (
    ("#2f6fb3", "time"),
    ("#c8641e", "memory, largest process"),
    ("#8a8a8a", "memory, our own"),
)
LINEAR = "#d0d0d0"
COLUMNS, WIDTH, HEIGHT, TOP = 3, 310, 190, 64
#: Of the plot within its panel: left edge, upper edge, width, height.
LEFT, UPPER, ACROSS, DOWN = 40, 40, 150, 110


def drawing(rows: Sequence[ScalingResult]) -> str:
    """Return an SVG: a panel for each command, its values relative to those at 1 time the size."""
    commands = list(dict.fromkeys(row.command for row in rows))
    width = COLUMNS * WIDTH + 20
    height = TOP + HEIGHT * math.ceil(len(commands) / COLUMNS) + 8
    panels = [
        panel([row for row in rows if row.command == command], *place(n))
        for n, command in enumerate(commands)
    ]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
                f' height="{height}" font-family="sans-serif" font-size="11" fill="#222222">'
            ),
            f"<title>{TITLE}</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            f'<text x="20" y="24" font-size="16">{TITLE}</text>',
            *legend(),
            *panels,
            "</svg>\n",
        ]
    )


def place(n: int) -> tuple[int, int]:
    """Return the upper left corner of a panel."""
    return 10 + WIDTH * (n % COLUMNS), TOP + HEIGHT * (n // COLUMNS)


def legend() -> list[str]:
    """Return what the colours mean."""
    entries = (*LINES, (LINEAR, "as the size: linear"))
    return [
        f'<line x1="{20 + 215 * n}" x2="{44 + 215 * n}" y1="46" y2="46" stroke="{colour}"'
        f' stroke-width="3"/><text x="{50 + 215 * n}" y="50">{words}</text>'
        for n, (colour, words) in enumerate(entries)
    ]


def panel(rows: Sequence[ScalingResult], left: int, top: int) -> str:
    """Return the plot of one command; on both axes, each step is ten times."""

    def at(factor: float, growth: float) -> str:
        x = left + LEFT + ACROSS * math.log10(factor) / 2
        y = top + UPPER + DOWN * (1 - math.log10(max(growth, 0.8)) / 2)
        return f"{x:.1f},{y:.1f}"

    first, last = rows[0], rows[-1]
    parts = [
        f'<text x="{left + 10}" y="{top + 14}" font-size="13" font-weight="bold">{first.command}</text>',
        f'<text x="{left + 10}" y="{top + 29}" fill="#666666">x1: {first.unit}</text>',
        *grid(at),
        (
            f'<polyline points="{at(1, 1)} {at(100, 100)}" fill="none" stroke="{LINEAR}"'
            ' stroke-width="2"/>'
        ),
    ]
    measured = (("seconds", "s"), ("largest", "MB"), ("own", "MB"))
    for n, ((colour, _), (name, unit)) in reversed([*enumerate(zip(LINES, measured, strict=True))]):
        values = {row.factor: getattr(row, name) for row in rows}
        points = [at(factor, value / values[1]) for factor, value in values.items()]
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        told = f"{amount(getattr(first, name), unit)} → {amount(getattr(last, name), unit)}"
        parts.append(
            f'<text x="{left + LEFT + ACROSS + 10}" y="{top + UPPER + 40 + 18 * n}"'
            f' fill="{colour}">{told}</text>'
        )
    return "\n".join(parts)


def grid(at: Callable[[float, float], str]) -> list[str]:
    """Return the axes of a panel."""
    parts = []
    for value in (1, 10, 100):
        x, y = at(value, 1).split(",")
        _, up = at(1, value).split(",")
        start, end = at(1, value), at(100, value)
        parts += [
            f'<polyline points="{start} {end}" fill="none" stroke="#eeeeee"/>',
            f'<text x="{x}" y="{float(y) + 14:.1f}" text-anchor="middle" fill="#666666">x{value}</text>',
            (
                f'<text x="{float(start.split(",")[0]) - 6:.1f}" y="{float(up) + 4:.1f}"'
                f' text-anchor="end" fill="#666666">x{value}</text>'
            ),
        ]
    return parts
