"""How figures look: one palette, quiet axes. Drawn without a display, through matplotlib's Agg canvas."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lobjax.display import printable
from lobjax.files import whole_file

INK, GREY, FAINT = "#22303c", "#7b8794", "#dfe5ea"
BUY, SELL, GAIN, LOSS = "#2f7d5b", "#b8443f", "#2f7d5b", "#b8443f"
FIRST = "#1d5fa6"
OTHERS = ("#d98324", "#5c9e76", "#9a5ba5", "#8a8f98", "#c4504a", "#4aa3b5", "#a6893b", "#6b6fb8", "#d47fa6")


def colours(players: Sequence[str]) -> dict[str, str]:
    """A colour for each player; the first one's is always the same."""
    return {p: FIRST if i == 0 else OTHERS[(i - 1) % len(OTHERS)] for i, p in enumerate(players)}


def named(name: str, *, before: str = "", width: int = 26, lines: int = 3) -> str:
    """A player's name as a figure shows it, after `before`: as `shown`, but wrapped (after underscores too) and cut after some lines."""
    found, rest = [], before + _drawn(" ".join(name.split()))
    while len(rest) > width and len(found) < lines - 1:
        cut = max(rest.rfind(" ", 0, width + 1), rest.rfind("_", 0, width) + 1)
        cut = cut if cut > width // 3 else width
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    found.append(rest if len(rest) <= width else rest[: width - 1].rstrip() + "…")
    return _escaped("\n".join(found))


def shown(name: str, most: int = 32) -> str:
    """A text from outside as a figure can show it, in a line: no mathematics, no character without a glyph, and not too long."""
    return _escaped(printable(_drawn(name), most))


def _drawn(text: str, most: int = 400) -> str:
    """Text with what has no glyph, and what cannot be printed, as escapes."""
    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return "".join(
        c if font.get_char_index(ord(c)) else c.encode("unicode_escape").decode() for c in printable(text, most)
    )


def _escaped(text: str) -> str:
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text  # legends leave out what begins so


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


def png(drawn: Figure) -> bytes:
    """A figure as a PNG file."""
    file = io.BytesIO()
    drawn.savefig(file, format="png", dpi=144)
    return file.getvalue()


def write(drawn: Figure | bytes, path: Path) -> Path:
    """Write a figure, or what `png` made of one, whole."""
    data = drawn if isinstance(drawn, bytes) else png(drawn)
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
    return path
