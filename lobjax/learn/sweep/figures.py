"""Figures of a sweep: every complete trial as a line through its values, and how much each key mattered."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from lobjax.learn.sweep.config import Sweep
from lobjax.learn.sweep.space import Dimension, Values, label
from lobjax.results import style
from lobjax.results.style import FIRST, GREY, INK, OTHERS, quiet

RANKS = LinearSegmentedColormap.from_list("ranks", [FIRST, "#8fb4d9", "#d3dae1"])  # from the best to the worst


def parallel(sweep: Sweep, ranked: Sequence[Any]) -> Figure:
    """Parallel coordinates: an axis for each key and one for the value; colour is the rank, which outliers cannot wash out."""
    keys = list(sweep.space)
    columns = {key: _places(sweep.space[key], [each.past.point[key] for each in ranked]) for key in keys}
    values = np.array([each.value.mean for each in ranked])
    low, high = values.min(), max(values.max(), values.min() + 1e-12)
    lines = np.column_stack([*columns.values(), (values - low) / (high - low)])
    figure = style.figure(1.9 * (len(keys) + 1) + 1.2, 4.4)
    axes = quiet(figure.subplots(), grid="")
    axes.spines[:].set_visible(False)
    shade = Normalize(1, len(ranked))
    for i in reversed(range(len(ranked))):  # the best comes first in the ranking, and on top here
        colour = RANKS(shade(i + 1)) if i else OTHERS[0]
        axes.plot(lines[i], color=colour, linewidth=1.4 if i else 3, zorder=2 if i else 3)
    for i, key in enumerate(keys):
        _axis(axes, i, _ticks(sweep.space[key]))
    _axis(axes, len(keys), [((x - low) / (high - low), f"{x:.3g}") for x in np.linspace(low, high, 5)])
    axes.set_xlim(-0.35, len(keys) + 0.45)
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks([])
    parts = [key.rpartition(".") for key in [*keys, sweep.config.metric]]
    names = [f"{style.shown(above)}\n{style.shown(last)}".strip() for above, _, last in parts]
    axes.set_xticks(range(len(keys) + 1), names, fontsize=9.5)
    axes.tick_params(length=0)
    bar = figure.colorbar(ScalarMappable(shade, RANKS), ax=axes, pad=0.01, fraction=0.03)
    bar.set_label("rank", color=INK, fontsize=9)
    bar.ax.invert_yaxis()
    bar.ax.tick_params(colors=INK, labelsize=8)
    title = f"{len(ranked)} complete trials, means of {sweep.config.seeds} seeds ({sweep.config.direction}); thick: the first"
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    return figure


def importance(sweep: Sweep, weights: Mapping[str, float], trials: int) -> Figure:
    """A bar for each key, the most important on top."""
    ordered = sorted(weights.items(), key=lambda item: item[1])
    figure = style.figure(7.2, 1.2 + 0.42 * len(ordered))
    axes = quiet(figure.subplots(), grid="x")
    axes.barh([style.shown(key, 80) for key, _ in ordered], [value for _, value in ordered], color=FIRST, height=0.62)
    for place, (_, value) in enumerate(ordered):
        axes.annotate(
            f"{value:.2f}",
            (value, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
    axes.set_xlim(0, max(1.0, max(weights.values())) * 1.08)
    axes.set_xlabel(
        f"importance for being among the best quarter of {trials} complete trials (PED-ANOVA)", fontsize=9.5
    )
    return figure


def _places(dimension: Dimension, values: Any) -> np.ndarray:
    """Where values stand on their axis, 0 to 1."""
    if isinstance(dimension, Values):
        known = [label(value) for value in dimension.values]
        return np.array([_step(known.index(label(value)), len(known)) for value in values])
    scale = np.log if dimension.log else np.asarray
    low, high = scale(dimension.low), scale(dimension.high)
    return (scale(np.asarray(values, np.float64)) - low) / (high - low)


def _ticks(dimension: Dimension) -> list[tuple[float, str]]:
    if isinstance(dimension, Values):
        count = len(dimension.values)
        return [
            (_step(i, count), label(value).replace('"', "").strip("{}")) for i, value in enumerate(dimension.values)
        ]
    spread = np.geomspace if dimension.log else np.linspace
    marks = spread(dimension.low, dimension.high, 5)
    marks = np.unique(marks.round()) if dimension.whole else marks
    return [(float(place), f"{mark:.3g}") for place, mark in zip(_places(dimension, marks), marks, strict=True)]


def _step(index: int, count: int) -> float:
    return index / (count - 1) if count > 1 else 0.5


def _axis(axes: Axes, x: float, ticks: Sequence[tuple[float, str]]) -> None:
    axes.plot([x, x], [0, 1], color=GREY, linewidth=1.2, zorder=1)
    for place, text in ticks:
        axes.plot([x - 0.02, x + 0.02], [place, place], color=GREY, linewidth=1.2, zorder=1)
        short = style.shown(text if len(text) <= 18 else text[:17] + "…")
        axes.annotate(
            short, (x, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8, color=INK, zorder=4,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
