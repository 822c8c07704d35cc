"""Messages a second against books: a line for each engine, capacity and device, both axes logarithmic."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lobjax.results.style import FAINT, FIRST, GREY, INK, OTHERS, figure, quiet, shown, write

_MOST_BOOKS_POWER = 8  # of 4: 65,536
_LEAST_GAP = 0.042  # between labels, of the axis
_STYLES = ("-", "--", ":", "-.")
_LINE = ("capacity", "device", "messages_per_call", "stream")


def draw(found: Sequence[dict[str, Any]], path: Path) -> Path:
    """Write the plot of records of `bench engine` as a PNG."""
    lines: dict[tuple, list[dict[str, Any]]] = {}
    for record in found:
        lines.setdefault((engine_name(record), *(record[name] for name in _LINE)), []).append(record)
    drawn = figure(8.4, 4.8)
    axes = quiet(drawn.add_subplot(), grid="y")
    axes.set_xscale("log", base=4)
    axes.set_yscale("log")
    ends = []
    colours = dict(zip(dict.fromkeys(line[0] for line in lines), (FIRST, *OTHERS, *[GREY] * len(lines)), strict=False))
    others = [*dict.fromkeys(line[1:] for line in lines)]  # told apart by dashes
    for key, points in lines.items():
        points.sort(key=lambda record: record["books"])
        books, rate, low, high = ([p[k] for p in points] for k in ("books", *_spread("messages_per_s")))
        colour, style = colours[key[0]], _STYLES[others.index(key[1:]) % len(_STYLES)]
        axes.plot(books, rate, color=colour, linestyle=style, linewidth=1.8, marker="o", markersize=4)
        axes.vlines(books, low, high, color=colour, linewidth=3.5, alpha=0.25)
        ends.append((rate[-1], books[-1], _label(key, list(lines)), colour))
    ticks = [4**power for power in range(_MOST_BOOKS_POWER + 1)]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0.8, ticks[-1] * 1.3)
    axes.set_xlabel("books")
    axes.set_ylabel("messages/s")
    _write_labels(axes, ends)
    axes.set_title(_title(list(lines)), loc="left", fontsize=10, color=INK)
    return write(drawn, path)


def _write_labels(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """The name of each line in a column on the right, as near to its end as others let it, with a thin line to it."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    to_axes = axes.transData + axes.transAxes.inverted()
    placed = sorted(
        (to_axes.transform((books, rate))[1], rate, books, label, colour) for rate, books, label, colour in ends
    )
    heights = apart([height for height, *_ in placed], _LEAST_GAP)
    for at, (_, rate, books, label, colour) in zip(heights, placed, strict=True):
        axes.annotate(
            label,
            (books, rate),
            (1.03, at),
            textcoords="axes fraction",
            color=colour,
            fontsize=9,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.8, "shrinkA": 2, "shrinkB": 4},
            zorder=0.5,
        )


def engine_name(record: dict[str, Any]) -> str:
    """The engine, and on how many devices where there are several."""
    return record["engine"] + (f", {record['devices']} devices" if record.get("devices", 1) > 1 else "")


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Rising heights moved as little as makes each at least `gap` above the one before."""
    clusters: list[list[float]] = []  # of wanted heights; a cluster lies around the mean of what its members want
    for height in heights:
        clusters.append([height])
        while len(clusters) > 1 and _bottom(clusters[-1], gap) < _bottom(clusters[-2], gap) + gap * len(clusters[-2]):
            last = clusters.pop()
            clusters[-1] += last
    return [_bottom(cluster, gap) + gap * k for cluster in clusters for k in range(len(cluster))]


def _bottom(cluster: Sequence[float], gap: float) -> float:
    return sum(cluster) / len(cluster) - gap * (len(cluster) - 1) / 2


def _label(line: tuple, lines: list[tuple]) -> str:
    """The engine, and of the rest what differs between lines."""
    words = [str(line[0])]
    for at, word in ((1, "{} a side"), (2, "{}"), (3, "{} messages"), (4, "stream {}")):
        if len({other[at] for other in lines}) > 1:
            words.append(word.format(line[at]))
    return shown(", ".join(words), 80)


def _title(lines: list[tuple]) -> str:
    """What all lines have in common."""
    words = []
    for at, word in ((2, "{}"), (1, "{} orders a side"), (3, "{} messages a call"), (4, "stream {}")):
        values = {line[at] for line in lines}
        words += [word.format(*values)] if len(values) == 1 else []
    return shown(", ".join(words), 120)


def _spread(name: str) -> tuple[str, str, str]:
    return name, f"{name}_min", f"{name}_max"


def _count(value: float) -> str:
    for unit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g} {prefix}"
    return f"{value:g}"
