"""Figures of a comparison: the paired differences, and how each player's episodes were spread."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lobjax.results import style
from lobjax.results.comparison import Comparison
from lobjax.results.style import GAIN, GREY, INK, LOSS, quiet
from lobjax.results.tables import plus_minus

BINS = 48


def save_figures(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Draw figures/distributions.png, and figures/differences.png where there is somebody to compare with."""
    folder = Path(folder) / "figures"
    return [style.write(png, folder / name) for name, png in pictures(comparison).items()]


def pictures(comparison: Comparison) -> dict[str, bytes]:
    """The same as PNG files by name, not yet written."""
    drawn = {"distributions.png": style.png(distributions(comparison))}
    if comparison.others:
        drawn["differences.png"] = style.png(differences(comparison))
    return drawn


def differences(comparison: Comparison) -> Figure:
    """The first player's advantage over each other one: mean and 95% interval, right of zero where it is better."""
    others = comparison.others
    figure = style.figure(8.6, 1.15 + 0.5 * len(others))
    axes = quiet(figure.subplots(), grid="x")
    axes.axvline(0, color=INK, linewidth=1)
    for row, other in enumerate(others):
        gap = comparison.advantage(other)
        colour = GAIN if gap.low > 0 else LOSS if gap.high < 0 else GREY
        axes.plot([gap.low, gap.high], [row, row], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot(gap.mean, row, "o", color=colour, markersize=8)
        axes.annotate(
            plus_minus(gap, sign=True),
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
            color=colour,
            fontsize=9.5,
        )
    axes.set_yticks(range(len(others)), [style.named(other, before="over ") for other in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    figure_name = f"{comparison.headline.label}, {comparison.headline.unit}"
    axes.set_xlabel(f"advantage of {style.named(comparison.first, lines=1)} in {figure_name} (right is better)")
    return figure


def distributions(comparison: Comparison) -> Figure:
    """The headline figure of every episode, player by player on one scale; a line at the mean, a tick at the median."""
    name = comparison.headline.name
    values = {p: np.asarray(f[name], np.float64) for p, f in comparison.figures.items()}
    pooled = np.concatenate(list(values.values()))
    low, high = np.quantile(pooled, [0.005, 0.995])
    margin = max(high - low, 1e-6) * 0.04
    edges = np.linspace(low - margin, high + margin, BINS + 1)
    colours = style.colours(comparison.players)
    figure = style.figure(8.6, 0.7 + 0.72 * len(values))
    rows = np.atleast_1d(figure.subplots(len(values), 1, sharex=True))
    for axes, (player, found) in zip(rows, values.items(), strict=True):
        quiet(axes, grid="x")
        axes.hist(np.clip(found, edges[0], edges[-1]), bins=edges, color=colours[player], alpha=0.85)
        axes.axvline(found.mean(), color=INK, linewidth=1.4)
        axes.plot(np.median(found), 0, marker="^", color=INK, markersize=6, clip_on=False, zorder=5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_ylabel(style.named(player, width=20), rotation=0, ha="right", va="center", fontsize=10)
    metric = comparison.headline
    rows[-1].set_xlabel(
        f"{metric.label} of an episode, {metric.unit} (line: mean, triangle: median; the outer 1% in the end bins)"
    )
    return figure
