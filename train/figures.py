"""Learning curves from a run's metrics."""

from pathlib import Path

import matplotlib

from lobjax.files import whole_file
from train.runfolder import RunFolder

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
    lines = [line for line in folder.lines() if not (line["episode/count"] == 0 and "episode/return" in line)]
    names = [name for name in CURVES if lines and name in lines[0]]
    if not names:
        return None
    matplotlib.use("Agg")
    from matplotlib.figure import Figure  # after the backend is chosen: no display is needed here

    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.0 * rows), layout="constrained")
    for i, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.plot([line["step"] for line in lines], [line[name] for line in lines], linewidth=1.2)
        if name == "value/explained_variance":
            axes.set_ylim(-1.0, 1.05)  # before the first updates it can lie far below
        axes.set_title(CURVES[name], fontsize=10)
        axes.set_xlabel("environment steps", fontsize=9)
        axes.grid(alpha=0.3)
    path = folder.figures / "learning.png"
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return path
