"""Learning curves from a run's metrics."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

from lobjax.files import whole_file
from lobjax.learn.runfolder import RunFolder
from lobjax.results.updates import number

CURVES = {
    "episode/return": "mean return of finished episodes",
    "rollout/reward": "reward a step",
    "value/explained_variance": "explained variance of the value",
    "loss/value": "value loss",
    "policy/entropy": "entropy",
    "policy/kl": "divergence in an update",
}


def learning_curves(folder: RunFolder, wanted: Mapping[str, str] = CURVES, name: str = "learning") -> Path | None:
    """Draw figures/NAME.png from metrics.jsonl; returns its path, or None when there is nothing to draw. `wanted`: titles by metric."""
    of_episodes = [metric for metric in wanted if "episode/" in metric]
    steps: list[int] = []
    curves: dict[str, list[float | None]] = {}
    for line in folder.lines():
        if any(metric in line for metric in of_episodes) and not line.get("episode/count"):
            continue
        curves = curves or {metric: [] for metric in wanted if metric in line}
        steps.append(line["step"])
        for metric, values in curves.items():
            values.append(number(line.get(metric)))
    names = list(curves)
    if not names:
        return None
    matplotlib.use("Agg")
    from matplotlib.figure import Figure  # after the backend is chosen: no display is needed here

    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.0 * rows), layout="constrained")
    for i, metric in enumerate(names):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.plot(steps, np.array(curves[metric], np.float64), linewidth=1.2)
        if metric.endswith("value/explained_variance"):
            axes.set_ylim(-1.0, 1.05)  # before the first updates it can lie far below
        axes.set_title(wanted[metric], fontsize=10)
        axes.set_xlabel("environment steps", fontsize=9)
        axes.grid(alpha=0.3)
    path = folder.figures / f"{name}.png"
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return path
