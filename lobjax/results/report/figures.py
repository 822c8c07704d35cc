"""A backtest's figures over all episodes: positions by decision, and the market they were played in."""

from collections.abc import Callable

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lobjax.results import Comparison, style
from lobjax.results.style import FIRST, GREY, INK, quiet

COLUMNS = 3
BY_CLOCK = ("start_s", "opening_spread_ticks", "others_volume_lots")


def inventory(paths: pl.DataFrame, step_s: float, label: str) -> Figure:
    """A panel for each player: mean position by time, and the middle half and nine tenths of its episodes."""
    players = paths["player"].unique(maintain_order=True).to_list()
    colours = style.colours(players)
    rows = -(-len(players) // COLUMNS)
    columns = -(-len(players) // rows)
    figure = style.figure(8.6, 0.3 + 2.0 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, player in zip(panels, players, strict=False):
        found = paths.filter((pl.col("player") == player) & (pl.col("quantity") == "inventory_lots"))
        time, colour = found["decision"].to_numpy() * step_s, colours[player]
        quiet(axes)
        axes.fill_between(time, found["p5"], found["p95"], color=colour, alpha=0.15, linewidth=0)
        axes.fill_between(time, found["p25"], found["p75"], color=colour, alpha=0.3, linewidth=0)
        axes.plot(time, found["mean"], color=colour, linewidth=1.8)
        axes.set_title(style.named(player, width=28, lines=2), fontsize=10, color=INK, loc="left")
    for k, axes in enumerate(panels):
        axes.set_visible(k < len(players))
        axes.tick_params(labelbottom=k + columns >= len(players))
    figure.supxlabel("seconds since the start of the episode", fontsize=9, color=INK)
    figure.supylabel(label, fontsize=9, color=INK)
    return figure


def by_clock(comparison: Comparison, window_s: float) -> Figure:
    """Spread and volume of each window of a recorded day, by the time of day. The comparison has the figures `BY_CLOCK`."""
    figures = comparison.figures[comparison.first]
    first = pl.DataFrame({name: figures[name] for name in BY_CLOCK}).sort("start_s")
    start, window_s = first["start_s"].to_numpy(), min(window_s, 86_400.0)

    def lines(axes: Axes) -> None:
        axes.plot(start, first["opening_spread_ticks"], color=FIRST, linewidth=1.3)

    def bars(axes: Axes) -> None:
        axes.bar(start, first["others_volume_lots"], width=window_s * 0.9, align="edge", color=GREY)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda s, _: f"{int(s) // 3600:02d}:{int(s) % 3600 // 60:02d}"))
        every = next(e for e in (60, 300, 900, 1800, 3600, 7200) if (start[-1] - start[0]) / e <= 9 or e == 7200)
        axes.set_xticks(np.arange(np.ceil(start[0] / every) * every, start[-1] + window_s, every))

    return _two(lines, bars, "time of day", "lots traded in a window")


def by_decision(paths: pl.DataFrame, step_s: float) -> Figure:
    """Mean spread and volume of a simulated market by the time since an episode began."""
    first = paths.filter(pl.col("player") == paths["player"][0])
    spread = first.filter((pl.col("quantity") == "spread_ticks") & (pl.col("decision") < pl.col("decision").max()))
    volume = first.filter((pl.col("quantity") == "volume_lots") & (pl.col("decision") > 0))

    def lines(axes: Axes) -> None:
        time = spread["decision"].to_numpy() * step_s
        axes.fill_between(time, spread["p5"], spread["p95"], color=FIRST, alpha=0.15, linewidth=0)
        axes.plot(time, spread["mean"], color=FIRST, linewidth=1.8)

    def bars(axes: Axes) -> None:
        axes.bar(
            (volume["decision"].to_numpy() - 1) * step_s, volume["mean"], width=step_s * 0.9, align="edge", color=GREY
        )

    return _two(lines, bars, "seconds since the start of the episode", "lots traded in a step")


def _two(lines: Callable[[Axes], None], bars: Callable[[Axes], None], time: str, volume: str) -> Figure:
    figure = style.figure(8.6, 3.8)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    lines(quiet(above))
    above.set_ylabel("spread, ticks")
    above.set_ylim(bottom=0)
    bars(quiet(below))
    below.set_ylabel(volume)
    below.set_xlabel(time)
    figure.align_ylabels()
    return figure
