"""Figures of a snapshot trader's backtest: losses, profit through the day, one episode, Sharpe ratios."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lobjax.results import Comparison, style
from lobjax.results.style import BUY, FIRST, GREY, INK, SELL, quiet
from lobjax.tasks.snapshot.files import CURVES, Paths

_COLUMNS = 3
_NORMAL_95 = 1.96


class Ratio(NamedTuple):
    """A Sharpe ratio over episodes with its 95% interval."""

    value: float
    half: float


def sharpe(profits: np.ndarray) -> Ratio | None:
    """Mean over standard deviation of episodes' profits [n], not annualised; None without spread.

    The interval is that of independent episodes: standard error sqrt((1 + S^2 / 2) / n) (Lo, The Statistics of Sharpe Ratios, 2002).
    """
    profits = np.asarray(profits, np.float64)
    if len(profits) < 2 or not profits.std(ddof=1) > 0:
        return None
    ratio = float(profits.mean() / profits.std(ddof=1))
    return Ratio(ratio, float(_NORMAL_95 * np.sqrt((1 + ratio**2 / 2) / len(profits))))


def sharpes(comparison: Comparison) -> dict[str, Ratio | None]:
    """Of every player."""
    return {player: sharpe(comparison.figures[player]["profit_bps"]) for player in comparison.players}


def losses(curves: dict[str, list[float | None]]) -> Figure:
    """A panel for each learning curve."""
    names = [name for name in CURVES if name in curves]
    rows = -(-len(names) // _COLUMNS)
    figure = style.figure(8.6, 0.3 + 2.0 * rows)
    panels = figure.subplots(rows, min(_COLUMNS, len(names)), squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        quiet(axes).plot(
            np.array(curves["step"], np.float64), np.array(curves[name], np.float64), color=FIRST, linewidth=1.2
        )
        axes.set_title(CURVES[name], fontsize=10, color=INK, loc="left")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda steps, _: f"{steps / 1000:g}k"))
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("environment steps", fontsize=9, color=INK)
    return figure


def profit(paths: Paths) -> Figure:
    """Profit added up over the day's episodes, by the clock at which each ends."""
    order = np.argsort(paths.clock_s[:, 0])
    ends = paths.clock_s[order, -1]
    opening = paths.clock_s[order[0], 0]
    lines = [style.named(player).count("\n") + 1 for player in paths.profit_bps]
    figure = style.figure(8.6, 3.4 + 0.2 * max(0, sum(lines) - 8))  # of many players the legend is the taller part
    axes = quiet(figure.subplots())
    for player, colour in style.colours(list(paths.profit_bps)).items():
        total = np.cumsum(paths.profit_bps[player][order, -1])
        axes.plot(np.append(opening, ends), np.append(0, total), color=colour, linewidth=1.8, label=style.named(player))
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_ylabel("profit so far, bp")
    axes.set_xlabel("time of day")
    _by_clock(axes)
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure


def episode(paths: Paths, index: int) -> Figure:
    """One episode: the mid and the first player's trades, then everybody's position and profit."""
    names = [style.named(player).split("\n") for player in paths.position_lots]
    columns = 4 if max(len(line) for name in names for line in name) <= 18 else 2
    legend = -(-len(names) // columns) * max(map(len, names))  # lines of it
    figure = style.figure(8.6, 6.2 + 0.2 * (legend - 1))
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 2))
    time = paths.clock_s[index] - paths.clock_s[index, 0]
    mid, first = paths.mid_ticks[index], next(iter(paths.position_lots))
    shown = style.named(first, lines=1)
    quiet(above).plot(time, mid, color=INK, linewidth=1.1, drawstyle="steps-post")
    traded = np.diff(paths.position_lots[first][index])
    for sign, colour, marker, label in ((1, BUY, "^", f"{shown} buys"), (-1, SELL, "v", f"{shown} sells")):
        at = np.flatnonzero(sign * traded > 0)
        if not len(at):
            continue
        size = 18 + 14 * np.abs(traded[at])
        above.scatter(time[at], mid[at], s=size, color=colour, marker=marker, zorder=3, label=label)
    above.set_ylabel("mid, ticks")
    if traded.any():
        above.legend(frameon=False, fontsize=8.5, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    colours = style.colours(list(paths.position_lots))
    for axes, found, label in (
        (middle, paths.position_lots, "position, lots"),
        (below, paths.profit_bps, "profit, bp"),
    ):
        quiet(axes)
        for player, colour in reversed(colours.items()):  # the first player on top
            steps = "steps-post" if axes is middle else "default"
            axes.plot(
                time, found[player][index], color=colour, linewidth=1.6, drawstyle=steps, label=style.named(player)
            )
        axes.set_ylabel(label)
    handles, names = below.get_legend_handles_labels()
    below.legend(
        handles[::-1],
        names[::-1],
        frameon=False,
        fontsize=8.5,
        ncols=columns,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.3),
    )
    below.set_xlabel("seconds since the start of the episode")
    figure.align_ylabels()
    return figure


def sharpe_bars(found: dict[str, Ratio | None]) -> Figure:
    """Sharpe ratios over episodes with their intervals."""
    figure = style.figure(8.6, 1.0 + 0.5 * len(found))
    axes = quiet(figure.subplots(), grid="x")
    axes.axvline(0, color=INK, linewidth=1)
    for row, (player, colour) in enumerate(style.colours(list(found)).items()):
        ratio = found[player]
        if ratio is None:
            axes.annotate(
                "no spread, no ratio", (0, row), xytext=(6, 0), textcoords="offset points", va="center", color=GREY
            )
            continue
        ends = [ratio.value - ratio.half, ratio.value + ratio.half]
        axes.plot(ends, [row, row], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot(ratio.value, row, "o", color=colour, markersize=8)
    axes.set_yticks(range(len(found)), [style.named(player) for player in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.margins(x=0.2)  # room for words
    axes.set_xlabel("Sharpe ratio over episodes, not annualised (line: 95% interval)")
    return figure


def _by_clock(axes: Axes) -> None:
    low, high = axes.get_xlim()
    every = next(e for e in (60, 300, 900, 1800, 3600, 7200) if (high - low) / e <= 9 or e == 7200)
    axes.set_xticks(np.arange(np.ceil(low / every) * every, high, every))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda s, _: f"{int(s) // 3600:02d}:{int(s) % 3600 // 60:02d}"))
