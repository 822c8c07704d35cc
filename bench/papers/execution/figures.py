"""Learning curves of the agents in the paper's cells, with the points of the paper's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.papers.execution.cells import CURVE_ITERATIONS, CURVES, STEPS_PER_ITERATION, Cell
from lobjax.results import style
from lobjax.results.style import INK, quiet

Curve = Sequence[tuple[int, float]]  # (environment steps, mean return of a rollout)
_COLUMNS = 2


def learning_curves(found: Mapping[str, Mapping[Cell, Sequence[Curve]]], path: Path) -> Path:
    """Draw agent -> cell -> a curve for each seed, as the mean over seeds with a band from the least to the most."""
    cells = [*dict.fromkeys(cell for by_cell in found.values() for cell in by_cell)]
    rows = -(-len(cells) // _COLUMNS)
    figure = style.figure(9.5, 0.6 + 2.6 * rows)
    colours = style.colours([*found])
    panels = np.atleast_1d(figure.subplots(rows, _COLUMNS, squeeze=False)).ravel()
    for axes, cell in zip(panels, cells, strict=False):
        quiet(axes)
        for name, by_cell in found.items():
            if cell not in by_cell:
                continue
            steps, returns = joined(by_cell[cell])
            axes.plot(steps / 1e6, returns.mean(axis=0), color=colours[name], linewidth=1.2, label=name)
            axes.fill_between(
                steps / 1e6, returns.min(axis=0), returns.max(axis=0), color=colours[name], alpha=0.2, linewidth=0
            )
        at = np.array(CURVE_ITERATIONS) * STEPS_PER_ITERATION / 1e6
        axes.plot(at, CURVES[cell], "o", color=INK, markersize=4, label="paper, LN (read off its figure)")
        axes.set_title(f"{cell.market}, {cell.lots} lots", fontsize=10, color=INK)
        axes.set_xlabel("million environment steps", fontsize=9)
        axes.set_ylabel("mean return, ticks a lot", fontsize=9)
    for axes in panels[len(cells) :]:
        axes.set_axis_off()
    named = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    panels[0].legend(named.values(), named, fontsize=8, frameon=False)
    figure.supxlabel("line: mean over training seeds; band: from the least to the most of them", fontsize=8, color=INK)
    return style.write(figure, path)


def joined(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Steps [n] that all curves have, and returns [seeds, n] there."""
    by_step = [dict(curve) for curve in curves]
    steps = sorted(set.intersection(*(set(one) for one in by_step)))
    return np.array(steps, np.float64), np.array([[one[step] for step in steps] for one in by_step], np.float64)
