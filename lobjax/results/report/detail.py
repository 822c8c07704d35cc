"""One episode in pictures: the touch with the agent's own orders and trades, and a map of the book's depth."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lobjax.env.base import AGENT
from lobjax.results import style
from lobjax.results.style import BUY, FIRST, GREY, INK, SELL, quiet
from lobjax.trace import Trace
from lobjax.types import Side

BID, ASK = "#5d8fc4", "#d98c6a"
MOST_TICKS, MOST_CELLS = 4000, 1 << 23  # of price, and of price by samples, in a figure


class Trades(NamedTuple):
    """The agent's trades between two samples: when, at what mean price, how many lots (bought positive), whether it was resting."""

    time_s: np.ndarray
    price_ticks: np.ndarray
    lots: np.ndarray
    maker: np.ndarray


def touch(trace: Trace) -> np.ndarray:
    """Best bid and ask by look, float64 [2, K]; NaN where a side is empty."""
    live = trace.size_lots > 0
    bid = np.where(live[:, Side.BID], trace.price_ticks[:, Side.BID], 0).max(axis=1).astype(float)
    ask = np.where(live[:, Side.ASK], trace.price_ticks[:, Side.ASK], np.iinfo(np.int32).max).min(axis=1).astype(float)
    return np.stack([np.where(live[:, Side.BID].any(1), bid, np.nan), np.where(live[:, Side.ASK].any(1), ask, np.nan)])


def trades(trace: Trace) -> Trades:
    """What the agent traded from sample to sample. Bought and sold between the same two, only the net is shown, at the mid."""
    lots, cash = np.diff(trace.lots), np.diff(trace.cash_ticks)
    maker, taker = np.diff(trace.maker_lots), np.diff(trace.taker_lots)
    at = np.flatnonzero(lots)
    bid, ask = touch(trace)
    mid = np.where(np.isnan(bid), ask, np.where(np.isnan(ask), bid, (bid + ask) / 2))[1:]
    one_way = np.abs(lots) == maker + taker
    price = np.where(one_way, -cash / np.where(lots == 0, 1, lots), mid)
    return Trades(trace.time_s[1:][at], price[at], lots[at], (maker >= taker)[at])


def episode(trace: Trace, parent_lots: int) -> Figure:
    """Touch, own resting orders and trades above; the position (of an execution: what is left) below."""
    figure = style.figure(8.6, 5.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _touch_lines(quiet(above))(trace)
    _own_orders(above, trace)
    done = trades(trace)
    _trade_marks(above, done)
    _price_limits(above, trace, done)
    above.set_ylabel("price, ticks")
    above.legend(
        handles=_legend(done), loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=6, frameon=False, fontsize=8.5
    )
    left = parent_lots - np.abs(trace.lots) if parent_lots else trace.lots
    quiet(below).step(trace.time_s, left, where="post", color=FIRST, linewidth=1.6)
    below.axhline(0, color=GREY, linewidth=0.8)
    for axes in (above, below):
        for time in trace.time_s[trace.decision]:
            axes.axvline(time, color=GREY, linewidth=0.5, alpha=0.35, zorder=0)
    below.set_ylabel("lots left" if parent_lots else "position, lots")
    below.set_xlabel("seconds since the start of the episode (faint lines: decisions)")
    figure.align_ylabels()
    return figure


def depth_map(trace: Trace) -> Figure:
    """Lots resting at every price near the touch, by time: bids below, asks above, darker where more rests."""
    best = touch(trace)
    low, high = _window(best, min(MOST_TICKS, MOST_CELLS // len(trace.time_s)))
    shape = (len(trace.time_s), high - low + 1)
    figure = style.figure(8.6, 3.9)
    axes = quiet(figure.subplots(), grid="")
    edges = np.append(trace.time_s, 2 * trace.time_s[-1] - trace.time_s[-2])
    most = 1
    maps = []
    for side, palette in ((Side.BID, "Blues"), (Side.ASK, "Oranges")):
        lots = np.zeros(shape)
        look, slot = np.nonzero(
            (trace.size_lots[:, side] > 0) & (trace.price_ticks[:, side] >= low) & (trace.price_ticks[:, side] <= high)
        )
        np.add.at(lots, (look, trace.price_ticks[look, side, slot] - low), trace.size_lots[look, side, slot])
        most = max(most, np.quantile(lots[lots > 0], 0.99) if lots.any() else 1)
        maps.append((lots, palette))
    for lots, palette in maps:
        shown = np.ma.masked_equal(lots.T, 0)
        mesh = axes.pcolormesh(
            edges,
            np.arange(low, high + 2) - 0.5,
            shown,
            cmap=palette,
            norm=PowerNorm(0.6, 0, max(most, 2)),
            rasterized=True,
        )
        bar = figure.colorbar(mesh, ax=axes, pad=0.01, fraction=0.03, aspect=28)
        bar.set_label("bid lots" if palette == "Blues" else "ask lots", fontsize=8.5)
        bar.ax.tick_params(labelsize=8)
        bar.outline.set_visible(False)
    for line in best:
        axes.step(trace.time_s, line, where="post", color=INK, linewidth=0.9)
    axes.set_ylim(low - 0.5, high + 0.5)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylabel("price, ticks")
    axes.set_xlabel("seconds since the start of the episode (lines: best bid and ask)")
    return figure


def _touch_lines(axes: Axes):
    def draw(trace: Trace) -> None:
        bid, ask = touch(trace)
        axes.fill_between(trace.time_s, bid, ask, step="post", color=GREY, alpha=0.1, linewidth=0)
        axes.step(trace.time_s, bid, where="post", color=BID, linewidth=1.3)
        axes.step(trace.time_s, ask, where="post", color=ASK, linewidth=1.3)

    return draw


def _own_orders(axes: Axes, trace: Trace) -> None:
    """A bar from look to look at every price where the agent has an order, thicker for more lots."""
    mine = (trace.owner == AGENT) & (trace.size_lots > 0)
    look, side, slot = np.nonzero(mine)
    if not len(look):
        return
    ends = np.append(trace.time_s[1:], trace.time_s[-1])
    price, lots = trace.price_ticks[look, side, slot], trace.size_lots[look, side, slot]
    bars = np.stack([np.stack([trace.time_s[look], price], 1), np.stack([ends[look], price], 1)], 1)
    widths = 1.5 + 4.5 * np.sqrt(lots / lots.max())
    axes.add_collection(LineCollection(list(bars), linewidths=widths, colors=FIRST, alpha=0.35, capstyle="butt"))


def _trade_marks(axes: Axes, done: Trades) -> None:
    if not len(done.lots):
        return
    size = 22 + 90 * np.sqrt(np.abs(done.lots) / np.abs(done.lots).max())
    for maker in (True, False):
        for sold in (True, False):
            chosen = (done.maker == maker) & ((done.lots < 0) == sold)
            colour = SELL if sold else BUY
            axes.scatter(
                done.time_s[chosen], done.price_ticks[chosen], s=size[chosen], marker="v" if sold else "^", zorder=4,
                facecolor=colour if maker else "white", edgecolor=colour, linewidth=1.2,
            )  # fmt: skip


def _legend(done: Trades) -> list[Line2D]:
    handles = [
        Line2D([], [], color=ASK, linewidth=1.6, label="best ask"),
        Line2D([], [], color=BID, linewidth=1.6, label="best bid"),
        Line2D([], [], color=FIRST, alpha=0.45, linewidth=5, label="own orders"),
    ]
    for sold, word, marker, colour in ((True, "sold", "v", SELL), (False, "bought", "^", BUY)):
        for maker, how in ((True, "resting"), (False, "at market")):
            if ((done.maker == maker) & ((done.lots < 0) == sold)).any():
                fill = colour if maker else "white"
                look = {
                    "marker": marker,
                    "color": colour,
                    "markerfacecolor": fill,
                    "linestyle": "none",
                    "markersize": 7,
                }
                handles.append(Line2D([], [], label=f"{word}, {how}", **look))
    return handles


def _price_limits(axes: Axes, trace: Trace, done: Trades) -> None:
    low, high = _window(touch(trace))
    known = done.price_ticks[np.isfinite(done.price_ticks)]
    inside = np.clip(known, low - MOST_TICKS, high + MOST_TICKS) if len(known) else np.array([low, high])
    axes.set_ylim(min(low, inside.min() - 1) - 0.5, max(high, inside.max() + 1) + 0.5)


def _window(best: np.ndarray, most: int = MOST_TICKS) -> tuple[int, int]:
    """Prices worth showing: the touch's range and a margin that grows with the spread; of more than `most` ticks the middle."""
    known, both = best[np.isfinite(best)], np.isfinite(best).all(axis=0)
    if not len(known):  # nobody ever quoted
        return -6, 6
    spread = np.median((best[1] - best[0])[both]) if both.any() else 0
    margin = max(6, round(0.8 * spread))
    low, high = int(known.min() - margin), int(known.max() + margin)
    if high - low > most:
        middle = int(np.median(known))
        low, high = max(low, middle - most // 2), min(high, middle + most // 2)
    return low, high
