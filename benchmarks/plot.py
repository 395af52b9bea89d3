"""Plot how time and memory of each command grow, from measured numbers."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.measure import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from benchmarks.scaling import ScalingResult

TITLE = "Time and memory at 1, 10 and 100 times the size"
#: Attribute of `ScalingResult`, its unit, colour and label.
LINES = (
    ("seconds", "s", "#2f6fb3", "time"),
    ("largest", "MB", "#c8641e", "memory, largest process"),
    ("own", "MB", "#8a8a8a", "memory, our own"),
)
COLUMNS = 3
#: Text stays text, and equal numbers give an equal file.
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pycache-guard",
    "font.family": "sans-serif",
    "font.size": 8,
}


def draw_growth(results: Sequence[ScalingResult]) -> str:
    """Return an SVG: one panel per command, with values relative to those at 1 time the size."""
    commands = list(dict.fromkeys(result.command for result in results))
    rows = math.ceil(len(commands) / COLUMNS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 2.3 * rows + 0.8), layout="constrained")
        figure.suptitle(TITLE, fontsize=13)
        axes = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
        for panel, command in zip(axes, commands, strict=False):
            draw_panel(panel, [result for result in results if result.command == command])
        for panel in axes[len(commands) :]:
            panel.set_visible(False)
        handles, labels = axes[0].get_legend_handles_labels()
        labels = [label.partition(":")[0] for label in labels]
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Title": TITLE})
    return "".join(f"{line.rstrip()}\n" for line in svg.getvalue().splitlines())


def draw_panel(panel: Axes, results: Sequence[ScalingResult]) -> None:
    """Plot one command; on both axes, each step is ten times."""
    first, last = results[0], results[-1]
    factors = [result.factor for result in results]
    panel.loglog(factors, factors, color="#d0d0d0", label="as the size (linear)")
    for name, unit, color, label in LINES:
        start, end = getattr(first, name), getattr(last, name)
        values = [getattr(result, name) / start for result in results]
        amounts = f"{amount(start, unit)} → {amount(end, unit)}"
        panel.loglog(factors, values, color=color, label=f"{label}: {amounts}")
        panel.annotate(
            amounts, (0.04, 0.9 - 0.12 * len(panel.texts)), xycoords="axes fraction", color=color
        )
    ticks = {factor: f"x{factor}" for factor in factors}
    panel.set_xticks(list(ticks), list(ticks.values()))
    panel.set_yticks(list(ticks), list(ticks.values()))
    panel.minorticks_off()
    panel.set_ylim(0.7, 200)
    panel.grid(visible=True, color="#eeeeee")
    panel.set_title(f"{first.command}\nx1: {first.unit}", loc="left")
