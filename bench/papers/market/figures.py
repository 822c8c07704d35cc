"""Figures of `bench market-statistics`: impact of orders, depth of the book, and the flow."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.papers.market.views import AT_MARKET, BEHIND, BEST, INSIDE
from lobjax.results import style
from lobjax.results.style import GREY, INK, quiet

Views = Mapping[str, Mapping[str, Any]]  # of each market
_SIZES = ("#a9c7e8", "#7aa8d9", "#4a87c4", "#1d5fa6", "#0e3a6b")  # from the smallest order to the largest
_PLACES = {INSIDE: style.OTHERS[0], BEST: style.FIRST, BEHIND: style.OTHERS[2]}
_LABELS = {INSIDE: "best bid + 1 (spread > 1)", BEST: "best ask", BEHIND: "best ask + 1"}
_BAND = 0.16


def save(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw impact.png, depth.png and flow.png of a record that has views; nothing of another."""
    views = {name: found["views"] for name, found in record["markets"].items() if "views" in found}
    if not views:
        return []
    drawn = {"impact": impact(views), "depth": depth(views, record["stationary_depth"]), "flow": flow(views)}
    return [style.write(figure, folder / f"{name}.png") for name, figure in drawn.items()]


def impact(views: Views) -> Figure:
    """Change of the mid after an order to sell: a column for each market, market orders above, limit orders below."""
    figure = style.figure(4.1 * len(views) + 1.0, 6.4)
    rows = figure.subplots(2, len(views), sharex=True, sharey="row", squeeze=False)
    for column, (name, found) in enumerate(views.items()):
        orders, at_s = found["impact"]["orders"], found["impact"]["at_s"]
        at_market = [order for order in orders if order["place"] == AT_MARKET]
        limits = [order for order in orders if order["place"] != AT_MARKET]
        for order, colour in zip(at_market, _SIZES, strict=False):
            _path(rows[0, column], at_s, order, colour, "-", _lots(order))
        for order in limits:
            dash = "-" if order["lots"] == max(o["lots"] for o in limits) else (0, (4, 2))
            _path(
                rows[1, column],
                at_s,
                order,
                _PLACES[order["place"]],
                dash,
                f"{_LABELS[order['place']]}, {_lots(order)}",
            )
        rows[0, column].set_title(_counted(name, orders), loc="left", fontsize=10, color=INK)
        rows[1, column].set_xlabel("seconds after the order")
    for row, what in zip(rows, ("market order to sell", "limit order to sell"), strict=True):
        row[0].set_ylabel(f"{what}:\nmid with it − without it, ticks")
        row[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8.5, labelcolor=INK)
        for axes in row:
            axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    return figure


def _counted(name: str, orders: Sequence[Mapping[str, Any]]) -> str:
    inside = [order["n"] for order in orders if order["place"] == INSIDE]
    also = f"; {inside[0]:,} with spread > 1" if inside else ""
    return f"{name}\nn = {orders[0]['n']:,}{also}"


def _path(axes: Axes, at_s: Sequence[float], order: Mapping[str, Any], colour: str, dash: Any, label: str) -> None:
    mean, half = np.asarray(order["mean"]), np.asarray(order["half"])
    quiet(axes)
    axes.plot(at_s, mean, color=colour, linestyle=dash, linewidth=1.6, label=label)
    axes.fill_between(at_s, mean - half, mean + half, color=colour, alpha=_BAND, linewidth=0)
    axes.margins(x=0)


def _lots(order: Mapping[str, Any]) -> str:
    return f"{order['lots']} lot{'s' if order['lots'] > 1 else ''}"


def depth(views: Views, stationary: Mapping[str, Any]) -> Figure:
    """Lots by distance from the opposite best: over the episodes, and without what is left of the opening book."""
    figure = style.figure(9.6, 4.0)
    left, right = (quiet(axes) for axes in figure.subplots(1, 2, sharey=True))
    for (name, found), colour in zip(views.items(), style.colours([*views]).values(), strict=True):
        _curve(left, found["depth"], colour, f"{name} (n = {found['depth']['n']:,})")
    left.set_title("episodes, time average", loc="left", fontsize=10, color=INK)
    _curve(right, stationary, style.FIRST, f"noise trader alone (n = {stationary['n']:,} books)")
    opening, shape = stationary["opening"], stationary["reference"]
    for axes in (left, right):
        at = np.arange(1, len(opening) + 1)
        axes.step(at, opening, where="mid", color=GREY, linewidth=1.0, label="opening book", zorder=1)
    right.plot(
        np.arange(1, len(shape) + 1), shape, "o", color=style.OTHERS[0], markersize=6, markerfacecolor="none",
        markeredgewidth=1.6, label="authors' code, first five",
    )  # fmt: skip
    right.set_title("stationary, seen every 100 events", loc="left", fontsize=10, color=INK)
    left.set_ylabel("lots of one side (band: 95%)")
    for axes in (left, right):
        axes.set_xlabel("distance from the opposite best, ticks")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    return figure


def _curve(axes: Axes, curve: Mapping[str, Any], colour: str, label: str) -> None:
    mean, half = np.asarray(curve["mean"]), np.asarray(curve["half"])
    at = np.arange(1, len(mean) + 1)
    axes.plot(at, mean, color=colour, linewidth=1.6, marker=".", markersize=5, label=label)
    axes.fill_between(at, mean - half, mean + half, color=colour, alpha=_BAND, linewidth=0)


def flow(views: Views) -> Figure:
    """Spread, changes of the mid, events by kind, and waits of the noise trader, market beside market."""
    figure = style.figure(9.6, 7.2)
    spread, change, kinds, waits = (quiet(axes) for axes in figure.subplots(2, 2).flat)
    colours = style.colours([*views])
    for (name, found), shift in zip(views.items(), _shifts(len(views)), strict=True):
        bar = {"color": colours[name], "width": 0.8 / len(views)}
        one = found["spread"]
        spread.bar(np.asarray(one["ticks"]) + shift, one["mean"], yerr=one["half"], error_kw=_THIN, label=name, **bar)
        one = found["change"]
        label = f"{name} (std {one['std']:.2f}; n = {one['windows']:,})"
        change.plot(one["ticks"], one["share"], color=colours[name], marker=".", linewidth=1.4, label=label)
        one = found["flow"]
        at = np.arange(len(one["kinds"]))
        kinds.bar(at + shift, one["mean"], yerr=one["half"], error_kw=_THIN, label=f"{name} (n = {one['n']:,})", **bar)
        _waits(waits, one, colours[name], name)
    _flow_words(spread, change, kinds, waits, views)
    return figure


_THIN = {"ecolor": INK, "elinewidth": 0.9}


def _shifts(count: int) -> Iterator[float]:
    yield from (0.8 * (k - (count - 1) / 2) / count for k in range(count))


def _waits(axes: Axes, one: Mapping[str, Any], colour: str, name: str) -> None:
    edges, density = np.asarray(one["wait_edges_s"]), np.asarray(one["wait_density_per_s"])
    middle, seen = (edges[1:] + edges[:-1]) / 2, density > 0
    label = f"{name} (mean {one['mean_wait_s']:.3f} s; n = {one['waits']:,})"
    axes.plot(middle[seen], density[seen], ".", color=colour, markersize=6, label=label)
    rate = 1 / one["mean_wait_s"]
    axes.plot(middle[seen], rate * np.exp(-rate * middle[seen]), color=colour, linewidth=0.9, alpha=0.7)


def _flow_words(spread: Axes, change: Axes, kinds: Axes, waits: Axes, views: Views) -> None:
    first = next(iter(views.values()))
    widest = first["spread"]["ticks"]
    spread.set_xticks(widest, [*map(str, widest[:-1]), f"≥ {widest[-1]}"])
    spread.set_ylim(0, 1)
    spread.set(xlabel="spread, ticks", ylabel="share of time")
    change.set(xlabel="change of the mid in 15 s, ticks", ylabel="share of windows", yscale="log")
    names = [kind.replace(" ", "\n") for kind in first["flow"]["kinds"]]
    kinds.set_xticks(range(len(names)), names)
    kinds.set(ylabel="noise trader's events per second")
    waits.set(xlabel="wait from a noise trader's event to the next, s", ylabel="density, 1/s", yscale="log")
    waits.set_title("lines: exponential of the same mean", loc="right", fontsize=8.5, color=GREY)
    spread.set_title(f"n = {first['spread']['n']:,} episodes", loc="right", fontsize=8.5, color=GREY)
    for axes in (spread, change, kinds, waits):
        axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)
