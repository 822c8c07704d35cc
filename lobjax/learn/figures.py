"""Learning curves from a run's metrics."""

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


def learning_curves(folder: RunFolder) -> Path | None:
    """Draw figures/learning.png from metrics.jsonl; returns its path, or None when there is nothing to draw."""
    steps: list[int] = []
    curves: dict[str, list[float | None]] = {}
    for line in folder.lines():
        if "episode/return" in line and not line.get("episode/count"):
            continue
        curves = curves or {name: [] for name in CURVES if name in line}
        steps.append(line["step"])
        for name, values in curves.items():
            values.append(number(line.get(name)))
    names = list(curves)
    if not names:
        return None
    matplotlib.use("Agg")
    from matplotlib.figure import Figure  # after the backend is chosen: no display is needed here

    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.0 * rows), layout="constrained")
    for i, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.plot(steps, np.array(curves[name], np.float64), linewidth=1.2)
        if name == "value/explained_variance":
            axes.set_ylim(-1.0, 1.05)  # before the first updates it can lie far below
        axes.set_title(CURVES[name], fontsize=10)
        axes.set_xlabel("environment steps", fontsize=9)
        axes.grid(alpha=0.3)
    path = folder.figures / "learning.png"
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return path
