"""A comparison as files: evaluation.json, episodes.parquet, paths.parquet, figures/*.png.

evaluation.json    per player and figure: mean, low, high, std, n; paired differences; verdicts; warnings; why players did the same
episodes.parquet   a row for each player and episode, a column for each figure
paths.parquet      a row for each player, quantity and decision: mean and quantiles over episodes
"""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lobjax.files import whole_file
from lobjax.results.comparison import Comparison
from lobjax.results.intervals import Interval

EVALUATION, EPISODES, PATHS = "evaluation.json", "episodes.parquet", "paths.parquet"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def save(comparison: Comparison, folder: str | Path) -> None:
    """Write the comparison's files into `folder`, each whole or not at all."""
    folder = Path(folder)
    with whole_file(folder / EVALUATION) as temporary:
        temporary.write_text(json.dumps(evaluation(comparison), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _write_table(episodes_table(comparison), folder / EPISODES)
    _write_table(paths_table(comparison), folder / PATHS)


def evaluation(comparison: Comparison) -> dict[str, Any]:
    """All that is said of the episodes taken together, for JSON; a bound that is not finite is None."""
    names = [metric.name for metric in comparison.metrics]
    figures = {p: {n: _plain(comparison.mean(p, n)) for n in names} for p in comparison.players}
    gaps = {o: {n: _plain(comparison.difference(o, n)) for n in names} for o in comparison.others}
    found = {
        "task": comparison.task,
        "episodes": comparison.episodes,
        "players": figures,
        "first": comparison.first,
        "headline": comparison.headline.name,
        "differences": gaps,  # first less other, episode by episode
        "advantage": {o: _plain(comparison.advantage(o)) for o in comparison.others},  # of the headline; positive: first is better
        "verdicts": comparison.verdicts(),
        "warnings": comparison.warnings(),
    }  # fmt: skip
    return {**found, "reasons": comparison.reasons} if comparison.reasons else found


def episodes_table(comparison: Comparison) -> pl.DataFrame:
    """Columns player, episode, then every figure."""
    frames = [
        pl.DataFrame({"player": [p] * comparison.count, "episode": np.arange(comparison.count), **figures, **_by_episode(paths)})
        for (p, figures), paths in zip(comparison.figures.items(), comparison.paths.values(), strict=True)
    ]  # fmt: skip
    return pl.concat(frames)


def paths_table(comparison: Comparison) -> pl.DataFrame:
    """Columns player, quantity, decision, mean, p5, p25, p50, p75, p95."""
    frames = []
    for player, paths in comparison.paths.items():
        for quantity, values in paths.items():
            values = np.asarray(values, np.float64)
            marks = np.quantile(values, QUANTILES, axis=0)
            columns = {f"p{100 * q:.0f}": marks[i] for i, q in enumerate(QUANTILES)}
            head = {"player": player, "quantity": quantity, "decision": np.arange(values.shape[1], dtype=np.int32)}
            frames.append(pl.DataFrame({**head, "mean": values.mean(axis=0), **columns}))
    return pl.concat(frames) if frames else pl.DataFrame()


def _by_episode(paths: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The market's side of each episode, from what was watched."""
    if not paths:
        return {}
    return {
        "start_s": paths["clock_s"][:, 0].astype(np.float64),
        "opening_spread_ticks": paths["spread_ticks"][:, 0],  # before anybody's own orders narrow it
        "others_volume_lots": paths["volume_lots"].sum(axis=1),
    }


def _plain(figure: Interval) -> dict[str, float | int | None]:
    return {name: value if math.isfinite(value) else None for name, value in figure._asdict().items()}


def _write_table(frame: pl.DataFrame, path: Path) -> None:
    buffer = io.BytesIO()  # Polars hides a full disk behind an error of its own; a plain write does not
    frame.write_parquet(buffer)
    with whole_file(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())
