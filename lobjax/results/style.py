"""How figures look: one palette, quiet axes. Drawn without a display, through matplotlib's Agg canvas."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lobjax.files import whole_file

INK, GREY, FAINT = "#22303c", "#7b8794", "#dfe5ea"
BUY, SELL, GAIN, LOSS = "#2f7d5b", "#b8443f", "#2f7d5b", "#b8443f"
FIRST = "#1d5fa6"
OTHERS = ("#d98324", "#5c9e76", "#9a5ba5", "#8a8f98", "#c4504a", "#4aa3b5", "#a6893b", "#6b6fb8", "#d47fa6")


def colours(players: Sequence[str]) -> dict[str, str]:
    """A colour for each player; the first one's is always the same."""
    return {p: FIRST if i == 0 else OTHERS[(i - 1) % len(OTHERS)] for i, p in enumerate(players)}


def named(name: str, *, before: str = "", width: int = 26, lines: int = 3) -> str:
    """A player's name as a figure shows it, after `before`: wrapped (after underscores too), cut after some lines, and `$` as it is."""
    found, rest = [], before + " ".join(name.split())
    while len(rest) > width and len(found) < lines - 1:
        cut = max(rest.rfind(" ", 0, width + 1), rest.rfind("_", 0, width) + 1)
        cut = cut if cut > width // 3 else width
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    found.append(rest if len(rest) <= width else rest[: width - 1].rstrip() + "…")
    return "\n".join(found).replace("$", r"\$")


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def quiet(axes: Axes, *, grid: Literal["x", "y", ""] = "y") -> Axes:
    """Take away what is not data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9, color=GREY)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    if grid:
        axes.grid(axis=grid, color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def write(drawn: Figure, path: Path) -> Path:
    """Write a PNG whole."""
    with whole_file(path) as temporary:
        drawn.savefig(temporary, dpi=144)
    return path
