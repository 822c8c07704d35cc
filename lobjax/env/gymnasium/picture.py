"""A ladder as a picture: a bar for each price level, one's own lots within it."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lobjax.types import Side

if TYPE_CHECKING:
    from lobjax.env.gymnasium.ladder import Ladder

_SIZE_INCHES, _DPI = (4.8, 3.6), 100
_COLOURS = {Side.BID: ("#9ecae1", "#08519c"), Side.ASK: ("#fcbba1", "#a50f15")}  # everybody's, one's own


def picture(ladder: "Ladder", title: str) -> np.ndarray:
    """uint8 `[360, 480, 3]`: prices in ticks upwards, lots to the right (bids blue, asks red, one's own dark)."""
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for side, (theirs, own) in _COLOURS.items():
        live = ladder.price_ticks[side] > 0
        price = ladder.price_ticks[side][live]
        axes.barh(price, ladder.lots[side][live], height=0.8, color=theirs)
        axes.barh(price, ladder.own_lots[side][live], height=0.8, color=own)
    axes.set_title(title, fontsize=8)
    axes.set_xlabel(f"lots (position {int(ladder.position):+,})", fontsize=8)
    axes.set_ylabel("price, ticks", fontsize=8)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    axes.tick_params(labelsize=7)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[:, :, :3].copy()
