"""The table of baselines and networks of one day."""

import importlib.util
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lobjax.cli import note
from lobjax.errors import InputError
from lobjax.forecast import baselines, table
from lobjax.forecast.features import DayStream, flow_imbalance, read_rows
from lobjax.forecast.nets import FORECAST_NETS
from lobjax.forecast.training import EnsembleConfig, Report

TREES = "boosted_trees"


def known() -> tuple[str, ...]:
    """Names of models: baselines, trees, forecast networks."""
    return (*table.MODELS, TREES, *FORECAST_NETS)


def chosen(asked: Sequence[str]) -> list[str]:
    """The models that names mean, of which "baselines" and "all" are several; in the order of `known`."""
    sets = {"baselines": table.MODELS, "all": known()}
    wanted = {model for name in asked for model in sets.get(name, (name,))}
    return [name for name in known() if name in wanted]


def measure(
    data: Path,
    horizons: Sequence[int],
    models: Sequence[str],
    tick_size: int,
    every: int,
    seed: int,
    *,
    epochs: int,
    members: int,
) -> dict[str, Any]:
    """Scores by horizon and model, with what the day is. InputError for a day that is too short or has no book."""
    if TREES in models and importlib.util.find_spec("sklearn") is None:
        raise InputError(
            "--models all: scikit-learn is not installed; pip install 'lobjax[forecast]', or take baselines"
        )
    rows = read_rows(data, tick_size=tick_size)
    DayStream(rows.book.shape[2], every).push(rows.cut(0, every))  # compiled before the clock starts
    begun = time.perf_counter()
    samples, features = DayStream(rows.book.shape[2], every).push(rows)
    seconds = time.perf_counter() - begun
    if len(samples.mid) < 5 * table.LEAST:
        raise InputError(f"{data}: {len(samples.mid):,} samples of {every} rows are too few; give a longer day")
    inputs = {"ofi": baselines.ofi_inputs(samples), "full": baselines.full_inputs(samples), "all": features}
    names = [name for name in models if name not in FORECAST_NETS]
    ensembles = {
        name: EnsembleConfig(net=FORECAST_NETS[name].config(), epochs=epochs, members=members, seed=seed)
        for name in models
        if name in FORECAST_NETS
    }
    spread = rows.book[:, 1, 0, 0].astype(float) - rows.book[:, 0, 0, 0]
    return {
        "data": str(data),
        "rows": len(rows.event),
        "samples": len(samples.mid),
        "levels": rows.book.shape[2],
        "ofi_total_level1": float(np.sum(flow_imbalance(rows.book[:, :, 0]))),
        "mean_spread_ticks": float(spread.mean()),
        "features_s": round(seconds, 3),
        "horizons": {
            str(k): table.scored(samples, k, names, inputs, seed, str(data), ensembles, partial(_tell, k))
            for k in horizons
        },
    }


def _tell(k: int, name: str, epoch: int, report: Report) -> None:
    """Progress of a network, whose epochs are long."""
    note(
        f"k = {k}, {name}: epoch {epoch}, NLL {report.train.mean():.4f}, on the validation part {report.validation.mean():.4f}"
    )


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The table to read; NLL and ECE after temperature scaling, NLL also before it, and the coverage of 90% sets."""
    yield f"{found['data']}: {found['rows']:,} rows, {found['samples']:,} samples"
    yield "| k | alpha | model | macro F1 | accuracy | NLL | uncalibrated | ECE | coverage |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for k, cell in found["horizons"].items():
        for name, row in cell["models"].items():
            parts = [
                row["macro_f1"],
                row["accuracy"],
                row["nll"],
                row.get("uncalibrated", {}).get("nll"),
                row["ece"],
            ]
            shown = " | ".join("" if value is None else f"{value:.3f}" for value in [*parts, row["coverage"]])
            yield f"| {k} | {cell['alpha']:.4g} | {name} | {shown} |"
